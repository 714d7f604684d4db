import GRDB
import Logging
import ParleyCore

/// One transaction, as the store's own code sees it. What it can do is divided among the files of the rows it is about.
struct StoreTransaction {
    let db: StoreConnection
    let surroundings: StoreSurroundings
    /// What is known of counters beside the database: in transactions that write.
    let counters: CounterMemory?

    /// Begins to use a connection.
    init(db: Database, statements: StatementMemory? = nil, surroundings: StoreSurroundings, counters: CounterMemory? = nil) {
        self.db = StoreConnection(database: db, statements: statements)
        self.surroundings = surroundings
        self.counters = counters
    }
}

extension StoreTransaction {
    /// The failure for something that exists and is not the caller's: to clients it is as if it did not exist, only the log tells the two
    /// apart.
    func notTheCallers(_ resource: Failure.Resource, _ id: String) -> Failure {
        surroundings.logger.notice("refused what belongs to somebody else", metadata: ["resource": "\(resource.rawValue)", "id": "\(id)"])
        return .notFound(resource, id)
    }
}

/// What every transaction of a store needs to know beside the database.
struct StoreSurroundings: Sendable {
    /// The number of this host, which no other ever has.
    let host: Int64
    /// Where hosts show that they live; nil in memory, where there is but one.
    let locks: OwnerLocks?
    /// The bound of a page of messages, in bytes of their stored content.
    let maximumPageBytes: Int
    /// The limits in force.
    let quotas: QuotaPolicy
    /// The time by which windows slide.
    let clock: QuotaClock
    let logger: Logger

    /// Whether a host lives: itself does, any other as long as it holds its lock.
    func isAlive(_ other: Int64) throws(SystemError) -> Bool {
        guard other != host, let locks else { return true }
        return try locks.isHeld(other)
    }
}

extension StoreSurroundings {
    /// Does something while no other host has the database open and none can open it.
    ///
    /// - Returns: nil when another host is there, and it was not done.
    func whileAlone<Value>(_ body: () throws -> Value) throws -> Value? {
        guard let locks else { return try body() }
        guard try locks.lock(OwnerLocks.openingByte) else { return nil }
        defer { locks.unlock(OwnerLocks.openingByte) }
        return try locks.isAnyHostHeld() ? nil : body()
    }
}
