import GRDB
import ParleyCore

/// How a user message is accepted.
extension StoreTransaction {
    /// Stores a user message as the new head with a turn that this host runs, the conversation if it is new, and what the turn holds.
    ///
    /// A turn that may wait and must is stored as such.
    ///
    /// - Throws: `authRequired`, `notFound` (conversation, bot, message), `invalidParams` (path `messageId`), `idempotencyConflict`,
    ///   `conversationBusy`, `queueFull`, `quotaExceeded`, and what `new.approve` throws.
    func admit(_ new: NewTurn, for caller: Caller) throws -> TurnAdmission {
        if let turnID = try turnOfRepeat(new, by: caller) { return .repeated(turnID: turnID) }
        let person: Int64
        var conversation: ConversationRow
        let place: QuestionPlace
        var waits = false
        switch new.target {
        case .existing(let id):
            let known = try self.person(caller)
            conversation = try self.conversation(id, of: known)
            place = try self.place(of: new.beginning, in: conversation)
            if try recoverDead(in: conversation, at: new.now) { conversation = try self.conversation(id, of: known) }
            waits = try mustWait(new, in: conversation)
            person = conversation.owner
        case .new(let newConversation):
            person = try personForWriting(caller, at: new.now)
            try insert(newConversation, owner: person)
            conversation = try self.conversation(newConversation.id, of: person)
            place = try self.place(of: new.beginning, in: conversation)
        }
        let bot = try conversation.bot.flatMap { try self.bot(key: $0) }
        // What a command will ask for by then, nobody knows yet.
        let pending = new.reading == .message || waits ? nil : conversation.pendingCommand
        let isLocal = new.reading == .command || pending != nil
        if !isLocal { try new.approve(bot?.value, bot.map { $0.owner == person } ?? true) }
        let address = caller.kind == .anonymous ? new.address : nil
        let time = try surroundings.clock.now(wall: new.now, in: db)
        let party = QuotaParty(person: person, address: address)
        // A command costs nothing, and is accepted when nothing is left.
        let keys = isLocal ? [] : QuotaKey.turn(of: caller.kind, hasAddress: address != nil)
        if isLocal {
            if !waits { try requireRoomForCommand(of: person, caller.kind) }
        } else {
            // Where nothing may be in flight at all, nothing is worth waiting for.
            let lease = QuotaKey.inFlight(of: caller.kind)
            let mayWait = new.onBusy != .reject && lease.flatMap { surroundings.quotas[$0]?.limit } != 0
            try requireRoom(
                QuotaKey.all.filter { keys.contains($0) || !mayWait && $0 == lease }, of: party, at: time, wall: new.now)
            waits = try waits || mayWait && !hasLease(person, caller.kind, isLocal: false)
        }

        let messageID = if case .stored(_, let question) = place { question.id } else { new.userMessageID }
        let turn = Turn(
            id: new.id, conversationID: conversation.value.id, isLocal: isLocal, status: waits ? .queued : .inProgress,
            userMessageID: messageID, createdAt: new.now)
        let key = try insert(
            new, answering: messageID, isLocal: isLocal, waits: waits, conversation: conversation.key, person: person)
        if !isLocal { try hold(turn: key, person: person, kind: caller.kind, address: address, at: time) }
        if case .new = new.target, let request = new.request { try remember(request, .message, of: person, result: new.id, at: new.now) }
        let warning = try warning(keys, of: party, at: time, wall: new.now)
        guard !waits else {
            let (position, interrupted) = try enqueue(new, turn: key, in: conversation)
            return .queued(
                QueuedTurn(
                    turn: turn, conversation: conversation.value, position: position, interrupted: interrupted, warning: warning))
        }
        var admitted = try begin(
            turn, at: place, saying: new.content, titled: new.title, options: new.options, in: conversation, with: bot, at: new.now)
        admitted.pendingCommand = pending
        admitted.warning = warning
        return .accepted(admitted)
    }

    /// Makes the message of a turn that begins the conversation's head.
    ///
    /// - Parameters:
    ///   - place: where the message stands; one that takes another's place makes the conversation forget a command that waits.
    ///   - content: the message, if it is new.
    ///   - title: the conversation's title if it has none yet.
    func begin(
        _ turn: Turn, at place: QuestionPlace, saying content: [Message.Part], titled title: @autoclosure () -> String,
        options: TurnOptions, in row: ConversationRow, with bot: BotRow?, at now: Timestamp
    ) throws -> AdmittedTurn {
        let (userMessage, head) = try question(of: turn, at: place, saying: content, in: row, at: now)
        var conversation = row.value
        if conversation.title.isEmpty, !turn.isLocal { conversation.title = title() }
        conversation.headMessageID = userMessage.id
        // One that is answered again was counted when it came.
        if userMessage.turnID == turn.id { conversation.messageCount += 1 }
        conversation.activeTurnID = turn.id
        conversation.updatedAt = now
        let followsHead = if case .afterHead = place { true } else { false }
        try db.run(
            """
            UPDATE conversations SET head = ?, title = ?, message_count = ?, updated_at = ?, used_at = ?, unindexed = 1,
                pending_command = iif(?, pending_command, NULL)
            WHERE key = ?
            """,
            head, conversation.title, conversation.messageCount, now, timeOfUse(at: now), followsHead, row.key)
        return AdmittedTurn(
            turn: turn, userMessage: userMessage, conversation: conversation, bot: bot?.value,
            ownsBot: bot.map { $0.owner == row.owner } ?? true, options: options)
    }

    /// Whether a turn must wait for others in its conversation.
    ///
    /// - Throws: `conversationBusy` when it may not.
    private func mustWait(_ new: NewTurn, in conversation: ConversationRow) throws -> Bool {
        guard let other = try conversation.value.activeTurnID ?? firstQueuedTurn(in: conversation.key) else { return false }
        guard new.onBusy != .reject else { throw Failure.conversationBusy(turnID: other) }
        return true
    }

    /// Finds the turn of the same request, if it was accepted before.
    ///
    /// - Throws: `idempotencyConflict`; `notFound` for a conversation that is not the caller's.
    private func turnOfRepeat(_ new: NewTurn, by caller: Caller) throws -> String? {
        guard let request = new.request, let person = try person(caller) else { return nil }
        switch new.target {
        case .existing(let id):
            let conversation = try self.conversation(id, of: person)
            let found: (id: String, hash: [UInt8])? = try db.first(
                "SELECT id, content_hash FROM turns WHERE conversation = ? AND client_message_id = ?", conversation.key, request.id
            ) { ($0[0], $0[1]) }
            guard let found else { return nil }
            guard found.hash == request.contentHash else { throw Failure.idempotencyConflict }
            return found.id
        case .new:
            return try result(of: request, .message, by: person)
        }
    }

    /// Says that a limit comes near, now that the turn is held.
    private func warning(_ keys: [QuotaKey], of party: QuotaParty, at time: Int64, wall: Timestamp) throws -> QuotaWarning? {
        for rule in rules(keys) where rule.warnAfter != nil {
            let totals = try reading(rule, of: party, at: time, wall: wall, .room).totals
            if let totals, let warning = rule.warning(used: totals.used, remaining: totals.remaining) { return warning }
        }
        return nil
    }

    /// Makes sure that no turn runs in a conversation; that of a dead host is recovered.
    ///
    /// - Throws: `conversationBusy`.
    func requireFree(_ conversation: ConversationRow, at now: Timestamp) throws {
        guard let id = conversation.value.activeTurnID, try !recoverDead(in: conversation, at: now) else { return }
        throw Failure.conversationBusy(turnID: id)
    }

    /// Recovers the turn that runs in a conversation, if its host is gone.
    ///
    /// - Returns: whether there was one, so that the row is not up to date any more.
    private func recoverDead(in conversation: ConversationRow, at now: Timestamp) throws -> Bool {
        guard let id = conversation.value.activeTurnID, let host = conversation.activeHost, try !surroundings.isAlive(host) else {
            return false
        }
        _ = try recover(turn(id), at: now)
        return true
    }
}
