import Logging

/// One step of a turn: a model is asked until one has answered, or none can.
extension Turns {
    /// What a model said, beside what was passed on.
    struct Answer {
        /// Why it stopped.
        var stopReason: Turn.StopReason
        /// What it wants done first.
        var calls: [ToolCall] = []
    }

    /// One call of a model, until it ends.
    private struct Attempt {
        /// Whether the model has said, thought or called anything: from then on nothing is tried again.
        var hasBegun = false
        /// Bytes of all that it said.
        var received = 0
        /// Bytes of what it thought, which are among the received.
        var thought = 0
        var isFinished = false
    }

    /// Asks the model, again if need be, and then the models that stand in for it, and passes on what is said.
    ///
    /// Something is tried again only while nothing was said in the call, because what was passed on cannot be taken back.
    ///
    /// - Throws: what came of the last attempt.
    func ask(
        _ calls: inout ModelCalls, turn: RunningTurn, observer: any TurnObserver, account: inout TurnAccount
    ) async throws(Failure) -> Answer {
        // Where the answer will arrive, so that the way to it and back wakes no other thread.
        try await withTaskExecutorPreference(calls.thread) { () async throws(Failure) in
            try await tryModels(&calls, turn: turn, observer: observer, account: &account)
        }
    }

    @inline(never)
    private func tryModels(
        _ calls: inout ModelCalls, turn: RunningTurn, observer: any TurnObserver, account: inout TurnAccount
    ) async throws(Failure) -> Answer {
        var number = 1
        var isHalved = false
        while true {
            if turn.cause != nil { throw .endedEarly }
            var attempt = Attempt()
            let failure: Failure
            do throws(Failure) {
                let call = try await nextCall(of: calls)
                defer { if attempt.hasBegun || attempt.isFinished { account.note(call.omissions) } }
                return try await make(call, &calls, &attempt, turn: turn, observer: observer, account: &account)
            } catch {
                failure = error
            }
            guard !attempt.hasBegun, turn.cause == nil else { throw failure }
            account.usage.beginCall()
            if failure.code == .contextWindowExceeded {
                guard !isHalved, calls.halve() else { throw failure }
                isHalved = true
                continue
            }
            let notice = try await waitBeforeNext(after: failure, number, &calls, turn: turn, observer: observer)
            number = notice.attempt
            isHalved = isHalved && notice.attempt > 1
        }
    }

    /// What the model is asked next. The conversation is read if nobody remembers it.
    @inline(never)
    private func nextCall(of calls: ModelCalls) async throws(Failure) -> ModelCall {
        if let call = try calls.next() { return call }
        let path = calls.path
        path.take(try await store.history(endingAt: path.lastMessageID, maximumBytes: limits.maxHistoryBytes))
        guard let call = try calls.next() else { throw Failure(.internalError, "A conversation was read and is not known.") }
        return call
    }

    /// Says that the model is asked again, or another one is, and waits until then.
    ///
    /// - Throws: the failure, when nobody is left to ask.
    private func waitBeforeNext(
        after failure: Failure, _ number: Int, _ calls: inout ModelCalls, turn: RunningTurn, observer: any TurnObserver
    ) async throws(Failure) -> RetryNotice {
        let policy = settings.retry
        let delay = policy.delay(
            after: failure, attempt: number, chance: ambient.chance(), remaining: turn.deadline - ambient.monotonicMilliseconds())
        guard delay != nil || failure.isOutage && calls.moveOn() else { throw failure }
        let notice = RetryNotice(
            attempt: delay == nil ? 1 : number + 1, maxAttempts: policy.maxAttempts, delayMilliseconds: delay ?? 0,
            error: TurnError(calls.showsInsides ? failure : failure.forGuests), model: delay == nil ? calls.shownModel : nil)
        logger.notice(
            "a model is asked again",
            metadata: [
                "turn": .string(turn.id), "code": .string(failure.code.rawValue), "attempt": .stringConvertible(notice.attempt),
                "delayMs": .stringConvertible(notice.delayMilliseconds), "cause": .string(failure.underlying ?? failure.message),
            ])
        observer.observe([turn.event(.retryScheduled(notice))])
        guard notice.delayMilliseconds > 0 else { return notice }
        do throws(CancellationError) {
            try await ambient.sleep(milliseconds: notice.delayMilliseconds)
        } catch {
            throw .endedEarly
        }
        return notice
    }

    /// Calls a model once.
    private nonisolated(nonsending) func make(
        _ call: ModelCall, _ calls: inout ModelCalls, _ attempt: inout Attempt, turn: RunningTurn, observer: any TurnObserver,
        account: inout TurnAccount
    ) async throws(Failure) -> Answer {
        turn.willCallModel()
        turn.keep(nil)
        defer { count(call, attempt, &calls, &account) }
        var stream = try await call.begin()
        var answer = Answer(stopReason: .endTurn)
        while let events = try await stream.next() {
            take(events, of: call.selection, into: &answer, &calls, &attempt, turn: turn, observer: observer, account: &account)
            if attempt.isFinished { return answer }
            if calls.bytesLeft < 0 { return Answer(stopReason: .maxTokens) }
            if turn.cause != nil { throw .endedEarly }
            if !observer.isReady { await observer.ready() }
        }
        throw Failure(.modelUnavailable, "The model's answer stopped before its end.")
    }

    /// Counts what a call has cost, and learns from it.
    @inline(never)
    private func count(_ call: ModelCall, _ attempt: Attempt, _ calls: inout ModelCalls, _ account: inout TurnAccount) {
        if let counted = account.usage.ofMessage {
            calls.estimate = TokenEstimate(tokens: counted.inputTokens, of: call.bytes)
        } else if attempt.hasBegun || attempt.isFinished {
            account.usage.take(
                .estimated(sent: call.bytes, received: attempt.received, reasoning: attempt.thought),
                prices: call.selection.description.prices)
        }
    }

    /// Takes what has arrived of an answer and passes it on.
    @inline(never)
    private func take(
        _ events: [ModelEvent], of selection: ModelCatalog.Selection, into answer: inout Answer, _ calls: inout ModelCalls,
        _ attempt: inout Attempt, turn: RunningTurn, observer: any TurnObserver, account: inout TurnAccount
    ) {
        var pieces: [AnswerPiece] = []
        pieces.reserveCapacity(events.count)
        let receivedBefore = attempt.received
        for event in events {
            switch event {
            case .textDelta(let text):
                pieces.append(AnswerPiece(kind: .text, text: text))
                attempt.received += text.utf8.count
            case .reasoningDelta(let text):
                // What a published bot thinks may quote what it was told.
                if calls.showsInsides { pieces.append(AnswerPiece(kind: .reasoning, text: text)) }
                attempt.received += text.utf8.count
                attempt.thought += text.utf8.count
            case .replay(let value): turn.keep(Message.Replay(model: selection.id, value: value))
            case .toolCall(let call):
                answer.calls.append(named(call, besides: answer.calls))
                attempt.received += call.bytes
            case .usage(let latest): account.usage.take(latest, prices: selection.description.prices)
            case .finished(let reason):
                answer.stopReason = reason
                attempt.isFinished = true
            }
        }
        attempt.hasBegun = attempt.received > 0
        calls.bytesLeft -= attempt.received - receivedBefore
        guard !pieces.isEmpty else { return }
        observer.observe(turn.append(pieces) { calls.message(in: turn, ambient) })
    }

    /// Gives a call an id where the model gave none, or one twice.
    private func named(_ call: ToolCall, besides others: [ToolCall]) -> ToolCall {
        var call = call
        if call.id.isEmpty || others.contains(where: { $0.id == call.id }) { call.id = ambient.newID(.toolCall) }
        return call
    }
}

extension Failure {
    /// What a turn's work fails with when the turn was ended meanwhile; the turn knows why.
    static var endedEarly: Failure { Failure(.cancelled, "The turn was ended early.") }
}
