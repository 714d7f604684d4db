import Logging

/// Turns that wait until they can begin.
extension Turns {
    /// How often it is looked for turns whose host is gone, in milliseconds.
    private static let watchMilliseconds: Int64 = 1_000

    /// Waits with a turn until it can begin, and runs it to its end.
    @inline(never)
    func runOnceBegun(
        _ queued: Shared<QueuedTurn>, client: TurnClient, turn: RunningTurn, observer: any TurnObserver, returnsConversation: Bool,
        ended: (TurnResult) -> Void
    ) async {
        switch await step(of: queued, turn: turn, observer: observer) {
        case .begun(let begun):
            await run(begun, client: client, turn: turn, observer: observer, returnsConversation: returnsConversation, ended: ended)
        case .ended(let result): await end(turn, with: result, observer: observer, ended: ended)
        case .deleted:
            var gone = queued.turn
            gone.status = .cancelled
            gone.stopReason = .cancelled
            gone.completedAt = ambient.now()
            await end(turn, with: TurnResult(turn: gone, message: nil), observer: observer, ended: ended)
        case nil:
            let result = TurnResult(turn: queued.turn, message: nil)
            ended(result)
            running.remove(turn)
            await turn.finish(result)
        }
    }

    /// Waits with a turn of this process until it can begin.
    ///
    /// - Returns: what has become of it; nil when the process ends, and the turn waits for another one.
    func step(of queued: Shared<QueuedTurn>, turn: RunningTurn, observer: any TurnObserver) async -> QueueStep? {
        let place = QueuePlace(ambient: ambient)
        running.insert(place, of: turn)
        observer.observe([turn.event(.queued(queued.turn, position: queued.position))])
        if let warning = queued.warning { observer.observe([turn.event(.quotaWarning(warning))]) }
        if let id = queued.interrupted { running[id]?.end(.cancelled) }
        // What was in the way may be gone already.
        await advanceQueue()
        if let step = await place.step(isPatient: false) { return step }
        if turn.cause == .interrupted, running.takePlace(turn.id) != nil { return nil }
        await advanceQueue()
        return await place.step(isPatient: true)
    }

    /// Begins turns of which nobody else will know that they can begin: those of hosts that are gone. Runs until its task is cancelled.
    ///
    /// Must be counted as an activity by whoever calls it.
    package func watchQueue() async {
        // Nobody shares what is not kept.
        guard store.isPersistent else { return }
        while !Task.isCancelled {
            await advanceQueue()
            do {
                try await ambient.sleep(milliseconds: Self.watchMilliseconds)
            } catch {
                return
            }
        }
    }

    /// Lets the turns that wait begin as far as they can, and those that somebody has cancelled end.
    func advanceQueue() async {
        guard running.beginAdvancing() else { return }
        repeat {
            do throws(Failure) {
                for turn in running.waiting.sorted() where turn.cause == .cancelled { try await leaveQueue(turn) }
                // What waits when the process ends, waits for another one.
                if !running.isEnding { try await beginWhatCan() }
            } catch {
                // The monitor, or the watch, will try again.
                logger.warning("the queue did not advance", metadata: ["cause": .string(error.underlying ?? error.message)])
            }
        } while running.endAdvancing()
    }

    private func leaveQueue(_ turn: RunningTurn) async throws(Failure) {
        let step: QueueStep
        do throws(Failure) {
            let result = try await store.leaveQueue(turn.id, at: ambient.now())
            guard result.turn.status.isTerminal else { return }
            step = .ended(result)
        } catch {
            guard error.code == .notFound else { throw error }
            step = .deleted
        }
        running.takePlace(turn.id)?.tell(step)
        await ambient.rest()
    }

    private func beginWhatCan() async throws(Failure) {
        let now = ambient.now()
        let steps = try await store.advanceQueue(
            waiting: running.waiting.sorted().map(\.id), deadline: now.advanced(byMilliseconds: settings.deadlineMilliseconds), at: now,
            unless: { [running] in running.isEnding })
        for (id, step) in steps {
            if let place = running.takePlace(id) {
                place.tell(step)
            } else if case .begun(let begun) = step {
                adopter?(begun)
            }
            await ambient.rest()
        }
    }

    /// Runs a turn that waited, and that nobody is told of, because its host is gone.
    ///
    /// - Parameter cancellation: ends the task that calls this.
    package func run(_ begun: BegunTurn, cancellation: Cancellation) async {
        let turn = track(begun.admitted.turn, lastSequence: QueuedTurn.eventsBefore, cancellation: cancellation)
        await run(begun, client: TurnClient(caller: begun.caller), turn: turn, observer: TurnAudience(sender: NoObserver(), turn: turn)) {
            _ in
        }
    }

    /// Runs a turn that waited.
    func run(
        _ begun: BegunTurn, client: TurnClient, turn: RunningTurn, observer: any TurnObserver, returnsConversation: Bool = false,
        ended: (TurnResult) -> Void
    ) async {
        var client = client
        // The conversation may have been claimed in the meantime.
        client.caller = begun.caller
        turn.deadline = ambient.monotonicMilliseconds() + settings.deadlineMilliseconds
        if begun.isInterrupted { turn.end(.cancelled) }
        await run(
            Shared(begun.admitted), client: client, turn: turn, observer: observer, returnsConversation: returnsConversation,
            isRecheckNeeded: true, ended: ended)
    }
}
