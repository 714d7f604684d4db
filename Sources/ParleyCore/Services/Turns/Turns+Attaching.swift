/// Following turns that other requests began: from memory while they run in this process, otherwise from what is stored of them.
extension Turns {
    /// How often a turn of another process is looked at, in milliseconds.
    private static let lookMilliseconds: Int64 = 100
    /// In each of how many looks the turns of hosts that are gone are recovered.
    private static let looksPerRecovery = 10

    /// Passes on what a turn has produced after a number, and what it goes on to produce, to its end.
    ///
    /// A turn of this process is followed event by event. Of any other what is stored is passed on, as a snapshot that replaces all that came
    /// before, whenever there is more of it. The end always comes, with a snapshot before it unless all up to it is held already.
    ///
    /// - Parameters:
    ///   - sequence: the number of the last event that is held; 0 for none.
    ///   - follower: takes it.
    ///   - attached: called once it is certain that the turn is the caller's.
    /// - Returns: what became of the turn; nil when the follower takes no more before its end.
    /// - Throws: `notFound`; `invalidParams` (path `afterSeq`) for a number that the turn has not come to; `cancelled` when the caller stops
    ///   waiting, which changes nothing for the turn.
    package func attach(
        to id: String, after sequence: Int, for caller: Caller, follower: any TurnFollower, attached: () -> Void
    ) async throws(Failure) -> TurnResult? {
        guard sequence >= 0 else { throw .invalidParams(path: "afterSeq", reason: "expected at least 0") }
        // Only the store knows whose turn it is. Of one that goes on, nothing more is read yet.
        var stored = try await store.snapshot(ofTurn: id, beyond: .max, for: caller)
        attached()
        // An interrupted turn may have come further than what its process has left of it.
        if let stored, stored.turn.status != .interrupted { try require(sequence, notBeyond: stored.lastSequence) }
        var held = sequence
        for look in 0... {
            if let stored {
                guard !stored.turn.status.isTerminal else { return end(stored, held: held, follower) }
                follower.observe([stored.event(stored.lastSequence)])
                if follower.isFull { return nil }
                held = stored.lastSequence
            }
            if let turn = running[id] { return try await follow(turn, after: held, follower) }
            if look > 0 {
                // At once, and then each second, in case its process dies meanwhile.
                let hasChanged = look % Self.looksPerRecovery == 1 ? try await store.recoverTurns(at: ambient.now()) > 0 : false
                if !hasChanged, await !waitForNextLook() { break }
            }
            await follower.ready()
            // Whoever holds nothing is told the turn at once; the others, when there is more than they hold.
            let beyond = look == 0 && sequence == 0 ? -1 : held
            stored = try await store.snapshot(ofTurn: id, beyond: beyond, for: caller)
        }
        throw .detached
    }

    /// - Returns: false when the task is cancelled before.
    private func waitForNextLook() async -> Bool {
        do throws(CancellationError) {
            try await ambient.sleep(milliseconds: Self.lookMilliseconds)
            return true
        } catch {
            return false
        }
    }

    private func follow(_ turn: RunningTurn, after held: Int, _ follower: any TurnFollower) async throws(Failure) -> TurnResult? {
        try require(held, notBeyond: turn.lastSequence)
        let number = turn.add(follower)
        defer { turn.removeFollower(number) }
        let wait = turn.announceWait()
        follower.follow(turn.cursor(after: held)) { turn.endWait(wait) }
        let result = await turn.result(wait: wait)
        if follower.isFull {
            // One event may be too much for several.
            await ambient.rest(place: wait)
            return nil
        }
        guard let result else { throw .detached }
        guard result.turn.status.isTerminal else {
            throw Failure(.shuttingDown, "The turn waits for another process, because this one ends.")
        }
        guard await follower.hasEnded() else { throw .detached }
        return follower.isFull ? nil : result
    }

    private func require(_ sequence: Int, notBeyond last: Int) throws(Failure) {
        guard sequence <= last else {
            throw .invalidParams(path: "afterSeq", reason: "is beyond \(last), the number of the turn's last event")
        }
    }

    /// Passes on how a turn has ended that this process does not run.
    ///
    /// - Returns: nil when the follower does not take it.
    private func end(_ stored: TurnSnapshot, held: Int, _ follower: any TurnFollower) -> TurnResult? {
        let last = max(1, stored.lastSequence)
        // Numbers beyond what a dead process has left of a turn may have been given out by it, also that of the end.
        let isHeld = held == last - 1 || held == last && stored.turn.status != .interrupted
        var events = held > 0 && isHeld ? [] : [stored.event(last - 1)]
        events.append(
            TurnEvent(
                conversationID: stored.turn.conversationID, turnID: stored.turn.id, sequence: last, body: .completed(stored.result)))
        follower.observe(events)
        return follower.isFull ? nil : stored.result
    }
}

extension Failure {
    /// What a request fails with that follows a turn no more.
    fileprivate static var detached: Failure { Failure(.cancelled, "The request was cancelled while it followed the turn, which goes on.") }
}

extension TurnSnapshot {
    /// The event that passes it on.
    fileprivate func event(_ sequence: Int) -> TurnEvent {
        TurnEvent(conversationID: turn.conversationID, turnID: turn.id, sequence: sequence, body: .snapshot(self))
    }
}
