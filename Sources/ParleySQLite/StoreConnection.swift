import GRDB
import ParleyCore

/// A connection as transactions use it.
struct StoreConnection: StatementSource {
    let database: Database
    /// Nil where those that GRDB keeps are good enough.
    var statements: StatementMemory?

    var lastInsertedRowID: Int64 { database.lastInsertedRowID }

    func compiled(_ sql: String) throws -> Statement {
        try statements?.statement(sql, of: database) ?? database.cachedStatement(sql: sql)
    }
}

/// The statements of the connection that writes, found by where their text lies.
///
/// GRDB finds its own by the text, which for thirty statements in each turn is to hash some ten thousand bytes. Most texts are literals, which lie
/// in one place as long as the process lives; of any other the text that is found is compared, which tells where a place has another one now.
final class StatementMemory: Sendable {
    private struct Entry {
        let sql: String
        let statement: Statement
    }

    /// Texts that are put together anew each time would fill it.
    private static let maximumCount = 512

    /// All are compiled and used in accesses to the one connection that writes, one at a time, and none is used under the lock.
    private let entries = Locked([UnsafeRawPointer: Entry]())

    /// A statement, compiled if it was not before.
    ///
    /// - Returns: nil for a text that lies nowhere, because it is too short.
    func statement(_ sql: String, of database: Database) throws -> Statement? {
        let place: UnsafeRawPointer? = sql.utf8.withContiguousStorageIfAvailable { UnsafeRawPointer($0.baseAddress) } ?? nil
        guard let place, sql.utf8.count > 15 else { return nil }
        if let entry = entries.withLock({ $0[place] }), entry.sql == sql { return entry.statement }
        let statement = try database.cachedStatement(sql: sql)
        entries.withLock { entries in
            if entries.count >= Self.maximumCount { entries = [:] }
            entries[place] = Entry(sql: sql, statement: statement)
        }
        return statement
    }

    /// Lets go of all, because the connection is about to be closed.
    func forget() {
        entries.withLock { $0 = [:] }
    }
}
