import JSON

/// How a message is accepted.
///
/// What a turn needs only before it runs, or only after, is kept out of the functions that wait for it to run, as are copies of what was
/// admitted: what an asynchronous function has at any time, it has room for all the time.
extension Turns {
    /// What has become of a message, as `TurnAdmission`.
    enum Admission {
        case accepted(Shared<AdmittedTurn>)
        case queued(Shared<QueuedTurn>)
        case repeated(turnID: String)

        @inline(never)
        init(_ admission: TurnAdmission) {
            self =
                switch admission {
                case .accepted(let admitted): .accepted(Shared(admitted))
                case .queued(let queued): .queued(Shared(queued))
                case .repeated(let turnID): .repeated(turnID: turnID)
                }
        }
    }

    /// Has the store accept a message.
    @inline(never)
    func admit(_ draft: Draft, for caller: Caller) async throws(Failure) -> Admission {
        let text = try checkedText(of: draft, from: caller)
        let command = draft.readsCommands ? SlashCommand(text) : nil
        let chosen: ModelCatalog.Selection? = if let name = draft.model { try models.select(name, for: caller.kind) } else { nil }
        return Admission(
            try await store.admitTurn(newTurn(draft, text: text, command, model: chosen?.id, for: caller), for: caller))
    }

    /// Tells that a turn was admitted, which is found and ended from now on.
    @inline(never)
    func begin(
        _ admission: Shared<AdmittedTurn>, cancellation: Cancellation, _ admitted: (Turn, Conversation) -> Void
    ) -> RunningTurn {
        let turn = track(admission.turn, cancellation: cancellation)
        admitted(admission.turn, admission.conversation)
        return turn
    }

    /// The same for one that waits.
    @inline(never)
    func begin(
        _ queued: Shared<QueuedTurn>, cancellation: Cancellation, _ admitted: (Turn, Conversation) -> Void
    ) -> RunningTurn {
        let turn = track(queued.turn, cancellation: cancellation)
        admitted(queued.turn, queued.conversation)
        return turn
    }

    private func newTurn(
        _ draft: Draft, text: String, _ command: SlashCommand?, model: String?, for caller: Caller
    ) throws(Failure) -> NewTurn {
        let now = ambient.now()
        let request = try ClientRequest.named(
            draft.requestID, path: "clientMessageId", content: draft.sentContent(isCommand: command != nil))
        // What a command is about, the conversation is not.
        let title: @Sendable () -> String = { command == nil ? Conversations.title(fromMessage: text) : "" }
        let target: NewTurn.Target =
            if let id = draft.conversationID {
                .existing(conversationID: id)
            } else {
                .new(
                    NewConversation(
                        id: ambient.newID(.conversation), title: title(), botID: draft.botID, metadata: [:], createdAt: now))
            }
        return NewTurn(
            id: ambient.newID(.turn), target: target, userMessageID: ambient.newID(.message), content: draft.content, title: title(),
            onBusy: draft.onBusy, maximumQueued: limits.maxQueuedTurns,
            options: TurnOptions(model: model, maxOutputTokens: draft.maxOutputTokens),
            reading: command != nil ? .command : draft.readsCommands ? .messageOrArgument : .message, beginning: draft.beginning,
            request: request, address: draft.address, now: now, deadline: now.advanced(byMilliseconds: settings.deadlineMilliseconds)
        ) { [self] bot, isOwn throws(Failure) in try requireAllowed(model, bot, isOwn: isOwn, for: caller.kind) }
    }

    private func checkedText(of draft: Draft, from caller: Caller) throws(Failure) -> String {
        let text = if case .regeneration = draft.beginning { "" } else { try checkedText(draft.content, from: caller) }
        guard draft.conversationID == nil || draft.botID == nil else {
            throw .invalidParams(
                path: "botId", reason: "goes only with a new conversation; setConversationBot changes the bot of this one")
        }
        guard draft.maxOutputTokens ?? 1 > 0 else { throw .invalidParams(path: "maxOutputTokens", reason: "expected at least 1") }
        return text
    }

    private func checkedText(_ content: [Message.Part], from caller: Caller) throws(Failure) -> String {
        guard (1...Limits.maxContentParts).contains(content.count) else {
            throw .invalidParams(path: "content", reason: "expected 1 to \(Limits.maxContentParts) parts")
        }
        let text = content.map { part in
            switch part {
            case .text(let text): text
            case .reasoning, .toolCall, .toolResult: ""
            }
        }.joined()
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw .invalidParams(path: "text", reason: "expected more than white space")
        }
        let limit = limits.maxMessageBytes(for: caller.kind)
        guard text.utf8.count <= limit else {
            throw Failure(
                .messageTooLarge, "The message is larger than \(limit) bytes.",
                details: [.init("limit", .integer(Int64(limit))), .init("size", .integer(Int64(text.utf8.count)))])
        }
        return text
    }
}

extension Turns.Draft {
    /// What a repeat must have in common with the first.
    fileprivate func sentContent(isCommand: Bool) -> JSONValue {
        var content: [JSONValue] = [
            .array(
                self.content.map { part in
                    switch part {
                    case .text(let text): .string(text)
                    case .reasoning, .toolCall, .toolResult: .null
                    }
                }),
            botID.map(JSONValue.string) ?? .null, model.map(JSONValue.string) ?? .null,
            maxOutputTokens.map { .integer(Int64($0)) } ?? .null,
        ]
        switch beginning {
        case .message:
            // The same text may be meant for the model.
            if isCommand { content.append("command") }
        case .edit(let id): content += ["edit", .string(id)]
        case .regeneration(let id): content += ["regeneration", .string(id)]
        }
        return .array(content)
    }
}
