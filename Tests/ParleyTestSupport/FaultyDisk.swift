import Foundation
import GRDBSQLite
import ParleyCore

/// A folder whose databases lie on a disk that a test lets fail.
///
/// What SQLite asks of the system for files in that folder goes through a layer of ours (``FaultyVFS``), which counts the calls, notes them
/// and fails those that the test chooses. Databases elsewhere are not touched, so tests may run side by side. The calls reach the real
/// files, with one exception: nobody waits for a real disk, because what is of interest is that SQLite asked for it.
///
/// Only SQLite's own calls are seen, and of its files those that have a name: not the temporary ones of a `VACUUM`.
package final class FaultyDisk: Sendable {
    /// What SQLite asks for. What gives something back (unlocking, closing) is not among it: it does not fail in SQLite's own layer either.
    package enum Operation: String, CaseIterable, Sendable {
        case open, read, write, truncate, sync, size, delete, access, lock, map, extendMap, mapLock
    }

    /// What a file is to SQLite.
    package enum File: String, Sendable {
        case database, log, journal, other
    }

    /// One call, as it was made.
    package struct Call: Hashable, Sendable {
        /// What was asked for.
        package let operation: Operation
        /// Of which file.
        package let file: File

        /// Makes one of its fields; see them for what the parameters mean.
        package init(_ operation: Operation, of file: File) {
            self.operation = operation
            self.file = file
        }
    }

    /// What goes wrong.
    package enum Trouble: Sendable {
        /// Nothing works: errors of the disk. A write leaves the first half of its bytes behind.
        case broken
        /// There is no space left: whatever would take some fails, all else works. A write leaves the first half of its bytes behind.
        case full
        /// There is space, but not for this user: as `full`, and SQLite's own layer does not say of writes either what is wrong.
        case overQuota
        /// What is written cannot be made safe: syncs fail, and nothing else.
        case unsafe

        /// Whether it makes calls of a kind fail.
        package func concerns(_ operation: Operation) -> Bool {
            switch self {
            case .broken: true
            case .full, .overQuota: operation == .write || operation == .extendMap
            case .unsafe: operation == .sync
            }
        }
    }

    private struct State {
        var calls: [Call] = []
        var isPaused = false
        var trouble: Trouble?
        /// How many calls that the trouble concerns go well before it comes.
        var left = 0
        var isLasting = false
        var failed = 0
        var durable: [String: [UInt8]] = [:]
    }

    /// The folder, without symbolic links.
    package let folder: String
    private let state = Locked(State())

    /// Makes the disk of a folder that exists, on which all is well.
    package init(folder: String) throws {
        self.folder = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
        FaultyVFS.add(self)
    }

    deinit {
        FaultyVFS.remove(folder: folder)
    }

    // MARK: What a test does

    /// All calls since the last ``forget()``, in order.
    package var calls: [Call] { state.withLock { $0.calls } }

    /// Notes calls from now on only.
    package func forget() {
        state.withLock { $0.calls = [] }
    }

    /// Lets calls fail from now on.
    ///
    /// - Parameters:
    ///   - trouble: what goes wrong, and which calls it concerns.
    ///   - number: the first call that fails, counted from 1 among those that it concerns.
    ///   - isLasting: whether all after it fail too, until ``heal()``.
    package func fail(_ trouble: Trouble, at number: Int = 1, isLasting: Bool = true) {
        state.withLock { state in
            state.trouble = trouble
            state.left = number - 1
            state.isLasting = isLasting
            state.failed = 0
        }
    }

    /// Lets everything work again.
    package func heal() {
        state.withLock { $0.trouble = nil }
    }

    /// How many calls failed since the last ``fail(_:at:isLasting:)``.
    package var failures: Int { state.withLock { $0.failed } }

    /// Does something while all is well, and neither counts nor notes its calls.
    package func whilePaused<Value>(_ body: () async throws -> Value) async rethrows -> Value {
        state.withLock { $0.isPaused = true }
        defer { state.withLock { $0.isPaused = false } }
        return try await body()
    }

    /// Takes the files in the folder, as they are, for what a loss of power leaves behind, until SQLite syncs one of them. No database in
    /// the folder may be open.
    package func keepDurable() throws {
        var durable: [String: [UInt8]] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            durable[name] = Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
        }
        let found = durable
        state.withLock { $0.durable = found }
    }

    /// Writes into another folder what is left if power is lost now: of each file what it held at its last sync.
    package func writeDurable(to folder: String) throws {
        for (name, content) in state.withLock({ $0.durable }) {
            try Data(content).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        }
    }

    // MARK: What the layer does

    /// Notes a call and decides about it.
    ///
    /// - Returns: what SQLite is told instead of an outcome; nil when the call is to be made.
    func trouble(_ operation: Operation, _ file: File) -> Int32? {
        let trouble: Trouble? = state.withLock { state in
            guard !state.isPaused else { return nil }
            state.calls.append(Call(operation, of: file))
            guard let trouble = state.trouble, trouble.concerns(operation) else { return nil }
            guard state.left == 0 else {
                state.left -= 1
                return nil
            }
            state.failed += 1
            if !state.isLasting { state.trouble = nil }
            return trouble
        }
        guard let trouble else { return nil }
        switch trouble {
        case .broken, .unsafe:
            errno = EIO
            return operation.errorCode
        case .full:
            errno = ENOSPC
            // As SQLite's own layer says it: only of a write does it tell why.
            return operation == .write ? SQLITE_FULL : operation.errorCode
        case .overQuota:
            errno = EDQUOT
            return operation.errorCode
        }
    }

    /// Notes what a file holds at the moment at which it is safe.
    func didSync(_ path: String, _ content: [UInt8]) {
        state.withLock { $0.durable[(path as NSString).lastPathComponent] = content }
    }

    /// Whether anybody wants to know what files hold when they are synced.
    var keepsDurable: Bool { state.withLock { !$0.durable.isEmpty } }

    /// Notes that a file is gone.
    func didDelete(_ path: String) {
        state.withLock { $0.durable[(path as NSString).lastPathComponent] = nil }
    }
}

extension FaultyDisk.Operation {
    /// The error that SQLite's own layer has for it (sqlite3.h, "Extended Result Codes"; the importer does not see the composed ones).
    fileprivate var errorCode: Int32 {
        func inputOutput(_ number: Int32) -> Int32 { SQLITE_IOERR | number << 8 }
        return switch self {
        case .open: SQLITE_CANTOPEN
        case .read: inputOutput(1)
        case .write: inputOutput(3)
        case .sync: inputOutput(4)
        case .truncate: inputOutput(6)
        case .size: inputOutput(7)
        case .delete: inputOutput(10)
        case .access: inputOutput(13)
        case .lock: inputOutput(15)
        case .map, .extendMap: inputOutput(19)
        case .mapLock: inputOutput(20)
        }
    }
}
