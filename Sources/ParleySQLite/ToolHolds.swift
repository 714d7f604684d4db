import GRDB
import ParleyCore

/// The part of the ledger that counts calls of tools.
extension StoreTransaction {
    /// Takes a call of a tool from whoever the turn was admitted for.
    ///
    /// - Throws: `quotaExceeded`.
    func holdToolCall(_ id: String, of turn: TurnRow, named name: String) throws {
        guard try kind(ofPerson: turn.person) == .anonymous else { return }
        let party = QuotaParty(person: turn.person)
        let key = QuotaKey.anonymousTool(name)
        // A lifetime needs no clock.
        try requireRoom([key], of: party, at: 0, wall: turn.value.createdAt)
        try take(key, of: party, at: 0)
        try db.run("INSERT INTO tool_holds (turn, call, person, name) VALUES (?, ?, ?, ?)", turn.key, id, turn.person, name)
    }

    /// Charges a call, or gives it back.
    func settleToolCall(_ id: String, ofTurn turn: Int64, succeeded: Bool) throws {
        let hold: (person: Int64, name: String)? = try db.first(
            "SELECT person, name FROM tool_holds WHERE turn = ? AND call = ?", turn, id
        ) { ($0[0], $0[1]) }
        guard let hold else { return }
        try db.run("DELETE FROM tool_holds WHERE turn = ? AND call = ?", turn, id)
        if !succeeded { try subtractFromTotal(Counter(name: QuotaKey.anonymousTool(hold.name).name, subject: String(hold.person))) }
    }

    /// Gives back the calls of a turn that have no outcome.
    func releaseToolCalls(ofTurn turn: Int64) throws {
        let calls: [String] = try db.all("SELECT call FROM tool_holds WHERE turn = ?", turn) { $0[0] }
        for call in calls { try settleToolCall(call, ofTurn: turn, succeeded: false) }
    }
}
