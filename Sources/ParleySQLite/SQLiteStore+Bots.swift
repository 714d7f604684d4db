package import ParleyCore

extension SQLiteStore {
    package func createBot(_ new: Bot, request: ClientRequest?, for caller: Caller) async throws(Failure) -> Bot {
        try await write { transaction in
            let person = try transaction.personForWriting(caller, at: new.createdAt)
            if let request {
                if let made = try transaction.result(of: request, .bot, by: person) {
                    return try transaction.bot(made, of: person).value
                }
                try transaction.remember(request, .bot, of: person, result: new.id, at: new.createdAt)
            }
            if let key = QuotaKey.bots(of: caller.kind) { try transaction.takeBot(key, of: person, at: new.createdAt) }
            try transaction.insert(new, owner: person)
            return new
        }
    }

    package func bot(_ id: String, for caller: Caller) async throws(Failure) -> Bot {
        try await read { transaction in
            let person = try transaction.person(caller)
            return try transaction.usableBot(id, by: person).value(for: person)
        }
    }

    package func bots(_ scope: BotScope, page: PageRequest, for caller: Caller) async throws(Failure) -> Page<Bot> {
        try await read { transaction in
            try transaction.bots(scope, of: transaction.person(caller), page: page)
        }
    }

    package func updateBot(
        _ id: String, _ change: BotChange, ifRevision revision: Int?, at now: Timestamp, for caller: Caller
    ) async throws(Failure) -> Bot {
        try await write { transaction in
            var bot = try transaction.bot(id, of: transaction.person(caller))
            if let revision, revision != bot.value.revision {
                throw Failure(
                    .revisionConflict, "The bot has been changed in the meantime.",
                    details: [Failure.Detail("revision", .integer(Int64(bot.value.revision)))])
            }
            let wasPublished = bot.value.visibility == .published
            bot.value.apply(change)
            bot.value.revision += 1
            bot.value.updatedAt = now
            try transaction.update(bot, wasPublished: wasPublished)
            return bot.value
        }
    }

    package func deleteBot(_ id: String, at now: Timestamp, for caller: Caller) async throws(Failure) {
        try await write { transaction in
            try transaction.delete(transaction.bot(id, of: transaction.person(caller)), at: now)
        }
    }
}

extension Bot {
    fileprivate mutating func apply(_ change: BotChange) {
        name = change.name ?? name
        description = change.description ?? description
        instructions = change.instructions ?? instructions
        model = change.model ?? model
        fallbackModels = change.fallbackModels ?? fallbackModels
        temperature = change.temperature ?? temperature
        config = change.config ?? config
        visibility = change.visibility ?? visibility
        tools = change.tools ?? tools
    }
}
