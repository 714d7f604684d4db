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

    package func exportConversation(
        _ id: String, _ extent: ConversationExcerpt.Extent, cursor: String?, for caller: Caller
    ) async throws(Failure) -> ConversationExcerpt {
        try await read { try $0.export($0.conversation(id, of: $0.person(caller)), extent, cursor: cursor) }
    }

    package func importConversation(
        _ new: ConversationImport, for caller: Caller
    ) async throws(Failure) -> (conversation: Conversation, messages: Int) {
        let messages = try await importDesk.perform { () throws(Failure) in
            var messages: [ImportedMessage] = []
            for number in new.places.indices { messages.append(ImportedMessage(try new.message(number))) }
            return messages
        }
        return try await write { try $0.importConversation(new, messages, for: caller) }
    }
}
