import GRDB
import ParleyCore

/// How a person leaves for good.
extension StoreTransaction {
    /// Deletes a person with all that belongs to it. The counters of the ledger stay, under a number that means nobody any more.
    ///
    /// - Throws: `authRequired`, `conversationBusy`.
    func deletePerson(_ caller: Caller, at now: Timestamp) throws {
        guard let person = try person(caller) else { return }
        let running: [TurnRow] = try runningTurns(inConversationsOf: person)
        for turn in running {
            guard let host = turn.host, try !surroundings.isAlive(host) else { throw Failure.conversationBusy(turnID: turn.value.id) }
            _ = try recover(turn, at: now)
        }
        try leaveQueue(whereConversation: "c.owner", person, at: now)
        // Everything else hangs on this row, tombstones of claimed people included.
        try db.run("DELETE FROM people WHERE key = ?", person)
        try Erasure.setPending(in: db, since: now)
    }
}
