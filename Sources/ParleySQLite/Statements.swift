import GRDB
import GRDBSQLite
import Glibc

/// The row at which a statement stands; gone when the closure that was given it returns.
struct StoredRow {
    fileprivate let statement: OpaquePointer

    /// A column, counted from 0, that is never null.
    subscript<Value: SQLValue>(index: Int32) -> Value {
        Value(readingColumn: index, of: statement)
    }

    /// A column, counted from 0, that may be null.
    subscript<Value: SQLValue>(index: Int32) -> Value? {
        sqlite3_column_type(statement, index) == SQLITE_NULL ? nil : Value(readingColumn: index, of: statement)
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
    func run(_ sql: String, _ values: (any SQLValue)?...) throws -> Int {
        try step(sql, values) { _ in true }
        return database.changesCount
    }

    /// Reads the first row, nil when there is none.
    ///
    /// - Parameter read: takes what it needs of the row.
    func first<Value>(_ sql: String, _ values: (any SQLValue)?..., read: (StoredRow) throws -> Value) throws -> Value? {
        var value: Value?
        try step(sql, values) { row in
            value = try read(row)
            return false
        }
        return value
    }

    /// Reads all rows.
    ///
    /// - Parameter read: takes what it needs of one row. It must not run the same statement again.
    func all<Value>(_ sql: String, _ values: (any SQLValue)?..., read: (StoredRow) throws -> Value) throws -> [Value] {
        var all: [Value] = []
        try step(sql, values) { row in
            all.append(try read(row))
            return true
        }
        return all
    }

    /// Reads rows until the reader has enough.
    ///
    /// - Parameter read: takes what it needs of one row and tells whether it wants another. It must not run the same statement again.
    func forEach(_ sql: String, _ values: (any SQLValue)?..., read: (StoredRow) throws -> Bool) throws {
        try step(sql, values, read)
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
            try step(compiled, [key]) { row in
                isThere = true
                next = try read(row)
                return false
            }
            if !isThere { next = try read(nil) }
        }
    }

    private func step(_ sql: String, _ values: [(any SQLValue)?], _ read: (StoredRow) throws -> Bool) throws {
        try step(compiled(sql), values, read)
    }

    private func step(_ compiled: Statement, _ values: [(any SQLValue)?], _ read: (StoredRow) throws -> Bool) throws {
        try withExtendedLifetime(compiled) {
            let statement = compiled.sqliteStatement
            defer {
                sqlite3_reset(statement)
                sqlite3_clear_bindings(statement)
            }
            for index in values.indices {
                guard let value = values[index] else { continue }
                let code = value.bind(to: statement, at: Int32(index + 1))
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
