import GRDB
import ParleyCore

/// People in the database: whoever a caller turns out to be, as the key of a row.
extension StoreTransaction {
    /// Finds the caller.
    ///
    /// - Returns: nil for somebody who was never seen and so owns nothing.
    /// - Throws: `authRequired` for an anonymous token that is unknown or dead.
    func person(_ caller: Caller) throws -> Int64? {
        switch caller {
        case .user(let id):
            try db.first("SELECT key FROM people WHERE kind = 'user' AND external_id = ?", id) { $0[0] }
        case .anonymous(let hash):
            try anonymousPerson(hash)
        case .newAnonymous:
            nil
        }
    }

    /// Finds the caller, or makes the person.
    ///
    /// - Throws: `authRequired` for an anonymous token that is unknown or dead.
    func personForWriting(_ caller: Caller, at now: Timestamp) throws -> Int64 {
        if let known = try person(caller) { return known }
        switch caller {
        case .user(let id):
            try db.run("INSERT INTO people (kind, external_id, created_at) VALUES ('user', ?, ?)", id, now)
        case .newAnonymous(let new):
            try insert(new)
        case .anonymous:
            throw unknownToken
        }
        return db.lastInsertedRowID
    }

    /// Makes an anonymous person.
    func insert(_ new: NewAnonymousUser) throws {
        try db.run(
            "INSERT INTO people (kind, external_id, token_lookup, token_hash, created_at) VALUES ('anonymous', ?, ?, ?, ?)",
            new.id, new.tokenHash.lookupKey, new.tokenHash.bytes, new.createdAt)
    }

    private func anonymousPerson(_ hash: AnonymousToken.Hash) throws -> Int64 {
        var found: Int64?
        try db.forEach(
            "SELECT key, token_hash FROM people WHERE token_lookup = ? AND claimed_by IS NULL", hash.lookupKey
        ) { row in
            if hash.matches(AnonymousToken.Hash(bytes: row[1])) { found = row[0] }
            return found == nil
        }
        guard let found else { throw unknownToken }
        return found
    }

    private var unknownToken: Failure {
        Failure(.authRequired, "The anonymous token is not known.")
    }
}
