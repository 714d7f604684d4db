import GRDB
import ParleyCore

/// What clients call requests that make something, so that they may send them again.
extension StoreTransaction {
    /// What a request makes.
    enum RequestKind: String {
        case conversation, bot
        /// Conversations that are made of another one, or of a file.
        case fork
        case `import`
        /// A message with which a conversation is made; others are found by their conversation.
        case message
    }

    /// How long a request is remembered, in milliseconds: twice the day that is promised.
    static let rememberedMilliseconds: Int64 = 172_800_000

    /// What the same request has made before.
    ///
    /// - Returns: the id of what it made; nil when it is new.
    /// - Throws: `idempotencyConflict`.
    func result(of request: ClientRequest, _ kind: RequestKind, by person: Int64) throws -> String? {
        let found: (id: String, hash: [UInt8])? = try db.first(
            "SELECT result_id, content_hash FROM idempotency_keys WHERE person = ? AND kind = ? AND client_id = ?", person,
            kind.rawValue, request.id
        ) { ($0[0], $0[1]) }
        guard let found else { return nil }
        guard found.hash == request.contentHash else { throw Failure.idempotencyConflict }
        return found.id
    }

    /// Remembers what a request has made.
    func remember(_ request: ClientRequest, _ kind: RequestKind, of person: Int64, result: String, at now: Timestamp) throws {
        try db.run(
            "INSERT INTO idempotency_keys (person, kind, client_id, content_hash, result_id, created_at) VALUES (?, ?, ?, ?, ?, ?)",
            person, kind.rawValue, request.id, request.contentHash, result, now)
    }

    /// Forgets what was made long ago.
    func forgetOldRequests(at now: Timestamp) throws {
        try db.run("DELETE FROM idempotency_keys WHERE created_at < ?", now.advanced(byMilliseconds: -Self.rememberedMilliseconds))
    }
}
