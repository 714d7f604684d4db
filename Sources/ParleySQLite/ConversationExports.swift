import GRDB
import JSON
import ParleyCore

/// What is read of a conversation for a file.
extension StoreTransaction {
    /// Reads a page.
    ///
    /// - Throws: `invalidParams` (path `cursor`).
    func export(
        _ conversation: ConversationRow, _ extent: ConversationExcerpt.Extent, cursor: String?
    ) throws -> ConversationExcerpt {
        let id = conversation.value.id
        let place = try PageCursor.place(in: .export, of: id, named: cursor, fields: 4)
        // Where the page before has ended, and where the last one will, whatever is said meanwhile.
        var (start, end): (Int64?, Int64?)
        // The turn that ran then: to the file it was interrupted, on whatever page its messages stand and whatever has become of it.
        let running: String?
        if let place {
            guard place[0].stringValue == extent.rawValue else { throw PageCursor.invalid }
            (start, end) = (try key(named: place[1].stringValue, in: conversation), try key(named: place[2].stringValue, in: conversation))
            running = place[3].stringValue
        } else {
            end = extent == .path ? conversation.head : try lastMessage(of: conversation)
            running = conversation.value.activeTurnID
        }
        var collector = PageCollector<FiledMessage>(limit: .max, maximumBytes: surroundings.maximumPageBytes)
        if let end {
            switch extent {
            case .tree:
                try db.forEach(MessageRow.filedInOrder, conversation.key, start ?? 0, end) { try add($0, of: id, running, to: &collector) }
            case .path:
                for key in try self.path(to: end, after: start) {
                    try db.forEach(MessageRow.filedByKey, key) { try add($0, of: id, running, to: &collector) }
                    if collector.isFull { break }
                }
            }
        }
        var nextCursor: String?
        if collector.isFull, let last = collector.elements.last, let end = try end.flatMap({ try messageID($0) }) {
            let place: [JSONValue] = [
                .string(extent.rawValue), .string(last.message.id), .string(end), running.map(JSONValue.string) ?? .null,
            ]
            nextCursor = PageCursor(.export, of: id, at: place).text
        }
        let isFirst = place == nil
        return ConversationExcerpt(
            conversation: isFirst ? conversation.value : nil,
            botName: isFirst ? try conversation.bot.flatMap { try bot(key: $0) }?.value.name : nil, messages: collector.elements,
            nextCursor: nextCursor)
    }

    /// What a message takes in a file beside its content, roughly, in bytes.
    private static let frameBytes = 512

    private func add(
        _ row: StoredRow, of conversationID: String, _ running: String?, to collector: inout PageCollector<FiledMessage>
    ) throws -> Bool {
        let stored = try MessageRow(row, conversationID: conversationID)
        var message = stored.value
        message.parentID = row[14]
        guard let status = Turn.Status(rawValue: row[15]) else { throw SQLiteFailure.unreadable("turns.status") }
        let reason: String? = row[16]
        let error: [UInt8]? = row[17]
        let ending =
            message.turnID == running
            ? TurnEnding.interrupted
            : TurnEnding(
                status: status, stopReason: reason.flatMap(Turn.StopReason.init), error: try error.map(StoredJSON.error))
        return collector.add(FiledMessage(message: message, ending: ending), size: stored.size + Self.frameBytes)
    }

    private func key(named id: String?, in conversation: ConversationRow) throws -> Int64 {
        guard let id, let key = try messageKey(id, inConversation: conversation.key) else { throw PageCursor.invalid }
        return key
    }

    private func lastMessage(of conversation: ConversationRow) throws -> Int64? {
        try db.first("SELECT key FROM messages WHERE conversation = ? ORDER BY key DESC LIMIT 1", conversation.key) { $0[0] }
    }

    /// The path that leads to a message.
    ///
    /// - Parameter start: the message on it after which it begins; nil for all of it.
    private func path(to end: Int64, after start: Int64?) throws -> [Int64] {
        var hasStart = start == nil
        let path = try ancestors(of: end) { key, _ in
            hasStart = hasStart || key == start
            return key != start
        }
        guard hasStart else { throw PageCursor.invalid }
        return path
    }
}
