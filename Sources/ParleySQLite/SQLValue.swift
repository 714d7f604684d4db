import GRDBSQLite
import ParleyCore

/// What a column can hold.
///
/// Texts are bound and read with their length, because GRDB's own conversion ends at the first NUL, which JSON allows in any string: one
/// user's id would then be another's.
protocol SQLValue {
    /// Binds the value to a parameter, counted from 1.
    ///
    /// - Returns: SQLite's result code.
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32

    /// Reads a column, counted from 0, of the row at which a statement stands; only an optional is asked to read a null.
    init(readingColumn index: Int32, of statement: OpaquePointer)
}

/// `nil` is the null of SQL.
extension Optional: SQLValue where Wrapped: SQLValue {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        // What is not bound is null, and what is nil need not be asked for in the statement.
        self?.bind(to: statement, at: index) ?? SQLITE_OK
    }

    init(readingColumn index: Int32, of statement: OpaquePointer) {
        self = sqlite3_column_type(statement, index) == SQLITE_NULL ? nil : Wrapped(readingColumn: index, of: statement)
    }
}

extension Int64: SQLValue {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        sqlite3_bind_int64(statement, index, self)
    }

    init(readingColumn index: Int32, of statement: OpaquePointer) {
        self = sqlite3_column_int64(statement, index)
    }
}

extension Int: SQLValue {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        Int64(self).bind(to: statement, at: index)
    }

    init(readingColumn index: Int32, of statement: OpaquePointer) {
        self.init(Int64(readingColumn: index, of: statement))
    }
}

extension Bool: SQLValue {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        Int64(self ? 1 : 0).bind(to: statement, at: index)
    }

    init(readingColumn index: Int32, of statement: OpaquePointer) {
        self = Int64(readingColumn: index, of: statement) != 0
    }
}

extension Double: SQLValue {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        sqlite3_bind_double(statement, index, self)
    }

    init(readingColumn index: Int32, of statement: OpaquePointer) {
        self = sqlite3_column_double(statement, index)
    }
}

extension Timestamp: SQLValue {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        milliseconds.bind(to: statement, at: index)
    }

    init(readingColumn index: Int32, of statement: OpaquePointer) {
        self.init(milliseconds: Int64(readingColumn: index, of: statement))
    }
}

/// Tells SQLite to copy what is bound before the call returns (`SQLITE_TRANSIENT`, a cast that Swift cannot import).
private let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

extension String: SQLValue {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        var text = self
        return text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                // An empty buffer has no address, and SQLite takes a missing address for a null.
                guard let start = characters.baseAddress else { return sqlite3_bind_text(statement, index, "", 0, copied) }
                return sqlite3_bind_text64(statement, index, start, UInt64(characters.count), copied, UInt8(SQLITE_UTF8))
            }
        }
    }

    init(readingColumn index: Int32, of statement: OpaquePointer) {
        // The text first, the length after: the order in which SQLite keeps both valid (sqlite3_column_blob, its documentation).
        let start = sqlite3_column_text(statement, index)
        let count = Int(sqlite3_column_bytes(statement, index))
        self.init(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }
}

extension [UInt8]: SQLValue {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return sqlite3_bind_zeroblob(statement, index, 0) }
            return sqlite3_bind_blob64(statement, index, start, UInt64(bytes.count), copied)
        }
    }

    /// Reads a blob, or the bytes of a text.
    init(readingColumn index: Int32, of statement: OpaquePointer) {
        let start = sqlite3_column_blob(statement, index)
        let count = Int(sqlite3_column_bytes(statement, index))
        self.init(UnsafeRawBufferPointer(start: start, count: count))
    }
}
