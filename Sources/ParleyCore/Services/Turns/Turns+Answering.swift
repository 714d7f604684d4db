import Logging

/// The model's part of a turn.
extension Turns {
    /// How a turn came to its end.
    struct Ending: Sendable {
        var status: Turn.Status
        var stopReason: Turn.StopReason
        var error: TurnError?
        /// Empty where the turn's person may not know it.
        var account = TurnAccount()
        /// What a command leaves behind.
        var command: CommandOutcome?

        static func failed(_ failure: Failure) -> Ending {
            Ending(status: .failed, stopReason: .error, error: TurnError(failure))
        }
    }

    /// Asks the model and passes its answer on, until there is an ending.
    ///
    /// - Parameter isRecheckNeeded: whether the model may have changed since it was last looked whether the turn's person may use it.
    @inline(never)
    func answer(
        _ admission: Shared<AdmittedTurn>, isRecheckNeeded: Bool, client: TurnClient, turn: RunningTurn, observer: any TurnObserver
    ) async -> Shared<Ending> {
        var account = TurnAccount()
        let outcome: Result<Turn.StopReason, Failure>
        do throws(Failure) {
            if isRecheckNeeded {
                try requireAllowed(admission.options.model, admission.bot, isOwn: admission.ownsBot, for: client.caller.kind)
            }
            outcome = .success(try await run(admission, client: client, turn: turn, observer: observer, account: &account))
        } catch {
            outcome = .failure(error)
        }
        return ending(for: outcome, of: admission, turn: turn, account)
    }

    /// How a turn ends, after what has come of asking.
    @inline(never)
    private func ending(
        for outcome: Result<Turn.StopReason, Failure>, of admission: Shared<AdmittedTurn>, turn: RunningTurn, _ account: TurnAccount
    ) -> Shared<Ending> {
        var ending: Ending
        switch outcome {
        case .success(let reason): ending = Ending(status: .completed, stopReason: reason)
        case .failure(let failure):
            if turn.cause == nil { log(failure, turn: turn) }
            ending = .failed(admission.ownsBot ? failure : failure.forGuests)
        }
        if let cause = turn.cause, ending.status != .completed { ending = self.ending(for: cause) }
        // What a published bot costs, and what it leaves no room for, tells guests how long its instructions are, and which model it has.
        if admission.ownsBot { ending.account = account }
        return Shared(ending)
    }

    /// - Returns: why the last model that was asked has stopped.
    @inline(never)
    private func run(
        _ admission: Shared<AdmittedTurn>, client: TurnClient, turn: RunningTurn, observer: any TurnObserver, account: inout TurnAccount
    ) async throws(Failure) -> Turn.StopReason {
        let runner = try toolRunner(for: admission, client)
        var calls = calls(for: admission, with: runner)
        turn.path = calls.path
        for number in 1...toolSettings.maxSteps {
            let said = try await ask(&calls, turn: turn, observer: observer, account: &account)
            guard !said.calls.isEmpty else { return said.stopReason }
            try await call(
                said.calls, of: calls, with: runner, isLast: number == toolSettings.maxSteps, turn: turn, observer: observer,
                account: account)
            account.usage.beginCall()
            if turn.cause != nil { throw .endedEarly }
        }
        return .maxSteps
    }

    /// Ends a step with the calls of tools that it asks for, and makes them unless it is the last step.
    @inline(never)
    private func call(
        _ toolCalls: [ToolCall], of calls: ModelCalls, with runner: ToolRunner, isLast: Bool, turn: RunningTurn,
        observer: any TurnObserver, account: TurnAccount
    ) async throws(Failure) {
        var (message, sequence) = turn.endStep(with: toolCalls) { calls.message(in: turn, ambient) }
        message.usage = calls.showsInsides ? account.usage.ofMessage : nil
        try await store.appendMessages([message], toTurn: turn.id, lastSequence: sequence)
        turn.didStore(message)
        calls.path.append(message, maximumBytes: limits.maxHistoryBytes)
        let results =
            isLast
            ? toolCalls.map {
                ToolResult(
                    toolCallID: $0.id, status: .failed, text: "Not called: this was the last of \(toolSettings.maxSteps) steps.")
            } : await runner.run(toolCalls) { [observer, turn] in observer.observe([turn.event($0)]) }
        if runner.hasExecuted { turn.didSaySomething() }
        calls.path.append(try await store(results, of: message, in: turn), maximumBytes: limits.maxHistoryBytes)
    }

    @inline(never)
    private func calls(for admission: Shared<AdmittedTurn>, with runner: ToolRunner) -> ModelCalls {
        ModelCalls(
            candidates: candidates(for: admission), bot: admission.bot, defaultInstructions: settings.defaultInstructions,
            maxOutputTokens: admission.options.maxOutputTokens, tools: runner.definitions, showsInsides: admission.ownsBot,
            path: path(to: admission.userMessage), bytesLeft: limits.maxAnswerBytes)
    }

    /// The path that ends with a message, with what is remembered of it.
    private func path(to question: Message) -> ConversationPath {
        guard let parentID = question.parentID, let path = paths.take(of: question.conversationID, endingWith: parentID) else {
            return ConversationPath(endingWith: question)
        }
        path.append(question, maximumBytes: limits.maxHistoryBytes)
        return path
    }

    /// Remembers the path of a turn that has ended, for the next one.
    private func remember(_ path: ConversationPath?, of turn: RunningTurn, _ result: TurnResult) {
        // One that no model was asked with is not bounded yet.
        guard let path, path.isOutlined else { return }
        if let answer = result.message, answer.parentID == path.lastMessageID { path.append(answer, maximumBytes: limits.maxHistoryBytes) }
        paths.keep(path, of: turn.conversationID)
    }

    /// Stores what came of the calls of a message.
    ///
    /// - Returns: the message that holds the results, which the next one follows.
    func store(_ results: [ToolResult], of asked: Message, in turn: RunningTurn) async throws(Failure) -> Message {
        let answer = Message(
            id: ambient.newID(.message), conversationID: turn.conversationID, turnID: turn.id, parentID: asked.id, role: .tool,
            content: results.map { .toolResult($0) }, status: .complete, isLocal: asked.isLocal, createdAt: ambient.now())
        try await store.appendMessages([answer], toTurn: turn.id, lastSequence: turn.nextSequence - 1)
        return answer
    }

    /// The models that may answer: the one that the message names, or else the bot's or the host's, and those that stand in for it.
    private func candidates(for admission: Shared<AdmittedTurn>) -> [ModelCalls.Candidate] {
        // Who names a model wants that one's answer, or none.
        if let name = admission.options.model {
            return [ModelCalls.Candidate(selection: select(name, sentenceAbout: "The model"), isShown: true)]
        }
        let bot = admission.bot
        let selection = bot?.model.map { select($0, sentenceAbout: "The bot's model") } ?? .success(models.defaultModel)
        // Which models a bot has is for its owner to know.
        let first = ModelCalls.Candidate(selection: selection, isShown: admission.ownsBot || bot?.model == nil)
        // Of what the bot names, whatever this host has: the bot was perhaps made under other settings.
        let standIns = bot?.fallbackModels?.compactMap { try? models.select($0) } ?? models.fallback
        let isShown = admission.ownsBot || bot?.model == nil && bot?.fallbackModels == nil
        let firstID = try? first.selection.get().id
        return [first]
            + standIns.filter { $0.id != firstID }.map { ModelCalls.Candidate(selection: .success($0), isShown: isShown) }
    }

    @inline(never)
    private func toolRunner(for admission: Shared<AdmittedTurn>, _ client: TurnClient) throws(Failure) -> ToolRunner {
        toolRunner(try tools(with: client.sources, for: admission.bot), for: admission, client)
    }

    /// Executes calls of some tools in a turn.
    func toolRunner(_ tools: ToolRegistry, for admission: Shared<AdmittedTurn>, _ client: TurnClient) -> ToolRunner {
        let context = ToolContext(
            caller: client.caller, conversationID: admission.turn.conversationID, turnID: admission.turn.id, tools: tools)
        return ToolRunner(
            tools: tools, context: context, approver: client.approver, approvals: approvals, store: store, ambient: ambient,
            settings: toolSettings)
    }

    private func select(_ name: String, sentenceAbout what: String) -> Result<ModelCatalog.Selection, Failure> {
        do throws(Failure) {
            return .success(try models.select(name))
        } catch {
            // The bot was made, or the turn accepted, under other settings.
            return .failure(
                Failure(
                    .modelUnavailable, "\(what) \"\(name)\" is not among this host's models.", underlying: error.message,
                    isRetryable: false))
        }
    }

    /// How a turn ends that is ended early.
    ///
    /// - Parameter isLocal: whether the turn is a command, which no model can be late for.
    func ending(for cause: RunningTurn.Cause, isLocal: Bool = false) -> Ending {
        switch cause {
        case .cancelled: Ending(status: .cancelled, stopReason: .cancelled)
        case .interrupted: Ending(status: .interrupted, stopReason: .interrupted)
        case .deadline:
            .failed(
                Failure(
                    isLocal ? .toolTimeout : .modelTimeout, "The turn did not end within \(settings.deadlineMilliseconds) ms.",
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
    ///
    /// - Parameter returnsConversation: whether the result tells the conversation as well.
    func settle(_ ending: Shared<Ending>, of admitted: Turn, turn: RunningTurn, returnsConversation: Bool) async -> TurnResult {
        // Whoever follows the turn still has it, and need not have the conversation.
        let path = turn.path
        turn.path = nil
        var message = turn.answer()
        message?.status = ending.status == .completed ? .complete : .partial
        message?.usage = ending.account.usage.ofMessage
        var outcome = TurnOutcome(
            turnID: turn.id, status: ending.status, stopReason: ending.stopReason, error: ending.error, message: message,
            usage: ending.account.usage.total, context: ending.account.omissions.isEmpty ? nil : ending.account.omissions,
            command: ending.command, returnsConversation: returnsConversation,
            settlement: turn.settlement(for: ending.status), lastSequence: turn.nextSequence, completedAt: ambient.now())
        do {
            let result = try await store.finishTurn(outcome)
            remember(path, of: turn, result)
            return result
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
            return outcome.result(of: admitted, message: outcome.message ?? turn.storedStep)
        }
    }
}

extension TurnOutcome {
    /// The turn as it would have been stored.
    fileprivate func result(of turn: Turn, message: Message?) -> TurnResult {
        var turn = turn
        turn.status = status
        turn.stopReason = stopReason
        turn.error = error
        turn.usage = usage
        turn.context = context
        turn.messageID = message?.id
        turn.completedAt = completedAt
        return TurnResult(turn: turn, message: message)
    }
}
