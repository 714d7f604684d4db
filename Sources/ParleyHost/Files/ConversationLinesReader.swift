package import JSON
package import ParleyCore

/// Reads a conversation from JSON Lines, strictly: what `ConversationLines` writes, and nothing else.
struct ConversationLinesReader: ConversationFile {
    let text: String
    /// Where the lines are, in bytes, without their ends.
    private let lines: [Range<Int>]
    private let maximumMetadataBytes: Int

    /// - Parameter bounds: what is beyond is not looked at.
    init(_ text: String, _ bounds: FileBounds) {
        var text = text
        text.makeContiguousUTF8()
        var lines: [Range<Int>] = []
        var start = 0
        // With the line of the conversation, and one that is too many.
        let maximumLines = bounds.messages + 2
        for (index, byte) in text.utf8.enumerated() where byte == 0x0A {
            lines.append(start..<index)
            start = index + 1
            if lines.count == maximumLines { break }
        }
        // The last line may lack its end; a file without anything has a first line, which is wrong.
        if lines.count < maximumLines, start < text.utf8.count || lines.isEmpty { lines.append(start..<text.utf8.count) }
        self.text = text
        self.lines = lines
        maximumMetadataBytes = bounds.metadataBytes
    }

    var messageCount: Int { lines.count - 1 }

    func header() throws(Failure) -> ConversationHeader {
        try read(line: 0) { reader throws(JSONError) in
            try ConversationHeader(from: &reader, maximumMetadataBytes: maximumMetadataBytes)
        }
    }

    func message(_ number: Int) throws(Failure) -> FiledMessage {
        try read(line: number + 1) { reader throws(JSONError) in try FiledMessage(from: &reader) }
    }

    private func read<Value>(
        line number: Int, _ body: (inout JSONReader) throws(JSONError) -> Value
    ) throws(Failure) -> Value {
        let range = lines[number]
        var reader = JSONReader(text.utf8.withContiguousStorageIfAvailable { Array($0[range]) } ?? [])
        do throws(JSONError) {
            let value = try body(&reader)
            try reader.end()
            return value
        } catch {
            throw .invalidFile(Conversations.fileParam, line: number + 1, path: error.path, reason: error.reason)
        }
    }
}

extension ConversationHeader {
    fileprivate init(from reader: inout JSONReader, maximumMetadataBytes: Int) throws(JSONError) {
        var (title, metadata, head): (String?, JSONValue?, String?)
        var (hasType, hasFormat, hasVersion, hasTime) = (false, false, false, false)
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "type":
                try reader.expect("conversation")
                hasType = true
            case "format":
                try reader.expect(ConversationLines.format)
                hasFormat = true
            case "version":
                guard try reader.integer() == ConversationLines.version else {
                    throw reader.mismatch("expected 1, the only version there is")
                }
                hasVersion = true
            case "title": title = try reader.string()
            case "botName": _ = try reader.string()
            case "metadata": metadata = try reader.value(maximumBytes: maximumMetadataBytes)
            case "headMessageId": head = try reader.string()
            case "createdAt":
                _ = try reader.timestamp()
                hasTime = true
            default: throw reader.mismatch("unknown field")
            }
        }
        guard hasType else { throw reader.missing("type") }
        guard hasFormat else { throw reader.missing("format") }
        guard hasVersion else { throw reader.missing("version") }
        guard hasTime else { throw reader.missing("createdAt") }
        guard let title else { throw reader.missing("title") }
        guard let metadata else { throw reader.missing("metadata") }
        self.init(title: title, metadata: metadata, headMessageID: head)
    }
}

extension FiledMessage: JSONReadable {
    package init(from reader: inout JSONReader) throws(JSONError) {
        var (id, parentID, model, note): (String?, String?, String?, String?)
        var turn: (id: String, ending: TurnEnding)?
        var (role, status): (Message.Role?, Message.Status?)
        var content: [Message.Part]?
        var usage: Usage?
        var verdict: Message.Rating.Verdict?
        var createdAt: Timestamp?
        var (hasType, isLocal) = (false, false)
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "type":
                try reader.expect("message")
                hasType = true
            case "id": id = try reader.string()
            case "parentId": parentID = try reader.string()
            case "turn": turn = try reader.turn()
            case "role": role = try reader.word()
            case "content": content = try reader.filedParts()
            case "status": status = try reader.word()
            case "local":
                guard try reader.bool() else { throw reader.mismatch("expected true, or nothing") }
                isLocal = true
            case "model": model = try reader.string()
            case "usage": usage = try Usage(from: &reader)
            case "rating": verdict = try reader.word()
            case "ratingNote": note = try reader.string()
            case "createdAt": createdAt = try reader.timestamp()
            default: throw reader.mismatch("unknown field")
            }
        }
        guard hasType else { throw reader.missing("type") }
        guard let id else { throw reader.missing("id") }
        guard let turn else { throw reader.missing("turn") }
        guard let role else { throw reader.missing("role") }
        guard let content else { throw reader.missing("content") }
        guard let status else { throw reader.missing("status") }
        guard let createdAt else { throw reader.missing("createdAt") }
        guard verdict != nil || note == nil else { throw reader.missing("rating") }
        self.init(
            message: Message(
                id: id, conversationID: "", turnID: turn.id, parentID: parentID, role: role, content: content, status: status,
                isLocal: isLocal, model: model, usage: usage, rating: verdict.map { Message.Rating(verdict: $0, note: note) },
                createdAt: createdAt),
            ending: turn.ending)
    }
}
