import GRDB
import ParleyCore

/// Turns that wait in a conversation until they can begin.
extension StoreTransaction {
    // MARK: Waiting

    /// Stores a turn that waits, with what it holds.
    ///
    /// - Parameters:
    ///   - person: whom the turn is admitted for.
    ///   - isLocal: whether its message is a command.
    /// - Returns: its place among those that wait in the conversation, and the running turn that is asked to end for it.
    /// - Throws: `queueFull`.
    func enqueue(
        _ new: NewTurn, turn: Int64, in conversation: ConversationRow
    ) throws -> (position: Int, interrupted: String?) {
        let rank = new.onBusy == .interrupt ? 0 : 1
        let waiting: (all: Int, ahead: Int) =
            try db.first("SELECT count(*), coalesce(sum(rank <= ?), 0) FROM queued_turns WHERE conversation = ?", rank, conversation.key) {
                ($0[0], $0[1])
            } ?? (0, 0)
        guard waiting.all < new.maximumQueued else { throw Failure.queueFull(limit: new.maximumQueued) }
        try db.run(
            "INSERT INTO queued_turns (conversation, rank, turn, title, model, max_output_tokens, parts) VALUES (?, ?, ?, ?, ?, ?, ?)",
            conversation.key, rank, turn, new.title, new.options.model, new.options.maxOutputTokens, StoredJSON.text(of: new.content))
        try noteUse(ofConversation: conversation.key, at: new.now)
        let active = conversation.value.activeTurnID
        if new.onBusy == .interrupt, let active { try requestCancel(ofTurn: self.turn(active).key, at: new.now) }
        return (waiting.ahead + 1, new.onBusy == .interrupt ? active : nil)
    }

    /// The first turn that waits in a conversation, nil when none does.
    func firstQueuedTurn(in conversation: Int64) throws -> String? {
        try db.first(
            "SELECT t.id FROM queued_turns q JOIN turns t ON t.key = q.turn WHERE q.conversation = ? ORDER BY q.rank, q.turn LIMIT 1",
            conversation
        ) { $0[0] }
    }

    /// Whether a person may have one more turn in flight.
    func hasLease(_ person: Int64, _ kind: PersonKind, isLocal: Bool) throws -> Bool {
        guard let key = QuotaKey.inFlight(of: kind), let rule = surroundings.quotas[key] else { return true }
        return try isLocal ? runningCommands(of: person) < rule.limit : hasRoomInFlight(person, limit: rule.limit)
    }

    // MARK: Beginning

    /// Begins the turns that can begin, and tells what has become of those that wait no more.
    func advanceQueue(waiting: [String], deadline: Timestamp, at now: Timestamp) throws -> [(id: String, step: QueueStep)] {
        if try isAnyHostGone() { _ = try recoverTurns(at: now) }
        var steps: [(id: String, step: QueueStep)] = []
        for id in waiting {
            guard let turn = try turnIfAny(id) else {
                steps.append((id, .deleted))
                continue
            }
            if turn.value.status.isTerminal { steps.append((id, .ended(try result(of: turn)))) }
        }
        // A turn that begins may take the place in flight that the next one was to have.
        for id in try firstQueuedTurns() {
            let turn = try turn(id)
            if try canBegin(turn, waiting: waiting) { steps.append((id, .begun(try begin(turn, deadline: deadline, at: now)))) }
        }
        return steps
    }

    /// Whether `advanceQueue` would do or tell anything; writes nothing.
    func mayAdvanceQueue(waiting: [String]) throws -> Bool {
        if try isAnyHostGone() { return true }
        for id in waiting {
            let isWaiting: Bool = try db.first("SELECT status = 'queued' FROM turns WHERE id = ?", id) { $0[0] } ?? false
            if !isWaiting { return true }
        }
        return try firstQueuedTurns().contains { try canBegin(turn($0), waiting: waiting) }
    }

    /// The first of those that wait in each conversation where no turn runs, in the order in which they were accepted.
    private func firstQueuedTurns() throws -> [String] {
        try db.all(
            """
            SELECT t.id FROM queued_turns q JOIN turns t ON t.key = q.turn
            WHERE NOT EXISTS (SELECT 1 FROM turns WHERE conversation = q.conversation AND status = 'inProgress')
                AND NOT EXISTS (
                    SELECT 1 FROM queued_turns e WHERE e.conversation = q.conversation AND (e.rank, e.turn) < (q.rank, q.turn)
                )
            ORDER BY q.turn
            """
        ) { $0[0] }
    }

    /// Whether a turn that is the first to wait is this host's to begin, or a dead host's, and its person has not too many in flight.
    ///
    /// One of this host's that was accepted a moment ago may not be among those that its requests wait with yet. It must not begin before, or
    /// it would run as if nobody were there to be told of it; its request looks again as soon as it waits.
    private func canBegin(_ turn: TurnRow, waiting: [String]) throws -> Bool {
        let isReady =
            if turn.host == surroundings.host {
                waiting.contains(turn.value.id)
            } else {
                try turn.host.map { try !surroundings.isAlive($0) } ?? true
            }
        guard isReady else { return false }
        // The person is gone only if it was erased, with its conversations, or claimed, and then it is still known.
        guard let kind = try kind(ofPerson: turn.person) else { return true }
        return try hasLease(turn.person, kind, isLocal: turn.value.isLocal)
    }

    private func begin(_ turn: TurnRow, deadline: Timestamp, at now: Timestamp) throws -> BegunTurn {
        let queued: (parts: [UInt8], title: String, options: TurnOptions)? = try db.first(
            "SELECT parts, title, model, max_output_tokens FROM queued_turns WHERE turn = ?", turn.key
        ) { ($0[0], $0[1], TurnOptions(model: $0[2], maxOutputTokens: $0[3])) }
        guard let queued else { throw SQLiteFailure.unreadable("queued_turns.turn") }
        try db.run("DELETE FROM queued_turns WHERE turn = ?", turn.key)
        try db.run(
            "UPDATE turns SET status = 'inProgress', host = ?, started_at = ?, deadline = ? WHERE key = ?", surroundings.host, now,
            deadline,
            turn.key)
        let conversation = try self.conversation(turn.value.conversationID, of: turn.owner)
        let next: Bool =
            try db.first(
                "SELECT count(*) > 0 FROM queued_turns WHERE conversation = ? AND rank = 0", conversation.key
            ) { $0[0] } ?? false
        var value = turn.value
        value.status = .inProgress
        let admitted = try begin(
            value, at: .afterHead, saying: try StoredJSON.parts(queued.parts), titled: queued.title, options: queued.options,
            in: conversation,
            with: conversation.bot.flatMap { try bot(key: $0) }, at: now)
        return BegunTurn(admitted: admitted, caller: try caller(turn.owner), isInterrupted: next)
    }

    /// Whom a turn acts for that a person's conversation goes on with.
    private func caller(_ person: Int64) throws -> Caller {
        let found: (kind: String, id: String, token: [UInt8]?)? = try db.first(
            "SELECT kind, external_id, token_hash FROM people WHERE key = ?", person
        ) { ($0[0], $0[1], $0[2]) }
        switch (found.flatMap { PersonKind(rawValue: $0.kind) }, found?.token) {
        case (.user, _): return .user(id: found?.id ?? "")
        case (.operator, _): return .operator
        case (.anonymous, let token?): return .anonymous(AnonymousToken.Hash(bytes: token))
        default: throw SQLiteFailure.unreadable("people.kind")
        }
    }

    // MARK: Leaving

    /// Cancels a turn that waits: it gives back what it holds, and its message never joins the conversation.
    ///
    /// - Returns: the turn as it now stands.
    func leaveQueue(_ turn: TurnRow, at now: Timestamp) throws -> TurnRow {
        guard turn.value.status == .queued else { return turn }
        try db.run("DELETE FROM queued_turns WHERE turn = ?", turn.key)
        let receipt = try settle(turn, Settlement(.modelNotCalled), at: now)
        try db.run(
            "UPDATE turns SET status = 'cancelled', stop_reason = 'cancelled', completed_at = ?, receipt = ?, last_sequence = ? WHERE key = ?",
            now, receipt.map(StoredJSON.text), QueuedTurn.eventsBefore + 1, turn.key)
        return try self.turn(turn.value.id)
    }

    /// Cancels all turns that wait in conversations about to be deleted.
    ///
    /// - Parameter condition: which, of the conversation `c`.
    func leaveQueue(whereConversation condition: String, _ value: Int64, at now: Timestamp) throws {
        let ids: [String] = try db.all(
            "SELECT t.id FROM queued_turns q JOIN turns t ON t.key = q.turn JOIN conversations c ON c.key = q.conversation WHERE \(condition) = ?",
            value
        ) { $0[0] }
        for id in ids { _ = try leaveQueue(turn(id), at: now) }
    }
}
