package import JSON

/// Conversations: making, finding, changing, deleting them.
package struct Conversations: Sendable {
    let store: any Store
    private let turns: Turns
    let ambient: any Ambient
    let limits: Limits
    /// Where files are checked.
    let fileDesk = FileDesk()

    /// Serves conversations from a store.
    ///
    /// - Parameter turns: those that must end before their conversation is deleted.
    package init(store: any Store, turns: Turns, ambient: any Ambient, limits: Limits) {
        self.store = store
        self.turns = turns
        self.ambient = ambient
        self.limits = limits
    }

    /// Makes a conversation.
    ///
    /// - Parameters:
    ///   - title: nil or empty to let the first message give one.
    ///   - metadata: an object; nil for an empty one.
    ///   - requestID: what the client calls the request, so that it may be repeated; of no use to a person who is made by it.
    /// - Throws: `invalidParams`, `notFound` (bot), `idempotencyConflict`, `quotaExceeded` (`address.anonymousUsers`).
    package func create(
        title: String?, botID: String?, metadata: JSONValue?, requestID: String? = nil, for caller: Caller
    ) async throws(Failure) -> Conversation {
        let title = try checked(title: title ?? "")
        let metadata = try checked(metadata: metadata ?? [:])
        let request = try ClientRequest.named(
            requestID, path: "clientRequestId", content: [.string(title), botID.map(JSONValue.string) ?? .null, metadata])
        return try await store.createConversation(
            NewConversation(
                id: ambient.newID(.conversation), title: title, botID: botID, metadata: metadata, createdAt: ambient.now(),
                request: request),
            for: caller)
    }

    /// Reads one conversation.
    ///
    /// - Throws: `notFound`.
    package func get(_ id: String, for caller: Caller) async throws(Failure) -> Conversation {
        try await store.conversation(id, for: caller)
    }

    /// Lists conversations, the most recently changed first.
    ///
    /// - Throws: `invalidParams` (path `cursor`).
    package func list(_ filter: ConversationFilter, page: PageRequest, for caller: Caller) async throws(Failure) -> Page<Conversation> {
        try await store.conversations(filter, page: page, for: caller)
    }

    /// Finds conversations by what was said in them, or by their titles, the most recently changed first.
    ///
    /// - Parameter isSettled: called as soon as it is settled what there is to be found.
    /// - Throws: `invalidParams` (path `cursor`); `cancelled` at once when the task is cancelled.
    package func search(
        _ search: ConversationSearch, page: PageRequest, for caller: Caller, isSettled: @escaping @Sendable () -> Void
    ) async throws(Failure) -> Page<FoundConversation> {
        try await store.searchConversations(search, page: page, for: caller, isSettled: isSettled)
    }

    /// Changes title and metadata, which message the next one follows, and whether it is pinned or archived.
    ///
    /// - Throws: `invalidParams`, `notFound` (conversation, message), `conversationBusy` when the head is to move and a turn runs.
    package func update(_ id: String, _ change: ConversationChange, for caller: Caller) async throws(Failure) -> Conversation {
        var change = change
        if let title = change.title { change.title = try checked(title: title) }
        if let metadata = change.metadata { change.metadata = try checked(metadata: metadata) }
        return try await store.updateConversation(id, change, at: ambient.now(), for: caller)
    }

    /// Links a conversation to a bot; nil unlinks it.
    ///
    /// - Throws: `notFound` (conversation or bot).
    package func setBot(_ botID: String?, of id: String, for caller: Caller) async throws(Failure) -> Conversation {
        try await store.setBot(botID, ofConversation: id, at: ambient.now(), for: caller)
    }

    /// Deletes a conversation with all that was said; a turn that runs in it is cancelled first.
    ///
    /// - Throws: `notFound`.
    package func delete(_ id: String, for caller: Caller) async throws(Failure) {
        try await turns.cancellingWhatIsInTheWay(for: caller) { () throws(Failure) in
            try await store.deleteConversation(id, at: ambient.now(), for: caller)
        }
    }

    /// Lists messages from the head backwards.
    ///
    /// - Throws: `notFound` (conversation), `invalidParams` (path `cursor`).
    package func messages(of id: String, page: PageRequest, for caller: Caller) async throws(Failure) -> Page<Message> {
        try await store.messages(inConversation: id, page: page, for: caller)
    }

    /// Lists a message and its siblings, the first that was made first.
    ///
    /// - Throws: `notFound` (conversation, message), `invalidParams` (path `cursor`).
    package func siblings(
        of messageID: String, in id: String, page: PageRequest, for caller: Caller
    ) async throws(Failure) -> Page<Message> {
        try await store.siblings(of: messageID, inConversation: id, page: page, for: caller)
    }

    /// A title that comes from a message, without a model: its first line that says something, cut between words at 60 characters.
    package static func title(fromMessage text: String) -> String {
        var title = ""
        var rest = text.drop(while: \.isWhitespace)
        while rest.first.map({ !$0.isNewline }) ?? false {
            let whole = rest.prefix { !$0.isWhitespace }
            rest = rest[whole.endIndex...].drop { $0.isWhitespace && !$0.isNewline }
            // A hostile word may be long in bytes and short in characters.
            let word = whole.utf8.count > 480 ? Substring(String(decoding: whole.utf8.prefix(480), as: UTF8.self)) : whole
            let candidate = title.isEmpty ? String(word) : "\(title) \(word)"
            if candidate.count > 60 {
                return (title.isEmpty ? String(candidate.prefix(59)) : title) + "…"
            }
            title = candidate
        }
        return title
    }

    func checked(title: String) throws(Failure) -> String {
        guard Limits.fits(title, characters: limits.maxTitleCharacters) else {
            throw .invalidParams(path: "title", reason: "longer than \(limits.maxTitleCharacters) characters")
        }
        return title
    }

    func checked(metadata: JSONValue) throws(Failure) -> JSONValue {
        try metadata.checkedObject(path: "metadata", maximumBytes: limits.maxMetadataBytes)
    }
}

extension JSONValue {
    /// How deep arrays and objects nest; reading has bounded it.
    var depth: Int {
        switch self {
        case .array(let elements): 1 + (elements.lazy.map(\.depth).max() ?? 0)
        case .object(let members): 1 + (members.values.lazy.map(\.depth).max() ?? 0)
        default: 0
        }
    }

    /// The value itself when it is an object of at most so many bytes of JSON.
    ///
    /// - Throws: `invalidParams` with the path.
    func checkedObject(path: String, maximumBytes: Int) throws(Failure) -> JSONValue {
        guard case .object = self else { throw .invalidParams(path: path, reason: "expected an object") }
        guard depth <= Limits.maxJSONDepth else {
            throw .invalidParams(path: path, reason: "nested deeper than \(Limits.maxJSONDepth)")
        }
        guard JSONWriter.encode(self).count <= maximumBytes else {
            throw .invalidParams(path: path, reason: "larger than \(maximumBytes) bytes of JSON")
        }
        return self
    }
}
