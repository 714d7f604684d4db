import Logging

/// The model's part of a turn.
extension Turns {
    /// How a turn came to its end.
    struct Ending {
        var status: Turn.Status
        var stopReason: Turn.StopReason
        var error: TurnError?
        var usage: Usage?

        static func failed(_ failure: Failure) -> Ending {
            Ending(status: .failed, stopReason: .error, error: TurnError(failure))
        }
    }

    /// Asks the model and passes its answer on, until there is an ending.
    func answer(
        _ admission: AdmittedTurn, chosen: ModelCatalog.Selection?, maxOutputTokens: Int?, turn: RunningTurn, observer: any TurnObserver
    ) async -> Ending {
        var usage: Usage?
        var ending: Ending
        do {
            ending = try await stream(
                admission, chosen: chosen, maxOutputTokens: maxOutputTokens, turn: turn, observer: observer, usage: &usage)
        } catch {
            if turn.cause == nil { log(error, turn: turn) }
            ending = .failed(admission.ownsBot ? error : error.forGuests)
        }
        if let cause = turn.cause, ending.status != .completed { ending = self.ending(for: cause) }
        // What a published bot costs tells guests how long its instructions are, and which model it has.
        ending.usage = admission.ownsBot ? usage : nil
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
        if turn.cause != nil { throw Failure(.cancelled, "The turn was ended early.") }
        turn.willCallModel()
        var stream = try await selection.provider.stream(
            ModelRequest(
                model: selection.model, instructions: instructions, messages: history, temperature: bot?.temperature,
                maxOutputTokens: maxOutputTokens))
        // Which model a bot has is for its owner to know, unless the message named one.
        let shownModel = admission.ownsBot || chosen != nil || bot?.model == nil ? selection.id : nil
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
                            parentID: admission.userMessage.id, role: .assistant, content: [], status: .partial,
                            model: shownModel,
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
    func settle(_ ending: Ending, of admitted: Turn, turn: RunningTurn) async -> TurnResult {
        var message = turn.answer()
        message?.status = ending.status == .completed ? .complete : .partial
        message?.usage = ending.usage
        var outcome = TurnOutcome(
            turnID: turn.id, status: ending.status, stopReason: ending.stopReason, error: ending.error, message: message,
            usage: ending.usage,
            settlement: Settlement(
                status: ending.status, calledModel: turn.hasCalledModel, saidSomething: message.map { !$0.text.isEmpty } ?? false),
            lastSequence: turn.nextSequence, completedAt: ambient.now())
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
                outcome.settlement = Settlement(
                    status: .failed, calledModel: turn.hasCalledModel, saidSomething: message.map { !$0.text.isEmpty } ?? false)
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
