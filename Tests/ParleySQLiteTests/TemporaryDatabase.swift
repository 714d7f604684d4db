import Foundation
import GRDB
import Logging
import ParleyCore
import Testing

@testable import ParleySQLite

/// A folder that goes when the test is over, and the stores opened on a database in it.
final class TemporaryDatabase: Sendable {
    let folder: URL
    let path: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "parley-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        path = folder.appending(path: "parley.db").path
    }

    deinit {
        do {
            try FileManager.default.removeItem(at: folder)
        } catch {
            Issue.record("\(error)")
        }
    }

    /// Opens the database as a new host.
    func open(
        durability: SQLiteStoreConfiguration.Durability = .normal, busyTimeout: Duration = .seconds(5), quotas: QuotaPolicy = .unlimited,
        clock: TestClock = TestClock()
    ) throws(StoreOpenFailure) -> SQLiteStore {
        try SQLiteStore.open(
            .test(.file(path: path), durability: durability, busyTimeout: busyTimeout, quotas: quotas, clock: clock))
    }

    /// Does something to the database behind the store's back.
    @discardableResult
    func meddle<Value>(_ body: (Database) throws -> Value) throws -> Value {
        let queue = try DatabaseQueue(path: path)
        let value = try queue.writeWithoutTransaction(body)
        try queue.close()
        return value
    }

    /// The names of the files in the folder.
    var files: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }
    }

    /// The names of the files in which a text stands.
    func files(with text: String) throws -> [String] {
        try files.filter { try Data(contentsOf: folder.appending(path: $0)).range(of: Data(text.utf8)) != nil }
    }

    /// The bytes of the database's file.
    var content: Data {
        get throws { try Data(contentsOf: URL(fileURLWithPath: path)) }
    }

    /// The permission bits of a file or folder.
    func permissions(_ path: String) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }
}

extension SQLiteStoreConfiguration {
    /// Silent, and with a clock that stands still unless it is moved.
    static func test(
        _ location: Location, durability: Durability = .normal, busyTimeout: Duration = .seconds(5), quotas: QuotaPolicy = .unlimited,
        clock: TestClock = TestClock()
    ) -> SQLiteStoreConfiguration {
        SQLiteStoreConfiguration(
            location: location, durability: durability, busyTimeout: busyTimeout, quotas: quotas,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), now: { clock.now },
            monotonic: { clock.monotonic }, boot: clock.boot)
    }
}

/// A wall clock that may be set, and a monotonic clock that only goes on.
final class TestClock: Sendable {
    private let state = Locked((wall: Int64(1_000_000), monotonic: Int64(0)))

    /// The start of the machine.
    let boot: Int64

    init(boot: Int64 = 7) { self.boot = boot }

    var now: Timestamp { Timestamp(milliseconds: state.withLock { $0.wall }) }
    var monotonic: Int64 { state.withLock { $0.monotonic } }

    /// Lets time pass.
    func pass(milliseconds: Int64) {
        state.withLock { state in
            state.wall += milliseconds
            state.monotonic += milliseconds
        }
    }

    /// Sets the wall clock, by a difference.
    func step(milliseconds: Int64) {
        state.withLock { $0.wall += milliseconds }
    }
}
