import GRDB
import ParleyCore

/// How a user message is accepted.
extension StoreTransaction {
    /// Stores a user message as the new head with a turn that this host runs, the conversation if it is new, and what the turn holds.
    ///
    /// - Throws: `authRequired`, `notFound` (conversation, bot, message), `invalidParams` (path `messageId`), `idempotencyConflict`,
    ///   `conversationBusy`, `quotaExceeded`, and what `new.approve` throws.
    func admit(_ new: NewTurn, for caller: Caller) throws -> TurnAdmission {
        if let turnID = try turnOfRepeat(new, by: caller) { return .repeated(turnID: turnID) }
        let person: Int64
        var conversation: ConversationRow
        let place: QuestionPlace
        switch new.target {
        case .existing(let id):
            let known = try self.person(caller)
            conversation = try self.conversation(id, of: known)
            place = try self.place(of: new.beginning, in: conversation)
            if try requireFree(conversation, at: new.now) { conversation = try self.conversation(id, of: known) }
            person = conversation.owner
        case .new(let newConversation):
            person = try personForWriting(caller, at: new.now)
            try insert(newConversation, owner: person)
            conversation = try self.conversation(newConversation.id, of: person)
            place = try self.place(of: new.beginning, in: conversation)
        }
        let bot = try conversation.bot.flatMap { try self.bot(key: $0) }
        let ownsBot = bot.map { $0.owner == person } ?? true
        let pending = new.reading == .message ? nil : conversation.pendingCommand
        let isLocal = new.reading == .command || pending != nil
        if !isLocal { try new.approve(bot?.value, ownsBot) }
        let address = caller.kind == .anonymous ? new.address : nil
        let time = try surroundings.clock.now(wall: new.now, in: db)
        let party = QuotaParty(person: person, address: address)
        // A command costs nothing, and is accepted when nothing is left.
        let keys = isLocal ? [] : QuotaKey.turn(of: caller.kind, hasAddress: address != nil)
        if isLocal {
            try requireRoomForCommand(of: person, caller.kind)
        } else {
            try requireRoom(
                QuotaKey.all.filter { keys.contains($0) || $0 == QuotaKey.inFlight(of: caller.kind) }, of: party, at: time, wall: new.now)
        }

        let (userMessage, head) = try question(of: new, at: place, in: conversation, isLocal: isLocal)
        let turn = try insert(new, answering: userMessage.id, isLocal: isLocal, conversation: conversation.key, person: person)
        if !isLocal { try hold(turn: turn, person: person, kind: caller.kind, address: address, at: time) }
        if case .new = new.target, let request = new.request { try remember(request, .message, of: person, result: new.id, at: new.now) }

        if conversation.value.title.isEmpty, !isLocal { conversation.value.title = new.title }
        conversation.value.headMessageID = userMessage.id
        // One that is answered again was counted when it came.
        if userMessage.turnID == new.id { conversation.value.messageCount += 1 }
        conversation.value.activeTurnID = new.id
        conversation.value.updatedAt = new.now
        try db.run(
            """
            UPDATE conversations SET head = ?, title = ?, message_count = ?, updated_at = ?, pending_command = iif(?, pending_command, NULL)
            WHERE key = ?
            """,
            head, conversation.value.title, conversation.value.messageCount, new.now, new.beginning == .message, conversation.key)
        return .accepted(
            AdmittedTurn(
                turn: Turn(
                    id: new.id, conversationID: conversation.value.id, isLocal: isLocal, status: .inProgress,
                    userMessageID: userMessage.id, createdAt: new.now),
                userMessage: userMessage, conversation: conversation.value, bot: bot?.value, ownsBot: ownsBot, pendingCommand: pending,
                warning: try warning(keys, of: party, at: time, wall: new.now)))
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
    /// - Returns: whether a turn was recovered, so that the row is not up to date any more.
    /// - Throws: `conversationBusy`.
    @discardableResult
    func requireFree(_ conversation: ConversationRow, at now: Timestamp) throws -> Bool {
        guard let id = conversation.value.activeTurnID, let host = conversation.activeHost else { return false }
        guard try !surroundings.isAlive(host) else { throw Failure.conversationBusy(turnID: id) }
        _ = try recover(turn(id), at: now)
        return true
    }
}
