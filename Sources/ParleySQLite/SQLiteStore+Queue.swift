package import ParleyCore

extension SQLiteStore {
    package func advanceQueue(
        waiting: [String], deadline: Timestamp, at now: Timestamp, unless isEnding: @escaping @Sendable () -> Bool
    ) async throws(Failure) -> [(id: String, step: QueueStep)] {
        // Most of the time nothing can begin, and looking holds up nobody who writes.
        guard try await read({ try $0.mayAdvanceQueue(waiting: waiting) }) else { return [] }
        return try await write { try isEnding() ? [] : $0.advanceQueue(waiting: waiting, deadline: deadline, at: now) }
    }

    package func leaveQueue(_ id: String, at now: Timestamp) async throws(Failure) -> TurnResult {
        try await write { transaction in
            try transaction.result(of: transaction.leaveQueue(transaction.turn(id), at: now))
        }
    }
}
