import GRDB
import ParleyCore

/// A turn as it stands in the database.
struct TurnRow {
    /// The epoch of a turn that its host took at admission and nobody took away since.
    static let firstEpoch: Int64 = 1

    let key: Int64
    /// The conversation's key.
    let conversation: Int64
    /// The key of the conversation's owner.
    let owner: Int64
    /// The key of whom the turn was admitted for.
    let person: Int64
    let host: Int64?
    let epoch: Int64
    /// The number of the last event that is stored.
    let lastSequence: Int
    var value: Turn

    private static let selection = """
        SELECT t.key, t.conversation, c.owner, t.host, t.epoch, t.id, c.id, t.status, t.stop_reason, t.error, t.user_message_id,
            t.assistant_message_id, t.usage, t.created_at, t.completed_at, t.receipt, t.context, t.local, t.person, t.last_sequence
        FROM turns t JOIN conversations c ON c.key = t.conversation
        """
    fileprivate static let byID = selection + " WHERE t.id = ?"
    fileprivate static let byHost = selection + " WHERE t.status = 'inProgress' AND t.host = ?"
    fileprivate static let runningByOwner = selection + " WHERE t.status = 'inProgress' AND c.owner = ?"

    fileprivate init(_ row: StoredRow) throws {
        guard let status = Turn.Status(rawValue: row[7]) else { throw SQLiteFailure.unreadable("turns.status") }
        let stopReason: String? = row[8]
        let error: [UInt8]? = row[9]
        let usage: [UInt8]? = row[12]
        let receipt: [UInt8]? = row[15]
        let context: [UInt8]? = row[16]
        key = row[0]
        conversation = row[1]
        owner = row[2]
        host = row[3]
        epoch = row[4]
        person = row[18]
        lastSequence = row[19]
        value = Turn(
            id: row[5], conversationID: row[6], isLocal: row[17], status: status,
            stopReason: try stopReason.map { name in
                guard let reason = Turn.StopReason(rawValue: name) else { throw SQLiteFailure.unreadable("turns.stop_reason") }
                return reason
            },
            error: try error.map(StoredJSON.error), userMessageID: row[10], messageID: row[11],
            usage: try usage.map { try StoredJSON.usage($0, column: "turns.usage") },
            context: try context.map(StoredJSON.omissions), quota: try receipt.map(StoredJSON.receipt), createdAt: row[13],
            completedAt: row[14])
    }
}

extension StoreTransaction {
    /// Finds a turn.
    ///
    /// - Throws: `notFound`.
    func turn(_ id: String) throws -> TurnRow {
        guard let found = try turnIfAny(id) else { throw Failure.notFound(.turn, id) }
        return found
    }

    /// Finds a turn, nil when there is none.
    func turnIfAny(_ id: String) throws -> TurnRow? {
        try db.first(TurnRow.byID, id, read: TurnRow.init)
    }

    /// Finds a turn in a person's conversations.
    ///
    /// - Throws: `notFound`, also for what is somebody else's.
    func turn(_ id: String, of person: Int64?) throws -> TurnRow {
        let found = try turn(id)
        guard found.owner == person else { throw notTheCallers(.turn, id) }
        return found
    }

    /// The running turns of a host.
    func runningTurns(ofHost host: Int64) throws -> [TurnRow] {
        try db.all(TurnRow.byHost, host, read: TurnRow.init)
    }

    /// The running turns in a person's conversations.
    func runningTurns(inConversationsOf person: Int64) throws -> [TurnRow] {
        try db.all(TurnRow.runningByOwner, person, read: TurnRow.init)
    }

    /// A turn with the assistant's message.
    func result(of turn: TurnRow) throws -> TurnResult {
        TurnResult(turn: turn.value, message: try answer(of: turn))
    }

    /// Whether this host may write to a turn: it runs it, and nobody took it away.
    func isOurs(_ turn: TurnRow) -> Bool {
        turn.value.status == .inProgress && turn.host == surroundings.host && turn.epoch == TurnRow.firstEpoch
    }

    /// Stores a turn that this host runs from now on, or begins once it can.
    ///
    /// - Parameter messageID: the user's message that it answers.
    /// - Returns: its key.
    func insert(
        _ new: NewTurn, answering messageID: String, isLocal: Bool, waits: Bool, conversation: Int64, person: Int64
    ) throws -> Int64 {
        try db.run(
            """
            INSERT INTO turns (id, conversation, person, host, epoch, status, user_message_id, deadline, created_at, started_at,
                client_message_id, content_hash, local, last_sequence)
            VALUES (?1, ?2, ?3, ?4, ?5, ?12, ?6, ?7, ?8, iif(?13, NULL, ?8), ?9, ?10, ?11, ?14)
            """,
            new.id, conversation, person, surroundings.host, TurnRow.firstEpoch, messageID, new.deadline, new.now, new.request?.id,
            new.request?.contentHash, isLocal, (waits ? Turn.Status.queued : .inProgress).rawValue, waits,
            waits ? QueuedTurn.eventsBefore : 0)
        return db.lastInsertedRowID
    }

    /// Keeps what a turn has said so far, unless more is stored already: a checkpoint may be overtaken on its way by the end of a step.
    func store(_ checkpoint: TurnCheckpoint, of turn: TurnRow) throws {
        guard checkpoint.lastSequence > turn.lastSequence else { return }
        let stored = try store(checkpoint.message, of: turn)
        if stored.isNew || stored.cost != nil {
            try db.run(
                "UPDATE conversations SET message_count = message_count + ?, usage = coalesce(?, usage) WHERE key = ?",
                stored.isNew ? 1 : 0, usage(ofConversation: turn.conversation, with: stored.cost), turn.conversation)
        }
        try db.run(
            "UPDATE turns SET assistant_message_id = ?, last_sequence = ? WHERE key = ?", checkpoint.message.id, checkpoint.lastSequence,
            turn.key)
    }

    /// Ends a turn, settles what it holds and frees its conversation.
    ///
    /// - Returns: the turn as stored. Text that was kept by a checkpoint stays, even if the outcome has none.
    func end(_ turn: TurnRow, _ outcome: TurnOutcome) throws -> TurnResult {
        var ended = turn.value
        ended.status = outcome.status
        ended.stopReason = outcome.stopReason
        ended.error = outcome.error
        ended.usage = outcome.usage
        ended.context = outcome.context
        ended.messageID = outcome.message?.id ?? turn.value.messageID
        ended.completedAt = outcome.completedAt
        ended.quota = try settle(turn, outcome.settlement, at: outcome.completedAt)
        let stored = try outcome.message.map { try store($0, of: turn) }
        try db.run(
            """
            UPDATE turns SET status = ?, stop_reason = ?, error = ?, assistant_message_id = ?, model = ?, usage = ?, last_sequence = ?,
                completed_at = ?, receipt = ?, context = ?
            WHERE key = ?
            """,
            ended.status.rawValue, ended.stopReason?.rawValue, ended.error.map(StoredJSON.text), ended.messageID, outcome.message?.model,
            ended.usage.map(StoredJSON.text), outcome.lastSequence, outcome.completedAt, ended.quota.map(StoredJSON.text),
            ended.context.map(StoredJSON.text), turn.key)
        try free(
            turn.conversation, head: stored?.key ?? keptMessage(of: turn), newMessages: stored?.isNew == true ? 1 : 0, cost: stored?.cost,
            at: outcome.completedAt)
        if let command = outcome.command { try leave(command, in: turn.conversation) }
        return TurnResult(
            turn: ended, message: try outcome.message ?? answer(of: turn),
            conversation: try outcome.returnsConversation ? conversation(turn.value.conversationID, of: turn.owner).value : nil)
    }

    /// Ends a turn whose host is gone, and settles what it holds. What it had said becomes the conversation's head.
    ///
    /// The epoch moves, so that a host which only seemed to be gone can write to it no more. The end is an event like any other, and is
    /// counted.
    ///
    /// - Returns: the turn as it now stands.
    func recover(_ turn: TurnRow, at now: Timestamp) throws -> TurnRow {
        let receipt = try settle(turn, Settlement(.interrupted), at: now)
        try db.run(
            """
            UPDATE turns SET status = 'interrupted', stop_reason = 'interrupted', completed_at = ?, receipt = ?, epoch = epoch + 1,
                last_sequence = last_sequence + 1
            WHERE key = ?
            """,
            now, receipt.map(StoredJSON.text), turn.key)
        try free(turn.conversation, head: keptMessage(of: turn), newMessages: 0, cost: nil, at: now)
        surroundings.logger.notice("a turn was interrupted, because its host runs it no more", metadata: ["turnId": "\(turn.value.id)"])
        return try self.turn(turn.value.id)
    }

    /// Inserts the assistant's message, or updates the one that a checkpoint left.
    ///
    /// - Returns: its key, whether it is one more of its conversation, and what is to be added to what that cost.
    private func store(_ message: Message, of turn: TurnRow) throws -> (key: Int64, isNew: Bool, cost: Usage?) {
        guard message.turnID == turn.value.id, message.conversationID == turn.value.conversationID else {
            throw Failure(.internalError, "A message belongs to another turn than the one that it is stored with.")
        }
        if turn.value.messageID == message.id, let key = try messageKey(message.id, inConversation: turn.conversation) {
            let isUncounted = try update(message, key: key)
            return (key, false, isUncounted ? message.usage : nil)
        }
        let parent = try message.parentID.map { id in
            guard let key = try messageKey(id, inConversation: turn.conversation) else {
                throw Failure(.internalError, "A message follows one that is not in its conversation.")
            }
            return key
        }
        return (try insert(message, conversation: turn.conversation, parent: parent), true, message.usage)
    }

    /// Stores messages that are complete, the last of which becomes the conversation's head.
    func append(_ messages: [Message], to turn: TurnRow, lastSequence: Int) throws {
        var turn = turn
        for message in messages {
            let stored = try store(message, of: turn)
            if message.role == .assistant { turn.value.messageID = message.id }
            try db.run(
                """
                UPDATE conversations SET head = ?, message_count = message_count + ?, usage = coalesce(?, usage), unindexed = 1 WHERE key = ?
                """,
                stored.key, stored.isNew ? 1 : 0, usage(ofConversation: turn.conversation, with: stored.cost), turn.conversation)
        }
        try db.run(
            "UPDATE turns SET assistant_message_id = ?, last_sequence = ? WHERE key = ?", turn.value.messageID, lastSequence, turn.key)
        // A command that comes so far waits for nothing any more, whatever becomes of it.
        if turn.value.isLocal { try leave(CommandOutcome(), in: turn.conversation) }
    }

    /// The key of the message that checkpoints left, if it is to follow the conversation's head.
    private func keptMessage(of turn: TurnRow) throws -> Int64? {
        try turn.value.messageID.flatMap { id in
            try db.first(
                "SELECT m.key FROM messages m JOIN conversations c ON c.key = m.conversation WHERE m.id = ? AND c.key = ? AND m.parent IS c.head",
                id, turn.conversation
            ) { $0[0] }
        }
    }

    /// Keeps what a command has left behind.
    private func leave(_ command: CommandOutcome, in conversation: Int64) throws {
        try db.run(
            "UPDATE conversations SET pending_command = ?, head = iif(?, NULL, head) WHERE key = ?",
            command.pending.map(StoredJSON.text), command.clearsHead, conversation)
    }

    /// Moves a conversation's head, if it moves, and the time of its last change, and adds what a message cost.
    private func free(_ conversation: Int64, head: Int64?, newMessages: Int, cost: Usage?, at now: Timestamp) throws {
        try db.run(
            """
            UPDATE conversations SET head = coalesce(?, head), message_count = message_count + ?, usage = coalesce(?, usage), updated_at = ?,
                used_at = ?, unindexed = 1
            WHERE key = ?
            """,
            head, newMessages, usage(ofConversation: conversation, with: cost), now, timeOfUse(at: now), conversation)
    }
}
