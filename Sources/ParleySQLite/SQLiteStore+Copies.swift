package import ParleyCore

extension SQLiteStore {
    package func rateMessage(
        _ id: String, as rating: Message.Rating?, at now: Timestamp, for caller: Caller
    ) async throws(Failure) -> Message {
        try await write { try $0.rate(id, as: rating, at: now, by: $0.person(caller)) }
    }

    package func forkConversation(_ fork: ConversationFork, for caller: Caller) async throws(Failure) -> Conversation {
        try await write { try $0.fork(fork, for: caller) }
    }
}
