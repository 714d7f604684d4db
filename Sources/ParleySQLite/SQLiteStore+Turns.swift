package import ParleyCore

extension SQLiteStore {
    package func admitTurn(_ new: NewTurn, for caller: Caller) async throws(Failure) -> TurnAdmission {
        do {
            return try await write { try $0.admit(new, for: caller) }
        } catch {
            // What fills a limit may be held by turns of hosts that are gone.
            guard error.code == .quotaExceeded, try await read({ try $0.isAnyHostGone() }), try await recoverTurns(at: new.now) > 0 else {
                throw error
            }
            return try await write { try $0.admit(new, for: caller) }
        }
    }

    package func history(endingAt messageID: String, maximumBytes: Int) async throws(Failure) -> History {
        try await read { try $0.history(endingAt: messageID, maximumBytes: maximumBytes) }
    }

    package func checkpoint(_ checkpoints: [TurnCheckpoint]) async throws(Failure) {
        try await write { transaction in
            for checkpoint in checkpoints { try transaction.store(checkpoint) }
        }
    }

    package func appendMessages(_ messages: [Message], toTurn id: String, lastSequence: Int) async throws(Failure) {
        try await write { transaction in
            let turn = try transaction.turn(id)
            guard transaction.isOurs(turn) else { throw Failure.notFound(.turn, id) }
            try transaction.append(messages, to: turn, lastSequence: lastSequence)
        }
    }

    package func finishTurn(_ outcome: TurnOutcome) async throws(Failure) -> TurnResult {
        guard outcome.status.isTerminal else { throw Failure(.internalError, "A turn cannot end as in progress.") }
        return try await write { transaction in
            let turn = try transaction.turn(outcome.turnID)
            return try transaction.isOurs(turn) ? transaction.end(turn, outcome) : transaction.result(of: turn)
        }
    }

    package func turn(_ id: String, for caller: Caller) async throws(Failure) -> TurnResult {
        try await read { transaction in
            try transaction.result(of: transaction.turn(id, of: transaction.person(caller)))
        }
    }

    package func snapshot(ofTurn id: String, beyond sequence: Int, for caller: Caller) async throws(Failure) -> TurnSnapshot? {
        try await read { transaction in
            try transaction.snapshot(of: transaction.turn(id, of: transaction.person(caller)), beyond: sequence)
        }
    }

    package func requestCancel(
        ofTurn id: String, withQueue: Bool, at now: Timestamp, for caller: Caller
    ) async throws(Failure) -> TurnResult {
        try await write { transaction in
            let turn = try transaction.turn(id, of: transaction.person(caller))
            if withQueue { try transaction.leaveQueue(whereConversation: "c.key", turn.conversation, at: now) }
            return try transaction.result(of: transaction.cancel(turn, at: now))
        }
    }

    package func turnsToCancel() async throws(Failure) -> [String] {
        try await read { try $0.turnsToCancel() }
    }

    package func recoverTurns(at now: Timestamp) async throws(Failure) -> Int {
        try await write { try $0.recoverTurns(at: now) }
    }
}
