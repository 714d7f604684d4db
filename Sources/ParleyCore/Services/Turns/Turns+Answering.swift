import Logging

/// The model's part of a turn.
extension Turns {
    /// How a turn came to its end.
    struct Ending {
        var status: Turn.Status
        var stopReason: Turn.StopReason
        var error: TurnError?
        var usage = TurnUsage()
        /// What a command leaves behind.
        var command: CommandOutcome?

        static func failed(_ failure: Failure) -> Ending {
            Ending(status: .failed, stopReason: .error, error: TurnError(failure))
        }
    }

    /// Asks the model and passes its answer on, until there is an ending.
    func answer(
        _ admission: AdmittedTurn, chosen: ModelCatalog.Selection?, maxOutputTokens: Int?, client: TurnClient, turn: RunningTurn,
        observer: any TurnObserver
    ) async -> Ending {
        var usage = TurnUsage()
        var ending: Ending
        do {
            ending = try await run(
                admission, chosen: chosen, maxOutputTokens: maxOutputTokens, client: client, turn: turn, observer: observer, usage: &usage)
        } catch {
            if turn.cause == nil { log(error, turn: turn) }
            ending = .failed(admission.ownsBot ? error : error.forGuests)
        }
        if let cause = turn.cause, ending.status != .completed { ending = self.ending(for: cause) }
        // What a published bot costs tells guests how long its instructions are, and which model it has.
        ending.usage = admission.ownsBot ? usage : TurnUsage()
        return ending
    }

    private func run(
        _ admission: AdmittedTurn, chosen: ModelCatalog.Selection?, maxOutputTokens: Int?, client: TurnClient, turn: RunningTurn,
        observer: any TurnObserver, usage: inout TurnUsage
    ) async throws(Failure) -> Ending {
        let bot = admission.bot
        // Not `??`, whose right side is a closure that may throw anything.
        let selection = if let chosen { chosen } else { try selectModel(of: bot) }
        let runner = try toolRunner(for: admission, client)
        var step = Step(
            selection: selection, instructions: bot?.instructions ?? settings.defaultInstructions, temperature: bot?.temperature,
            maxOutputTokens: maxOutputTokens, tools: runner.definitions, parentID: admission.userMessage.id,
            // Which model a bot has is for its owner to know, unless the message named one.
            shownModel: admission.ownsBot || chosen != nil || bot?.model == nil ? selection.id : nil,
            bytesLeft: limits.maxAnswerBytes)
        for number in 1...toolSettings.maxSteps {
            let (stopReason, calls) = try await ask(&step, turn: turn, observer: observer, usage: &usage)
            guard !calls.isEmpty else { return Ending(status: .completed, stopReason: stopReason) }
            let (message, sequence) = turn.endStep(with: calls) { step.message(in: turn, ambient) }
            var said = message
            said.usage = admission.ownsBot ? usage.ofMessage : nil
            try await store.appendMessages([said], toTurn: turn.id, lastSequence: sequence)
            let results =
                number == toolSettings.maxSteps
                ? calls.map { ToolResult(toolCallID: $0.id, status: .failed, text: "Not called: this was the last of \(number) steps.") }
                : await runner.run(calls) { [observer, turn] in observer.observe([turn.event($0)]) }
            if runner.hasExecuted { turn.didSaySomething() }
            let answer = Message(
                id: ambient.newID(.message), conversationID: turn.conversationID, turnID: turn.id, parentID: message.id, role: .tool,
                content: results.map { .toolResult($0) }, status: .complete, createdAt: ambient.now())
            try await store.appendMessages([answer], toTurn: turn.id, lastSequence: turn.nextSequence - 1)
            step.parentID = answer.id
            usage.beginMessage()
            if turn.cause != nil { throw Failure(.cancelled, "The turn was ended early.") }
        }
        return Ending(status: .completed, stopReason: .maxSteps)
    }

    /// What stays the same from one call of the model to the next, and what moves on.
    private struct Step {
        let selection: ModelCatalog.Selection
        let instructions: String
        let temperature: Double?
        let maxOutputTokens: Int?
        let tools: [ToolDefinition]
        /// The message that the next one follows.
        var parentID: String
        let shownModel: String?
        /// How much the model may still say, in bytes.
        var bytesLeft: Int

        /// The assistant's message, empty.
        func message(in turn: RunningTurn, _ ambient: any Ambient) -> Message {
            Message(
                id: ambient.newID(.message), conversationID: turn.conversationID, turnID: turn.id, parentID: parentID, role: .assistant,
                content: [], status: .partial, model: shownModel, createdAt: ambient.now())
        }
    }

    /// Asks the model once and passes on what it says.
    ///
    /// - Returns: why it stopped, and what it wants done first.
    private func ask(
        _ step: inout Step, turn: RunningTurn, observer: any TurnObserver, usage: inout TurnUsage
    ) async throws(Failure) -> (Turn.StopReason, [ToolCall]) {
        let history = try await store.history(
            endingAt: step.parentID,
            maximumBytes: min(limits.maxHistoryBytes, step.selection.description.historyBytes(besides: step.instructions) ?? .max))
        if turn.cause != nil { throw Failure(.cancelled, "The turn was ended early.") }
        turn.willCallModel()
        var stream = try await step.selection.provider.stream(
            ModelRequest(
                model: step.selection.model, instructions: step.instructions, messages: ModelHistory.repaired(history), tools: step.tools,
                temperature: step.temperature, maxOutputTokens: step.maxOutputTokens))
        var calls: [ToolCall] = []
        while let events = try await stream.next() {
            var deltas: [String] = []
            var stopReason: Turn.StopReason?
            for event in events {
                switch event {
                case .textDelta(let delta):
                    deltas.append(delta)
                    step.bytesLeft -= delta.utf8.count
                case .reasoningDelta, .replay: break
                case .toolCall(let call):
                    calls.append(named(call, besides: calls))
                    step.bytesLeft -= call.bytes
                case .usage(let latest): usage.take(latest, prices: step.selection.description.prices)
                case .finished(let reason): stopReason = reason
                }
            }
            if !deltas.isEmpty {
                observer.observe(turn.append(deltas) { [step] in step.message(in: turn, ambient) })
            }
            if let stopReason { return (stopReason, calls) }
            if step.bytesLeft < 0 { return (.maxTokens, []) }
            if turn.cause != nil { throw Failure(.cancelled, "The turn was ended early.") }
            await observer.ready()
        }
        throw Failure(.modelUnavailable, "The model's answer stopped before its end.")
    }

    /// Gives a call an id where the model gave none, or one twice.
    private func named(_ call: ToolCall, besides others: [ToolCall]) -> ToolCall {
        var call = call
        if call.id.isEmpty || others.contains(where: { $0.id == call.id }) { call.id = ambient.newID(.toolCall) }
        return call
    }

    private func toolRunner(for admission: AdmittedTurn, _ client: TurnClient) throws(Failure) -> ToolRunner {
        toolRunner(try registry(with: client.sources).usable(by: admission.bot?.tools), for: admission, client)
    }

    /// Executes calls of some tools in a turn.
    func toolRunner(_ tools: ToolRegistry, for admission: AdmittedTurn, _ client: TurnClient) -> ToolRunner {
        let context = ToolContext(
            caller: client.caller, conversationID: admission.turn.conversationID, turnID: admission.turn.id, tools: tools)
        return ToolRunner(
            tools: tools, context: context, approver: client.approver, approvals: approvals, store: store, ambient: ambient,
            settings: toolSettings)
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

    /// How a turn ends that is ended early.
    func ending(for cause: RunningTurn.Cause) -> Ending {
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

    /// Notes why a turn failed.
    func log(_ failure: Failure, turn: RunningTurn) {
        logger.warning(
            "turn failed",
            metadata: [
                "turn": .string(turn.id), "code": .string(failure.code.rawValue), "message": .string(failure.message),
                "cause": .string(failure.underlying ?? ""),
            ])
    }

    /// Stores how the turn ended. When the store cannot, the turn has failed, and the monitor stores that as soon as the store can again.
    func settle(_ ending: Ending, of admitted: Turn, turn: RunningTurn) async -> TurnResult {
        var message = turn.answer()
        message?.status = ending.status == .completed ? .complete : .partial
        message?.usage = ending.usage.ofMessage
        var outcome = TurnOutcome(
            turnID: turn.id, status: ending.status, stopReason: ending.stopReason, error: ending.error, message: message,
            usage: ending.usage.total, command: ending.command,
            settlement: turn.settlement(for: ending.status), lastSequence: turn.nextSequence, completedAt: ambient.now())
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
                outcome.settlement = turn.settlement(for: .failed)
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

extension Failure {
    /// What people may know of a failure who may not know how the bot is set up: a provider's words may repeat what it was told.
    fileprivate var forGuests: Failure {
        switch code {
        case .modelUnavailable, .modelRateLimited, .modelRejected, .modelAuth, .modelBilling, .modelTimeout, .contextWindowExceeded:
            let shown = details.filter { ["providerStatus", "retryAfterMs", "deadlineMs"].contains($0.name) }
            return Failure(code, "The bot's model gave no answer.", details: shown)
        default:
            return self
        }
    }
}
