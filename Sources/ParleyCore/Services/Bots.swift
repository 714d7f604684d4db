package import JSON

/// Bots: making, finding, changing, deleting them.
package struct Bots: Sendable {
    /// A bot as somebody asks for it.
    package struct Draft: Sendable {
        /// What it is called.
        package var name: String
        /// What it is for, in the words of its owner.
        package var description: String
        /// What the model is told beforehand; nil for the default.
        package var instructions: String?
        /// The model, as `PROVIDER:MODEL`; nil for the default.
        package var model: String?
        /// The models that answer when the first cannot; nil for the process's own.
        package var fallbackModels: [String]?
        /// 0 to 2; nil for the model's own default.
        package var temperature: Double?
        /// The names of the tools that it may call; nil for all.
        package var tools: [String]?
        /// An opaque object of the client's own.
        package var config: JSONValue?
        /// Who may use it.
        package var visibility: Bot.Visibility
        /// What the client calls the request, so that it may be repeated; nil when it cannot be.
        package var requestID: String?

        /// Makes one of its fields; see them for what the parameters mean.
        package init(
            name: String, description: String = "", instructions: String? = nil, model: String? = nil,
            fallbackModels: [String]? = nil, temperature: Double? = nil, tools: [String]? = nil, config: JSONValue? = nil,
            visibility: Bot.Visibility = .private, requestID: String? = nil
        ) {
            self.name = name
            self.description = description
            self.instructions = instructions
            self.model = model
            self.fallbackModels = fallbackModels
            self.temperature = temperature
            self.tools = tools
            self.config = config
            self.visibility = visibility
            self.requestID = requestID
        }
    }

    private let store: any Store
    private let models: ModelCatalog
    private let ambient: any Ambient
    private let limits: Limits

    /// Serves bots from a store.
    ///
    /// - Parameter models: what a bot's `model` may name.
    package init(store: any Store, models: ModelCatalog, ambient: any Ambient, limits: Limits) {
        self.store = store
        self.models = models
        self.ambient = ambient
        self.limits = limits
    }

    /// Makes a bot.
    ///
    /// - Throws: `invalidParams`, `modelNotAllowed`, `nameTaken`, `quotaExceeded`, `idempotencyConflict`.
    package func create(_ draft: Draft, for caller: Caller) async throws(Failure) -> Bot {
        let now = ambient.now()
        let bot = Bot(
            id: ambient.newID(.bot), name: try checked(name: draft.name), description: try checked(description: draft.description),
            instructions: try checked(instructions: draft.instructions), model: try checked(model: draft.model, for: caller),
            fallbackModels: try checked(fallbackModels: draft.fallbackModels, for: caller),
            temperature: try checked(temperature: draft.temperature), tools: try checked(tools: draft.tools),
            config: try checked(config: draft.config),
            visibility: try checked(visibility: draft.visibility, for: caller), revision: 1, createdAt: now, updatedAt: now)
        let request = try ClientRequest.named(draft.requestID, path: "clientRequestId", content: bot.content)
        return try await store.createBot(bot, request: request, for: caller)
    }

    /// Reads one bot.
    ///
    /// - Throws: `notFound`.
    package func get(_ id: String, for caller: Caller) async throws(Failure) -> Bot {
        try await store.bot(id, for: caller)
    }

    /// Lists bots by name.
    ///
    /// - Throws: `invalidParams` (path `cursor`).
    package func list(_ scope: BotScope, page: PageRequest, for caller: Caller) async throws(Failure) -> Page<Bot> {
        try await store.bots(scope, page: page, for: caller)
    }

    /// Changes a bot.
    ///
    /// - Parameter revision: refuse unless the bot's revision is this one; nil for any.
    /// - Throws: `invalidParams`, `modelNotAllowed`, `notFound`, `revisionConflict`, `nameTaken`.
    package func update(_ id: String, _ change: BotChange, ifRevision revision: Int?, for caller: Caller) async throws(Failure) -> Bot {
        var change = change
        if let name = change.name { change.name = try checked(name: name) }
        if let description = change.description { change.description = try checked(description: description) }
        if let instructions = change.instructions { change.instructions = .some(try checked(instructions: instructions)) }
        if let model = change.model { change.model = .some(try checked(model: model, for: caller)) }
        if let names = change.fallbackModels { change.fallbackModels = .some(try checked(fallbackModels: names, for: caller)) }
        if let temperature = change.temperature { change.temperature = .some(try checked(temperature: temperature)) }
        if let tools = change.tools { change.tools = .some(try checked(tools: tools)) }
        if let config = change.config { change.config = .some(try checked(config: config)) }
        if let visibility = change.visibility { change.visibility = try checked(visibility: visibility, for: caller) }
        return try await store.updateBot(id, change, ifRevision: revision, at: ambient.now(), for: caller)
    }

    /// Deletes a bot; its conversations stay.
    ///
    /// - Throws: `notFound`.
    package func delete(_ id: String, for caller: Caller) async throws(Failure) {
        try await store.deleteBot(id, at: ambient.now(), for: caller)
    }

    private func checked(name: String) throws(Failure) -> String {
        let name = String(name.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        guard !name.isEmpty, Limits.fits(name, characters: Limits.maxNameCharacters) else {
            throw .invalidParams(
                path: "name", reason: "expected 1 to \(Limits.maxNameCharacters) characters beside white space at its ends")
        }
        let refused: [Unicode.GeneralCategory] = [.control, .lineSeparator, .paragraphSeparator]
        guard !name.unicodeScalars.contains(where: { refused.contains($0.properties.generalCategory) }) else {
            throw .invalidParams(path: "name", reason: "control characters and line breaks are not allowed")
        }
        return name
    }

    private func checked(description: String) throws(Failure) -> String {
        guard Limits.fits(description, characters: limits.maxDescriptionCharacters) else {
            throw .invalidParams(path: "description", reason: "longer than \(limits.maxDescriptionCharacters) characters")
        }
        return description
    }

    private func checked(instructions: String?) throws(Failure) -> String? {
        guard (instructions ?? "").utf8.count <= limits.maxInstructionsBytes else {
            throw .invalidParams(path: "instructions", reason: "larger than \(limits.maxInstructionsBytes) bytes")
        }
        return instructions
    }

    private func checked(model: String?, for caller: Caller) throws(Failure) -> String? {
        guard let model else { return nil }
        return try models.select(model, for: caller.kind).id
    }

    private func checked(fallbackModels names: [String]?, for caller: Caller) throws(Failure) -> [String]? {
        guard let names else { return nil }
        guard names.count <= Limits.maxFallbackModels else {
            throw .invalidParams(path: "fallbackModels", reason: "expected at most \(Limits.maxFallbackModels) names")
        }
        var ids: [String] = []
        for (index, name) in names.enumerated() {
            do throws(Failure) {
                ids.append(try models.select(name, for: caller.kind).id)
            } catch {
                throw error.at(path: "fallbackModels[\(index)]")
            }
        }
        return ids
    }

    private func checked(visibility: Bot.Visibility, for caller: Caller) throws(Failure) -> Bot.Visibility {
        guard visibility == .private || caller.kind == .operator else {
            throw .invalidParams(path: "visibility", reason: "only the operator publishes bots")
        }
        return visibility
    }

    private func checked(temperature: Double?) throws(Failure) -> Double? {
        guard (0...2).contains(temperature ?? 0) else {
            throw .invalidParams(path: "temperature", reason: "expected a number from 0 to 2")
        }
        return temperature
    }

    private func checked(tools: [String]?) throws(Failure) -> [String]? {
        guard tools?.count ?? 0 <= Limits.maxBotTools, tools?.allSatisfy({ (1...64).contains($0.utf8.count) }) ?? true else {
            throw .invalidParams(path: "tools", reason: "expected at most \(Limits.maxBotTools) names of 1 to 64 bytes")
        }
        return tools
    }

    private func checked(config: JSONValue?) throws(Failure) -> JSONValue? {
        try config?.checkedObject(path: "config", maximumBytes: limits.maxConfigBytes)
    }
}

extension Bot {
    /// All that whoever asked for the bot has chosen.
    fileprivate var content: JSONValue {
        let content: JSONValue = [
            .string(name), .string(description), instructions.map(JSONValue.string) ?? .null, model.map(JSONValue.string) ?? .null,
            temperature.map { .string("\($0)") } ?? .null,
            tools.map { .array($0.map { .string($0) }) } ?? .null, config ?? .null, .string(visibility.rawValue),
        ]
        // Only where there are some: without, a request has the content that it had before there were any.
        guard let fallbackModels, case .array(let content) = content else { return content }
        return .array(content + [.array(fallbackModels.map { .string($0) })])
    }
}
