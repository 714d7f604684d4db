import GRDB
import ParleyCore

/// How an anonymous person's belongings become a user's.
extension StoreTransaction {
    /// Moves conversations and bots to a user and makes the anonymous person a tombstone, whose token works no more.
    ///
    /// What the person has used up stays with the tombstone, and so does what a running turn holds.
    ///
    /// - Parameter isConfirmed: false only counts.
    /// - Throws: `authRequired` for a token that is unknown, or claimed by somebody else.
    func claim(_ hash: AnonymousToken.Hash, isConfirmed: Bool, at now: Timestamp, for caller: Caller) throws -> AnonymousClaim {
        guard let holder = try tokenHolder(hash) else { throw unknownToken }
        if let claim = holder.claim {
            guard try person(caller) == claim.user else { throw unknownToken }
            return claim.result
        }
        let claim = AnonymousClaim(
            isConfirmed: isConfirmed, conversations: try count("conversations", of: holder.key), bots: try count("bots", of: holder.key))
        guard isConfirmed else { return claim }
        let user = try personForWriting(caller, at: now)
        try buryEntries(ofPerson: holder.key)
        try db.run("UPDATE conversations SET owner = ?, used_at = ?, unindexed = 1 WHERE owner = ?", user, timeOfUse(at: now), holder.key)
        for var bot in try botRows(of: holder.key) {
            if let name = try freeName(like: bot.value.name, owner: user) {
                bot.value.name = name
                bot.value.revision += 1
                bot.value.updatedAt = now
            }
            try move(bot, to: user)
        }
        try db.run(
            "UPDATE people SET claimed_by = ?, claimed_at = ?, claimed_conversations = ?, claimed_bots = ? WHERE key = ?", user, now,
            claim.conversations, claim.bots, holder.key)
        return claim
    }

    private func count(_ table: String, of person: Int64) throws -> Int {
        try db.first("SELECT count(*) FROM \(table) WHERE owner = ?", person) { $0[0] } ?? 0
    }

    /// A name that none of a person's bots has.
    ///
    /// - Returns: nil when the name itself is free.
    private func freeName(like name: String, owner: Int64) throws -> String? {
        guard try isNameTaken(name, owner: owner) else { return nil }
        var number = 2
        while true {
            let suffix = " (\(number))"
            let candidate = String(name.prefix(Limits.maxNameCharacters - suffix.count)) + suffix
            if try !isNameTaken(candidate, owner: owner) { return candidate }
            number += 1
        }
    }
}
