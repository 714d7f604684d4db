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
    ///   path ends in a turn that runs; `quotaExceeded` (`SCOPE.copies`), `idempotencyConflict`.
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

    /// Reads a page of a conversation for a file.
    ///
    /// - Throws: `notFound` (conversation), `invalidParams` (path `cursor`).
    package func export(
        _ id: String, _ extent: ConversationExcerpt.Extent, cursor: String?, for caller: Caller
    ) async throws(Failure) -> ConversationExcerpt {
        try await store.exportConversation(id, extent, cursor: cursor, for: caller)
    }

    /// The param that holds a file.
    package static let fileParam = "data"

    /// Makes a conversation of a file, once everything in it was found to be in order.
    ///
    /// - Parameters:
    ///   - title: nil for that of the file; empty to let the next message give one.
    ///   - botID: nil for none: the file names a bot only for people.
    ///   - requestID: what the client calls the request, so that it may be repeated.
    ///   - reader: reads the file, line by line.
    /// - Returns: the conversation, and how many messages were imported into it.
    /// - Throws: `invalidParams`, with a `line` for what is wrong in the file; `notFound` (bot), `quotaExceeded` (`SCOPE.copies`),
    ///   `idempotencyConflict`.
    package func importFile<File: ConversationFile>(
        _ data: String, title: String?, botID: String?, requestID: String?, for caller: Caller,
        reader: (_ data: String, _ bounds: FileBounds) -> File
    ) async throws(Failure) -> (conversation: Conversation, messages: Int) {
        let title = try title.map { (title) throws(Failure) in try checked(title: title) }
        let request = try ClientRequest.named(
            requestID, path: "clientRequestId",
            content: [
                requestID == nil ? .null : ClientRequest.digest(of: data), title.map(JSONValue.string) ?? .null,
                botID.map(JSONValue.string) ?? .null,
            ])
        // Before anything is read of it.
        let bounds = limits.copyBounds(for: caller.kind)
        guard data.utf8.count <= bounds.bytes else {
            throw .invalidParams(path: Self.fileParam, reason: "larger than \(bounds.bytes) bytes")
        }
        let file = reader(data, FileBounds(messages: bounds.messages, metadataBytes: limits.maxMetadataBytes))
        let (header, tree) = try await fileDesk.perform { () throws(Failure) in try checked(file, for: caller) }
        return try await store.importConversation(
            ConversationImport(
                conversation: NewConversation(
                    id: ambient.newID(.conversation), title: title ?? header.title, botID: botID, metadata: header.metadata,
                    createdAt: ambient.now(), request: request),
                turns: tree.turns, places: tree.places, head: tree.head,
                message: { number throws(Failure) in
                    var message = try file.message(number).message
                    message.id = tree.ids[number]
                    message.turnID = tree.turns[tree.places[number].turn].id
                    return message
                }),
            for: caller)
    }

    private typealias CheckedTree = (
        turns: [ConversationImport.ImportedTurn], places: [ConversationImport.Place], ids: [String], head: Int?
    )

    private func checked(
        _ file: some ConversationFile, for caller: Caller
    ) throws(Failure) -> (header: ConversationHeader, tree: CheckedTree) {
        let header = try file.header()
        var tree = ImportedTree(limits: limits, kind: caller.kind, ambient: ambient)
        try inFile(1) { () throws(Failure) in
            _ = try checked(title: header.title)
            _ = try checked(metadata: header.metadata)
        }
        for number in 0..<file.messageCount {
            // The first line is the conversation's own, and lines are counted from 1.
            let line = number + 2
            try inFile(line) { () throws(Failure) in try tree.requireRoom() }
            let filed = try file.message(number)
            try inFile(line) { () throws(Failure) in try tree.add(filed) }
        }
        let head = try inFile(1) { () throws(Failure) in try tree.head(header.headMessageID) }
        return (header, (tree.turns, tree.places, tree.ids, head))
    }

    /// Tells what is wrong as a fault of a line of the file.
    private func inFile<Value>(_ line: Int, _ body: () throws(Failure) -> Value) throws(Failure) -> Value {
        do throws(Failure) {
            return try body()
        } catch {
            throw error.inFile(Self.fileParam, line: line)
        }
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
