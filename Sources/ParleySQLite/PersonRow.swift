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
        case .operator:
            try db.first("SELECT key FROM people WHERE kind = 'operator'") { $0[0] }
        }
    }

    /// Finds the caller, or makes the person.
    ///
    /// - Throws: `authRequired` for an anonymous token that is unknown or dead; `quotaExceeded` (`address.anonymousUsers`).
    func personForWriting(_ caller: Caller, at now: Timestamp) throws -> Int64 {
        if let known = try person(caller) { return known }
        switch caller {
        case .user(let id):
            try db.run("INSERT INTO people (kind, external_id, created_at) VALUES ('user', ?, ?)", id, now)
        case .newAnonymous(let new):
            return try insert(new)
        case .anonymous:
            throw unknownToken
        case .operator:
            try db.run("INSERT INTO people (kind, external_id, created_at) VALUES ('operator', 'operator', ?)", now)
            return db.lastInsertedRowID
        }
        return db.lastInsertedRowID
    }

    /// Makes an anonymous person, if not too many come from its address.
    ///
    /// - Returns: its key.
    /// - Throws: `quotaExceeded` (`address.anonymousUsers`).
    @discardableResult
    func insert(_ new: NewAnonymousUser) throws -> Int64 {
        if new.address != nil {
            let party = QuotaParty(address: new.address)
            let time = try surroundings.clock.now(wall: new.createdAt, in: db)
            try requireRoom([.addressAnonymousUsers], of: party, at: time, wall: new.createdAt)
            try take(.addressAnonymousUsers, of: party, at: time)
            try surroundings.clock.advance(to: time, in: db)
        }
        try db.run(
            "INSERT INTO people (kind, external_id, token_lookup, token_hash, created_at) VALUES ('anonymous', ?, ?, ?, ?)",
            new.id, new.tokenHash.lookupKey, new.tokenHash.bytes, new.createdAt)
        return db.lastInsertedRowID
    }

    /// The key of an anonymous person who is not claimed, by the id that clients know.
    ///
    /// - Throws: `notFound` (anonymousUser).
    func anonymousPerson(id: String) throws -> Int64 {
        let found: Int64? = try db.first(
            "SELECT key FROM people WHERE kind = 'anonymous' AND external_id = ? AND claimed_by IS NULL", id
        ) { $0[0] }
        guard let found else { throw Failure.notFound(.anonymousUser, id) }
        return found
    }

    private func anonymousPerson(_ hash: AnonymousToken.Hash) throws -> Int64 {
        guard let holder = try tokenHolder(hash), holder.claim == nil else { throw unknownToken }
        return holder.key
    }

    /// Who was once given a token.
    struct TokenHolder {
        let key: Int64
        /// Which user has claimed what the person had, and how much it was.
        let claim: (user: Int64, result: AnonymousClaim)?
    }

    /// Finds who was once given a token, also when it works no more.
    func tokenHolder(_ hash: AnonymousToken.Hash) throws -> TokenHolder? {
        var found: TokenHolder?
        try db.forEach(
            "SELECT token_hash, key, claimed_by, claimed_conversations, claimed_bots FROM people WHERE token_lookup = ?", hash.lookupKey
        ) { row in
            guard hash.matches(AnonymousToken.Hash(bytes: row[0])) else { return true }
            let user: Int64? = row[2]
            found = TokenHolder(
                key: row[1],
                claim: user.map { ($0, AnonymousClaim(isConfirmed: true, conversations: row[3] ?? 0, bots: row[4] ?? 0)) })
            return false
        }
        return found
    }

    /// The failure for a token that nobody was given, or that works no more.
    var unknownToken: Failure {
        Failure(.authRequired, "The anonymous token is not known.")
    }

    /// What sort of person a key means; nil for nobody any more.
    func kind(ofPerson person: Int64) throws -> PersonKind? {
        try db.first("SELECT kind FROM people WHERE key = ?", person) { (row) -> String in row[0] }.flatMap(PersonKind.init)
    }
}
