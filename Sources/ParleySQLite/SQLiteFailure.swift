import GRDB
import ParleyCore

/// Translates what the database library throws into the domain's words: the only place where its errors are known by number.
enum SQLiteFailure {
    /// The failure that an error inside a transaction means to the caller.
    static func failure(for error: any Error) -> Failure {
        switch error {
        case let failure as Failure:
            failure
        case let error as DatabaseError:
            failure(for: error)
        case let error as SystemError:
            Failure(.storeUnavailable, unavailable, underlying: error.description)
        default:
            Failure(.internalError, "The store failed.", underlying: String(describing: error))
        }
    }

    private static let unavailable = "The store cannot be used at the moment."

    private static func failure(for error: DatabaseError) -> Failure {
        switch error.resultCode {
        case .SQLITE_FULL:
            Failure(.storeFull, "There is no space left to store anything.", underlying: error.description)
        // What another program, the disk or the machine is to blame for, and not a mistake in what we ask.
        case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_PROTOCOL, .SQLITE_IOERR, .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM,
            .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_NOMEM, .SQLITE_INTERRUPT, .SQLITE_NOLFS:
            Failure(.storeUnavailable, unavailable, underlying: error.description)
        default:
            Failure(.internalError, "The store failed.", underlying: error.description)
        }
    }

    /// What an error means to whoever wants to open a database.
    ///
    /// - Parameter path: the database, named in the sentence.
    static func openFailure(for error: any Error, path: String) -> StoreOpenFailure {
        switch error {
        case let failure as StoreOpenFailure:
            failure
        case let error as DatabaseError:
            switch error.resultCode {
            case .SQLITE_NOTADB:
                StoreOpenFailure(.notADatabase, "\(path) is not a database.")
            case .SQLITE_CORRUPT:
                StoreOpenFailure(.corrupt, "\(path) is damaged; restore it from a backup.")
            case .SQLITE_BUSY, .SQLITE_LOCKED:
                StoreOpenFailure(.locked, "\(path) is locked by another program.")
            case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
                StoreOpenFailure(.readOnly, "\(path) cannot be written to.")
            case .SQLITE_CANTOPEN:
                StoreOpenFailure(.cannotCreate, "\(path) cannot be opened or made.")
            default:
                StoreOpenFailure(.other, "\(path) cannot be opened: \(error.message ?? "unknown error").")
            }
        case let failure as Failure:
            StoreOpenFailure(.other, "\(path) cannot be opened: \(failure.underlying ?? failure.message)")
        default:
            StoreOpenFailure(.other, "\(path) cannot be opened: \(error).")
        }
    }

    /// What an error means to whoever wants to copy a database.
    ///
    /// - Parameters:
    ///   - path: the database, named in the sentence.
    ///   - target: where the copy was to be made, named in the sentence.
    static func copyFailure(for error: any Error, path: String, target: String) -> StoreOpenFailure {
        switch error {
        case let error as DatabaseError where error.resultCode == .SQLITE_FULL:
            StoreOpenFailure(.other, "There is no space left for a copy of \(path) at \(target).")
        case let error as DatabaseError where error.resultCode == .SQLITE_IOERR || error.resultCode == .SQLITE_CANTOPEN:
            StoreOpenFailure(.other, "\(path) cannot be copied to \(target): \(error.message ?? "unknown error").")
        case let error as SystemError:
            StoreOpenFailure(.cannotCreate, "\(target) cannot be made: \(error).")
        default:
            openFailure(for: error, path: path)
        }
    }

    /// A value in the database that this program cannot have written.
    ///
    /// - Parameter what: names the column and what is wrong with it, never its content.
    static func unreadable(_ what: String) -> Failure {
        Failure(.internalError, "The store holds something that cannot be read.", underlying: what)
    }

    /// What callers get who come after `close`.
    static let closed = Failure(.storeUnavailable, "The store is closed.")
}
