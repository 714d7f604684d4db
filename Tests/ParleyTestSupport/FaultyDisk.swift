import Foundation
import ParleyCore

/// A disk for the databases below one folder that can be watched, held up, filled and made to fail at any call.
///
/// It stands below SQLite as a VFS (https://www.sqlite.org/vfs.html, see ``FaultyVFS``), which meets every path that the store has to the
/// disk, at the very call, on any machine and without privileges. Others that were weighed: a small file system in memory needs root and
/// can only be full; `PRAGMA max_page_count` and permissions cannot let the fifth write fail, or a sync.
package final class FaultyDisk: @unchecked Sendable {
    // Sendable because all that changes is touched only while `condition` is locked.

    /// What SQLite asks of a disk.
    package enum Operation: String, Sendable, CaseIterable {
        case open, read, write, sync, truncate, delete
    }

    /// One call, in the order of the calls.
    package struct Event: Hashable, Sendable {
        /// What was asked.
        package let operation: Operation
        /// Whether it was asked of a log of writes.
        package let isLog: Bool

        /// Makes one of its fields; see them for what the parameters mean.
        package init(operation: Operation, isLog: Bool) {
            self.operation = operation
            self.isLog = isLog
        }
    }

    /// When calls fail.
    package struct Fault: Sendable, CustomStringConvertible {
        /// Which calls are counted and fail.
        package var operations: Set<Operation>
        /// The first call that fails, counted from 1.
        package var first: Int
        /// Whether all calls after it fail too, until the disk is repaired.
        package var isLasting: Bool
        /// Whether the calls fail for want of space.
        package var isFull: Bool

        /// Lets one call fail, or all from one on.
        package init(_ operations: Set<Operation>, first: Int = 1, isLasting: Bool = false, isFull: Bool = false) {
            self.operations = operations
            self.first = first
            self.isLasting = isLasting
            self.isFull = isFull
        }

        package var description: String {
            "\(operations.map(\.rawValue).sorted().joined(separator: "+")) \(first)\(isLasting ? "…" : "")\(isFull ? " full" : "")"
        }
    }

    private static let disks = Locked<[String: WeakDisk]>([:])

    private struct WeakDisk {
        weak var disk: FaultyDisk?
    }

    private let folder: String
    private let condition = NSCondition()
    private var fault: Fault?
    private var calls = 0
    private var failures = 0
    private var events: [Event] = []
    private var held: Operation?
    private var isWaiting = false

    /// Takes over the files of a folder that are opened from now on.
    ///
    /// - Parameter folder: its path.
    package init(folder: String) {
        // As SQLite names its files.
        let folder = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
        self.folder = folder
        FaultyVFS.install()
        Self.disks.withLock { $0[folder] = WeakDisk(disk: self) }
    }

    deinit {
        Self.disks.withLock { $0[folder] = nil }
    }

    /// The disk on which a file lies; nil when it lies on none of these.
    static func disk(ofFile path: String) -> FaultyDisk? {
        let folder = (path as NSString).deletingLastPathComponent
        return disks.withLock { $0[folder]?.disk }
    }

    // MARK: What tests do

    /// Lets calls fail, counted from now on.
    package func fail(_ fault: Fault) {
        condition.withLock {
            self.fault = fault
            calls = 0
            failures = 0
        }
    }

    /// Lets all calls succeed again.
    ///
    /// - Returns: how many have failed.
    @discardableResult
    package func repair() -> Int {
        condition.withLock {
            fault = nil
            return failures
        }
    }

    /// How many calls have failed since the fault began.
    package var failureCount: Int { condition.withLock { failures } }

    /// Forgets what was asked so far, and says what it was.
    package func takeEvents() -> [Event] {
        condition.withLock {
            defer { events = [] }
            return events
        }
    }

    /// Holds up every call of a kind from now on.
    package func hold(_ operation: Operation) {
        condition.withLock { held = operation }
    }

    /// Blocks until a call is held up.
    package func waitUntilHeld() {
        condition.withLock {
            while !isWaiting { condition.wait() }
        }
    }

    /// Lets go what is held up.
    package func release() {
        condition.withLock {
            held = nil
            condition.broadcast()
        }
    }

    // MARK: What the VFS asks

    /// Notes a call.
    ///
    /// - Returns: nil when it may go on; otherwise the fault that hits it.
    func meet(_ operation: Operation, isLog: Bool) -> Fault? {
        condition.withLock {
            events.append(Event(operation: operation, isLog: isLog))
            while held == operation {
                isWaiting = true
                condition.broadcast()
                condition.wait()
            }
            guard let fault, fault.operations.contains(operation) else { return nil }
            calls += 1
            guard fault.isLasting ? calls >= fault.first : calls == fault.first else { return nil }
            failures += 1
            return fault
        }
    }
}
