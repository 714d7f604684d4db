import GRDB
import GRDBSQLite
import Glibc

/// The row at which a statement stands; gone when the closure that was given it returns.
struct StoredRow {
    fileprivate let statement: OpaquePointer

    /// A column, counted from 0; one that may be null is read as an optional.
    subscript<Value: SQLValue>(index: Int32) -> Value {
        Value(readingColumn: index, of: statement)
    }
}

/// A connection, with its compiled statements.
protocol StatementSource {
    /// The connection.
    var database: Database { get }

    /// A statement, compiled if it was not before.
    func compiled(_ sql: String) throws -> Statement
}

extension Database: StatementSource {
    var database: Database { self }

    func compiled(_ sql: String) throws -> Statement { try cachedStatement(sql: sql) }
}

/// Statements with their values, compiled once for each connection.
///
/// GRDB keeps the connections and the compiled statements; values go straight to SQLite, which is twice as fast as GRDB's arguments and
/// rows (and see ``SQLValue``). GRDB's observers of transactions hear nothing of what is done here; the store has none.
extension StatementSource {
    /// Runs a statement that returns nothing.
    ///
    /// - Returns: how many rows it changed.
    @discardableResult
    func run<each Value: SQLValue>(_ sql: String, _ values: repeat each Value) throws -> Int {
        try step(compiled(sql), repeat each values) { _ in true }
        return database.changesCount
    }

    /// Reads the first row, nil when there is none.
    ///
    /// - Parameter read: takes what it needs of the row.
    func first<Row, each Value: SQLValue>(
        _ sql: String, _ values: repeat each Value, read: (StoredRow) throws -> Row
    ) throws -> Row? {
        var first: Row?
        try step(compiled(sql), repeat each values) { row in
            first = try read(row)
            return false
        }
        return first
    }

    /// Reads all rows.
    ///
    /// - Parameter read: takes what it needs of one row. It must not run the same statement again.
    func all<Row, each Value: SQLValue>(
        _ sql: String, _ values: repeat each Value, read: (StoredRow) throws -> Row
    ) throws -> [Row] {
        var all: [Row] = []
        try step(compiled(sql), repeat each values) { row in
            all.append(try read(row))
            return true
        }
        return all
    }

    /// Reads rows until the reader has enough.
    ///
    /// - Parameter read: takes what it needs of one row and tells whether it wants another. It must not run the same statement again.
    func forEach<each Value: SQLValue>(
        _ sql: String, _ values: repeat each Value, read: (StoredRow) throws -> Bool
    ) throws {
        try step(compiled(sql), repeat each values, read: read)
    }

    /// Reads a row, then the one that it leads to, and so on.
    ///
    /// - Parameters:
    ///   - key: the statement's only value, for the first row.
    ///   - read: takes what it needs of one row, which may be missing, and tells the next key. It must not run the same statement again.
    func follow(_ sql: String, from key: Int64, read: (StoredRow?) throws -> Int64?) throws {
        let compiled = try compiled(sql)
        var next: Int64? = key
        while let key = next {
            next = nil
            var isThere = false
            try step(compiled, key) { row in
                isThere = true
                next = try read(row)
                return false
            }
            if !isThere { next = try read(nil) }
        }
    }

    private func step<each Value: SQLValue>(
        _ compiled: Statement, _ values: repeat each Value, read: (StoredRow) throws -> Bool
    ) throws {
        try withExtendedLifetime(compiled) {
            let statement = compiled.sqliteStatement
            defer {
                sqlite3_reset(statement)
                sqlite3_clear_bindings(statement)
            }
            var index: Int32 = 0
            for value in repeat each values {
                index += 1
                let code = value.bind(to: statement, at: index)
                guard code == SQLITE_OK else { throw failure(code, compiled.sql) }
            }
            errno = 0
            while true {
                switch sqlite3_step(statement) {
                case SQLITE_DONE: return
                case SQLITE_ROW: guard try read(StoredRow(statement: statement)) else { return }
                case let code: throw failure(code, compiled.sql)
                }
            }
        }
    }

    /// - Important: To be called at once, while `errno` still tells what the system has said last.
    private func failure(_ code: Int32, _ sql: String) -> DatabaseError {
        let result: ResultCode = Self.isForWantOfSpace(code, because: errno) ? .SQLITE_FULL : ResultCode(rawValue: code)
        return DatabaseError(resultCode: result, message: database.sqliteConnection.map { String(cString: sqlite3_errmsg($0)) }, sql: sql)
    }

    /// Whether there was no room for what was to be written. SQLite says so of plain writes to a disk that is full, and calls all else an
    /// error of the disk: quotas and limits of the file's size, the memory that is shared beside the file, syncs that come too late. Of a
    /// `COMMIT` it does not keep the cause either (`sqlite3_system_errno`).
    private static func isForWantOfSpace(_ code: Int32, because cause: Int32) -> Bool {
        [SQLITE_IOERR, SQLITE_CANTOPEN].contains(code & 0xFF) && [ENOSPC, EDQUOT, EFBIG].contains(cause)
    }
}
