import JSON

/// What is thought of answers, and conversations that are made of others.
extension Conversations {
    /// Rates an answer, or takes its rating back.
    ///
    /// - Parameters:
    ///   - verdict: nil for no rating.
    ///   - note: why, which goes only with a rating; nil or empty for no words.
    /// - Throws: `invalidParams`, `notFound` (message), `conversationBusy` while the turn runs that the message belongs to.
    package func rate(
        _ messageID: String, as verdict: Message.Rating.Verdict?, note: String?, for caller: Caller
    ) async throws(Failure) -> Message {
        let note = note.flatMap { $0.isEmpty ? nil : $0 }
        if let note {
            guard verdict != nil else { throw .invalidParams(path: "note", reason: "goes only with a rating") }
            guard Limits.fits(note, characters: Limits.maxRatingNoteCharacters) else {
                throw .invalidParams(path: "note", reason: "longer than \(Limits.maxRatingNoteCharacters) characters")
            }
        }
        let rating = verdict.map { Message.Rating(verdict: $0, note: note) }
        return try await store.rateMessage(messageID, as: rating, at: ambient.now(), for: caller)
    }

    /// Makes a conversation of the path that leads to a message of another one.
    ///
    /// - Parameters:
    ///   - messageID: the last message of the path; nil for the head.
    ///   - title: nil for that of the source, which says that it is a fork; empty to let the next message give one.
    ///   - requestID: what the client calls the request, so that it may be repeated.
    /// - Throws: `invalidParams`, also for a path that is more than may be copied; `notFound` (conversation, message); `conversationBusy` when the
    ///   path ends in a turn that runs; `idempotencyConflict`.
    package func fork(
        _ id: String, at messageID: String?, title: String?, requestID: String?, for caller: Caller
    ) async throws(Failure) -> Conversation {
        let title = try title.map { (title) throws(Failure) in try checked(title: title) }
        let request = try ClientRequest.named(
            requestID, path: "clientRequestId",
            content: [.string(id), messageID.map(JSONValue.string) ?? .null, title.map(JSONValue.string) ?? .null])
        let maximum = limits.maxTitleCharacters
        return try await store.forkConversation(
            ConversationFork(
                id: ambient.newID(.conversation), sourceID: id, messageID: messageID,
                title: { original in title ?? Self.title(ofForkOf: original, maximumCharacters: maximum) },
                bounds: limits.copyBounds(for: caller.kind), newID: { [ambient] in ambient.newID($0) }, now: ambient.now(),
                request: request),
            for: caller)
    }

    /// The title of a fork, which one that is a fork already has as well; without a title there is none.
    ///
    /// - Parameter maximumCharacters: the longest title; a longer one is cut, and where not even the remark has room it is left out.
    static func title(ofForkOf original: String, maximumCharacters: Int) -> String {
        let remark = " (fork)"
        guard !original.isEmpty, !original.hasSuffix(remark) else { return original }
        let whole = original + remark
        if Limits.fits(whole, characters: maximumCharacters) { return whole }
        var rest = original[...]
        while let last = rest.indices.last {
            rest = rest[..<last]
            let cut = rest + "…" + remark
            if Limits.fits(String(cut), characters: maximumCharacters) { return String(cut) }
        }
        return original
    }
}
