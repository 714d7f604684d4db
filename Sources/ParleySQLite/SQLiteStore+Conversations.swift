package import ParleyCore

extension SQLiteStore {
    package func createConversation(_ new: NewConversation, for caller: Caller) async throws(Failure) -> Conversation {
        try await write { transaction in
            let person = try transaction.personForWriting(caller, at: new.createdAt)
            if let request = new.request {
                if let made = try transaction.result(of: request, .conversation, by: person) {
                    return try transaction.conversation(made, of: person).value
                }
                try transaction.remember(request, .conversation, of: person, result: new.id, at: new.createdAt)
            }
            try transaction.insert(new, owner: person)
            return try transaction.conversation(new.id, of: person).value
        }
    }

    package func conversation(_ id: String, for caller: Caller) async throws(Failure) -> Conversation {
        try await read { transaction in
            try transaction.conversation(id, of: transaction.person(caller)).value
        }
    }

    package func conversations(
        _ filter: ConversationFilter, page: PageRequest, for caller: Caller
    ) async throws(Failure) -> Page<Conversation> {
        try await read { transaction in
            try transaction.conversations(of: transaction.person(caller), filter, page: page)
        }
    }

    package func updateConversation(
        _ id: String, _ change: ConversationChange, at now: Timestamp, for caller: Caller
    ) async throws(Failure) -> Conversation {
        try await write { transaction in
            let person = try transaction.person(caller)
            var conversation = try transaction.conversation(id, of: person)
            if let head = change.headMessageID {
                try transaction.moveHead(of: conversation, to: head, at: now)
                conversation = try transaction.conversation(id, of: person)
            }
            let title = conversation.value.title
            conversation.value.apply(change, at: now)
            try transaction.update(conversation, isRenamed: conversation.value.title != title, at: now)
            return conversation.value
        }
    }

    package func setBot(
        _ botID: String?, ofConversation id: String, at now: Timestamp, for caller: Caller
    ) async throws(Failure) -> Conversation {
        try await write { transaction in
            let person = try transaction.person(caller)
            var conversation = try transaction.conversation(id, of: person)
            let bot = try botID.map { try transaction.usableBot($0, by: person) }
            conversation.value.botID = bot?.value.id
            conversation.value.updatedAt = now
            try transaction.link(conversation, to: bot?.key, at: now)
            return conversation.value
        }
    }

    package func deleteConversation(_ id: String, at now: Timestamp, for caller: Caller) async throws(Failure) {
        try await write { transaction in
            let conversation = try transaction.conversation(id, of: transaction.person(caller))
            try transaction.requireFree(conversation, at: now)
            try transaction.delete(conversation, at: now)
        }
    }

    package func messages(
        inConversation id: String, page: PageRequest, for caller: Caller
    ) async throws(Failure) -> Page<Message> {
        try await read { transaction in
            try transaction.messages(in: transaction.conversation(id, of: transaction.person(caller)), page: page)
        }
    }

    package func siblings(
        of messageID: String, inConversation id: String, page: PageRequest, for caller: Caller
    ) async throws(Failure) -> Page<Message> {
        try await read { transaction in
            try transaction.siblings(of: messageID, in: transaction.conversation(id, of: transaction.person(caller)), page: page)
        }
    }
}

extension Conversation {
    fileprivate mutating func apply(_ change: ConversationChange, at now: Timestamp) {
        title = change.title ?? title
        metadata = change.metadata ?? metadata
        pinned = change.pinned ?? pinned
        archived = change.archived ?? archived
        // What is only filed keeps its place among what has happened.
        if !change.onlyFiles { updatedAt = now }
    }
}
