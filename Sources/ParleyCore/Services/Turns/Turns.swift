import JSON
package import Logging

/// Turns: accepting messages, running them, ending them early, finding them again.
package final class Turns: Sendable {
    /// A message as somebody sends it.
    package struct Draft: Sendable {
        /// Nil makes a conversation.
        package var conversationID: String?
        /// What is said, part by part.
        package var content: [Message.Part]
        /// The bot of a conversation that is made.
        package var botID: String?
        /// `PROVIDER:MODEL` for this turn alone.
        package var model: String?
        /// The longest answer, in tokens; nil for the model's own bound.
        package var maxOutputTokens: Int?

        /// Makes one of its fields; see them for what the parameters mean.
        package init(
            conversationID: String?, content: [Message.Part], botID: String? = nil, model: String? = nil, maxOutputTokens: Int? = nil
        ) {
            self.conversationID = conversationID
            self.content = content
            self.botID = botID
            self.model = model
            self.maxOutputTokens = maxOutputTokens
        }
    }

    let store: any Store
    let ambient: any Ambient
    let settings: TurnSettings
    let logger: Logger
    let running = RunningTurns()
    private let models: ModelCatalog
    private let limits: Limits

    /// Runs turns on a store with models.
    package init(
        store: any Store, models: ModelCatalog, ambient: any Ambient, limits: Limits, settings: TurnSettings, logger: Logger
    ) {
        self.store = store
        self.models = models
        self.ambient = ambient
        self.limits = limits
        self.settings = settings
        self.logger = logger
    }

    /// How many turns run in this process.
    package var count: Int { running.count }

    /// Accepts a message and runs its turn to the end.
    ///
    /// After the admission nothing throws: whatever happens, the turn has an end and the observer is told of it.
    ///
    /// - Parameters:
    ///   - cancellation: ends the task that calls this.
    ///   - observer: told of every event.
    ///   - admitted: called once the message is stored, before any event.
    ///   - ended: called after the last event, before anybody else hears of the end, so that whoever cancels the turn is answered later.
    /// - Throws: `invalidParams`, `messageTooLarge`, `notFound` (conversation, bot), `conversationBusy`; then nothing was stored.
    package func send(
        _ draft: Draft, for caller: Caller, cancellation: Cancellation, observer: any TurnObserver,
        admitted: (AdmittedTurn) -> Void, ended: (TurnResult) -> Void
    ) async throws(Failure) {
        let text = try checkedText(of: draft, from: caller)
        let chosen: ModelCatalog.Selection? = if let name = draft.model { try models.select(name) } else { nil }

        let now = ambient.now()
        let title = Conversations.title(fromMessage: text)
        let target: NewTurn.Target =
            if let id = draft.conversationID {
                .existing(conversationID: id)
            } else {
                .new(
                    NewConversation(
                        id: ambient.newID(.conversation), title: title, botID: draft.botID, metadata: [:], createdAt: now))
            }
        let admission = try await store.admitTurn(
            NewTurn(
                id: ambient.newID(.turn), target: target, userMessageID: ambient.newID(.message), content: draft.content, title: title,
                now: now, deadline: now.advanced(byMilliseconds: settings.deadlineMilliseconds)),
            for: caller)

        let turn = RunningTurn(
            admission, deadline: ambient.monotonicMilliseconds() + settings.deadlineMilliseconds, cancellation: cancellation)
        if let monitor = running.insert(turn) {
            ambient.beginActivity()
            monitor.resume()
        }
        if running.isEnding { turn.end(.interrupted) }
        admitted(admission)
        observer.observe([turn.event(.started(admission.turn, userMessage: admission.userMessage))])

        let ending = await answer(admission, chosen: chosen, maxOutputTokens: draft.maxOutputTokens, turn: turn, observer: observer)
        let result = await settle(ending, of: admission.turn, turn: turn)
        observer.observe([turn.event(.completed(result))])
        ended(result)
        running.remove(turn)
        turn.finish(result)
    }

    /// Ends a turn early and waits until it has ended. A finished turn is returned unchanged.
    ///
    /// A turn of another process ends as soon as that process sees the request, or is recovered when that process is gone.
    ///
    /// - Throws: `notFound`; `cancelled` when the caller stops waiting.
    package func cancel(_ id: String, for caller: Caller) async throws(Failure) -> TurnResult {
        let current = try await store.requestCancel(ofTurn: id, at: ambient.now(), for: caller)
        // Also when the turn has ended already: its last event and its reply may be just on their way.
        if let turn = running[id] {
            turn.end(.cancelled)
            return await turn.result()
        }
        if current.turn.status.isTerminal { return current }
        while true {
            let current = try await store.turn(id, for: caller)
            if current.turn.status.isTerminal { return current }
            do {
                try await ambient.sleep(milliseconds: 50)
            } catch {
                throw Failure(.cancelled, "The request was cancelled while it waited for the turn to end.")
            }
        }
    }

    /// Ends a turn of this process for somebody who has shown the right to, by having begun it.
    package func cancelOwn(_ id: String) {
        running[id]?.end(.cancelled)
    }

    /// Reads one turn.
    ///
    /// - Throws: `notFound`.
    package func get(_ id: String, for caller: Caller) async throws(Failure) -> TurnResult {
        try await store.turn(id, for: caller)
    }

    /// Whether the turns of this process are being ended.
    package var isEnding: Bool { running.isEnding }

    /// Ends every turn of this process as `interrupted`, also those that are just being admitted, because the process ends.
    package func interruptAll() async {
        for turn in running.beginEnd().sorted() {
            turn.end(.interrupted)
            await ambient.rest()
        }
    }

    private func checkedText(of draft: Draft, from caller: Caller) throws(Failure) -> String {
        guard (1...Limits.maxContentParts).contains(draft.content.count) else {
            throw .invalidParams(path: "content", reason: "expected 1 to \(Limits.maxContentParts) parts")
        }
        let text = draft.content.map { part in
            switch part {
            case .text(let text): text
            }
        }.joined()
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw .invalidParams(path: "text", reason: "expected more than white space")
        }
        let limit = caller.isAnonymous ? limits.maxMessageBytesAnonymous : limits.maxMessageBytesUser
        guard text.utf8.count <= limit else {
            throw Failure(
                .messageTooLarge, "The message is larger than \(limit) bytes.",
                details: [.init("limit", .integer(Int64(limit))), .init("size", .integer(Int64(text.utf8.count)))])
        }
        guard draft.conversationID == nil || draft.botID == nil else {
            throw .invalidParams(
                path: "botId", reason: "goes only with a new conversation; setConversationBot changes the bot of this one")
        }
        guard draft.maxOutputTokens ?? 1 > 0 else { throw .invalidParams(path: "maxOutputTokens", reason: "expected at least 1") }
        return text
    }
}

// MARK: - The model's part

extension Turns {
    /// How a turn came to its end.
    private struct Ending {
        var status: Turn.Status
        var stopReason: Turn.StopReason
        var error: TurnError?
        var usage: Usage?

        static func failed(_ failure: Failure) -> Ending {
            Ending(status: .failed, stopReason: .error, error: TurnError(failure))
        }
    }

    /// Asks the model and passes its answer on, until there is an ending.
    private func answer(
        _ admission: AdmittedTurn, chosen: ModelCatalog.Selection?, maxOutputTokens: Int?, turn: RunningTurn, observer: any TurnObserver
    ) async -> Ending {
        var usage: Usage?
        var ending: Ending
        do {
            ending = try await stream(
                admission, chosen: chosen, maxOutputTokens: maxOutputTokens, turn: turn, observer: observer, usage: &usage)
        } catch {
            if turn.cause == nil { log(error, turn: turn) }
            ending = .failed(error)
        }
        if let cause = turn.cause, ending.status != .completed { ending = self.ending(for: cause) }
        ending.usage = usage
        return ending
    }

    private func stream(
        _ admission: AdmittedTurn, chosen: ModelCatalog.Selection?, maxOutputTokens: Int?, turn: RunningTurn,
        observer: any TurnObserver, usage: inout Usage?
    ) async throws(Failure) -> Ending {
        let bot = admission.bot
        // Not `??`, whose right side is a closure that may throw anything.
        let selection = if let chosen { chosen } else { try selectModel(of: bot) }
        let instructions = bot?.instructions ?? settings.defaultInstructions
        let history = try await store.history(
            endingAt: admission.userMessage.id,
            maximumBytes: min(limits.maxHistoryBytes, selection.description.historyBytes(besides: instructions) ?? .max))
        var stream = try await selection.provider.stream(
            ModelRequest(
                model: selection.model, instructions: instructions, messages: history, temperature: bot?.temperature,
                maxOutputTokens: maxOutputTokens))
        var bytes = 0
        while let events = try await stream.next() {
            var deltas: [String] = []
            var stopReason: Turn.StopReason?
            for event in events {
                switch event {
                case .textDelta(let delta):
                    deltas.append(delta)
                    bytes += delta.utf8.count
                case .usage(let latest):
                    usage = latest
                    usage?.cost = selection.description.prices?.cost(of: latest)
                case .finished(let reason): stopReason = reason
                }
            }
            if !deltas.isEmpty {
                observer.observe(
                    turn.append(deltas) {
                        Message(
                            id: ambient.newID(.message), conversationID: turn.conversationID, turnID: turn.id,
                            parentID: admission.userMessage.id, role: .assistant, content: [], status: .partial, model: selection.id,
                            createdAt: ambient.now())
                    })
            }
            if let stopReason { return Ending(status: .completed, stopReason: stopReason) }
            if bytes > limits.maxAnswerBytes { return Ending(status: .completed, stopReason: .maxTokens) }
            if turn.cause != nil { throw Failure(.cancelled, "The turn was ended early.") }
            await observer.ready()
        }
        throw Failure(.modelUnavailable, "The model's answer stopped before its end.")
    }

    private func selectModel(of bot: Bot?) throws(Failure) -> ModelCatalog.Selection {
        guard let name = bot?.model else { return models.defaultModel }
        do throws(Failure) {
            return try models.select(name)
        } catch {
            // The bot was made under other settings.
            throw Failure(.modelUnavailable, "The bot's model \"\(name)\" is not among this host's models.", underlying: error.message)
        }
    }

    private func ending(for cause: RunningTurn.Cause) -> Ending {
        switch cause {
        case .cancelled: Ending(status: .cancelled, stopReason: .cancelled)
        case .interrupted: Ending(status: .interrupted, stopReason: .interrupted)
        case .deadline:
            .failed(
                Failure(
                    .modelTimeout, "The turn did not end within \(settings.deadlineMilliseconds) ms.",
                    details: [.init("deadlineMs", .integer(settings.deadlineMilliseconds))]))
        }
    }

    private func log(_ failure: Failure, turn: RunningTurn) {
        logger.warning(
            "turn failed",
            metadata: [
                "turn": .string(turn.id), "code": .string(failure.code.rawValue), "message": .string(failure.message),
                "cause": .string(failure.underlying ?? ""),
            ])
    }

    /// Stores how the turn ended. When the store cannot, the turn has failed, and the monitor stores that as soon as the store can again.
    private func settle(_ ending: Ending, of admitted: Turn, turn: RunningTurn) async -> TurnResult {
        var message = turn.answer()
        message?.status = ending.status == .completed ? .complete : .partial
        message?.usage = ending.usage
        var outcome = TurnOutcome(
            turnID: turn.id, status: ending.status, stopReason: ending.stopReason, error: ending.error, message: message,
            usage: ending.usage, lastSequence: turn.nextSequence, completedAt: ambient.now())
        do {
            return try await store.finishTurn(outcome)
        } catch {
            if error.code != .notFound {
                logger.error(
                    "turn not stored", metadata: ["turn": .string(turn.id), "cause": .string(error.underlying ?? error.message)])
                outcome.status = .failed
                outcome.stopReason = .error
                outcome.error = TurnError(error)
                outcome.message?.status = .partial
                running.keepUnsettled(outcome)
            }
            return outcome.result(of: admitted)
        }
    }
}

extension TurnOutcome {
    /// The turn as it would have been stored.
    fileprivate func result(of turn: Turn) -> TurnResult {
        var turn = turn
        turn.status = status
        turn.stopReason = stopReason
        turn.error = error
        turn.usage = usage
        turn.messageID = message?.id
        turn.completedAt = completedAt
        return TurnResult(turn: turn, message: message)
    }
}
