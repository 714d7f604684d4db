import CSQLite
import GRDB
import Glibc
import ParleyCore

extension SQLiteStore {
    /// Has SQLite keep no account of its memory, which nobody reads: it would take a lock that all connections share for each piece of it.
    ///
    /// To be called once in a process, before anything else is done with a database. Where that was not so, nothing changes.
    package static func keepNoAccountOfMemory() {
        _ = parley_sqlite_keep_no_account()
    }

    /// Opens a database, making or migrating it as needed, and interrupts the turns of hosts that are gone.
    ///
    /// It blocks for a few milliseconds, longer when other processes open the database at the same moment.
    ///
    /// - Throws: ``StoreOpenFailure``; a database that is another program's or a newer version's was not changed.
    package static func open(_ configuration: SQLiteStoreConfiguration) throws(StoreOpenFailure) -> SQLiteStore {
        switch configuration.location {
        case .memory:
            do {
                return try openInMemory(configuration)
            } catch {
                throw SQLiteFailure.openFailure(for: error, path: "The database in memory")
            }
        case .file(let path):
            let file = DatabaseFile(path: path)
            let locks = try file.lock(waitingAtMost: configuration.busyTimeout)
            do {
                defer { locks.unlock(OwnerLocks.openingByte) }
                return try open(file, locks, configuration)
            } catch {
                throw SQLiteFailure.openFailure(for: error, path: file.path)
            }
        }
    }

    private static func openInMemory(_ configuration: SQLiteStoreConfiguration) throws -> SQLiteStore {
        let queue = try DatabaseQueue(configuration: .parley(busyTimeout: configuration.busyTimeout))
        try queue.writeWithoutTransaction { try Schema.migrate($0) }
        let host = try queue.write { try register(in: $0, nil, configuration) }
        return store(queue, nil, host, nil, configuration)
    }

    private static func open(
        _ file: DatabaseFile, _ locks: OwnerLocks, _ configuration: SQLiteStoreConfiguration
    ) throws -> SQLiteStore {
        _ = try file.migrate(locks, busyTimeout: configuration.busyTimeout)
        let pool = try DatabasePool(path: file.path, configuration: .parley(busyTimeout: configuration.busyTimeout))
        // After the pool is made, because making it sets NORMAL.
        let mode = configuration.durability == .full ? 2 : 1
        try pool.writeWithoutTransaction { db in
            // The commit loop sees to the log by itself.
            try db.execute(sql: "PRAGMA synchronous = \(mode); PRAGMA wal_autocheckpoint = 0")
            guard try Int.fetchOne(db, sql: "PRAGMA synchronous") == mode else {
                throw StoreOpenFailure(.other, "\(file.path) does not take the durability that is asked for.")
            }
        }
        let host = try pool.write { try register(in: $0, locks, configuration) }
        return store(pool, file, host, locks, configuration)
    }

    /// Makes this process a host: it gets a number, locks its byte, and clears up after hosts that are gone.
    ///
    /// - Returns: the number.
    private static func register(in db: Database, _ locks: OwnerLocks?, _ configuration: SQLiteStoreConfiguration) throws -> Int64 {
        let now = configuration.now()
        var host: Int64
        repeat {
            try db.run("INSERT INTO hosts (process_id, opened_at) VALUES (?, ?)", Int(getpid()), now)
            host = db.lastInsertedRowID
            // A byte can be taken although its number is new: when the database was replaced under a host that still runs.
        } while try locks.map { try !$0.lock(host) } ?? false
        let transaction = StoreTransaction(db: db, surroundings: surroundings(host, locks, configuration))
        let interrupted = try transaction.recoverTurns(at: now)
        try SearchIndex(db: db).requireCurrentFolding()
        configuration.logger.debug("opened the database", metadata: ["host": "\(host)", "interruptedTurns": "\(interrupted)"])
        return host
    }

    private static func surroundings(
        _ host: Int64, _ locks: OwnerLocks?, _ configuration: SQLiteStoreConfiguration
    ) -> StoreSurroundings {
        StoreSurroundings(
            host: host, locks: locks, maximumPageBytes: configuration.maximumPageBytes, quotas: configuration.quotas,
            clock: QuotaClock(monotonic: configuration.monotonic, boot: configuration.boot), logger: configuration.logger)
    }

    private static func store(
        _ writer: any DatabaseWriter, _ file: DatabaseFile?, _ host: Int64, _ locks: OwnerLocks?, _ configuration: SQLiteStoreConfiguration
    ) -> SQLiteStore {
        SQLiteStore(writer: writer, file: file, configuration: configuration, surroundings: surroundings(host, locks, configuration))
    }
}
