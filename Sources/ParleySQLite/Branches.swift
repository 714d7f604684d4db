import GRDB
import JSON
import ParleyCore

/// Where the message that a turn answers stands in the tree of its conversation.
enum QuestionPlace {
    /// It is new and follows the head.
    case afterHead
    /// It is new and follows what another one follows; nil for nothing.
    case after(Int64?)
    /// It is there already.
    case stored(key: Int64, Message)
}

/// A message's place in the tree of its conversation.
struct MessageNode {
    let key: Int64
    /// The key of the message that it follows.
    let parent: Int64?
    let role: Message.Role
    let isLocal: Bool
    let turnID: String
}

/// How conversations branch: which message another one takes the place of, its siblings, and the head, which says what goes on.
extension StoreTransaction {
    /// Finds what a turn answers.
    ///
    /// - Throws: `notFound` (message); `invalidParams` (path `messageId`) for one that cannot be edited or answered again.
    func place(of beginning: TurnBeginning, in conversation: ConversationRow) throws -> QuestionPlace {
        switch beginning {
        case .message: return .afterHead
        case .edit(let id):
            let node = try node(id, in: conversation)
            guard !node.isLocal else { throw Failure.cannotBranch("is of a command, which cannot be edited") }
            guard node.role == .user else { throw Failure.cannotBranch("is not the user's, and only the user's messages can be edited") }
            return .after(node.parent)
        case .regeneration(let id):
            let node = try node(id, in: conversation)
            guard !node.isLocal else { throw Failure.cannotBranch("is of a command, which cannot be answered again") }
            guard node.role != .tool else {
                throw Failure.cannotBranch("holds results of tools; name an answer, or the message that is to be answered again")
            }
            let questionID = node.role == .user ? id : try turn(node.turnID).value.userMessageID
            guard let question = try message(questionID, ofConversation: conversation.value.id),
                let key = try messageKey(questionID, inConversation: conversation.key)
            else { throw SQLiteFailure.unreadable("turns.user_message_id") }
            return .stored(key: key, question)
        }
    }

    /// The message that a turn answers, stored if it was not before.
    ///
    /// - Returns: the message with its key.
    func question(
        of turn: Turn, at place: QuestionPlace, saying content: [Message.Part], in conversation: ConversationRow, at now: Timestamp
    ) throws -> (message: Message, key: Int64) {
        let parent: Int64?
        let parentID: String?
        switch place {
        case .stored(let key, let message): return (message, key)
        case .afterHead: (parent, parentID) = (conversation.head, conversation.value.headMessageID)
        case .after(let key): (parent, parentID) = (key, try key.flatMap { try messageID($0) })
        }
        let message = Message(
            id: turn.userMessageID, conversationID: turn.conversationID, turnID: turn.id,
            parentID: parentID, role: .user, content: content, status: .complete, isLocal: turn.isLocal,
            createdAt: now)
        return (message, try insert(message, conversation: conversation.key, parent: parent))
    }

    /// Makes a message the one that the next follows; a command that waits for an argument is forgotten if that is a change.
    ///
    /// - Throws: `notFound` (message), `conversationBusy`.
    func moveHead(of conversation: ConversationRow, to id: String, at now: Timestamp) throws {
        let key = try node(id, in: conversation).key
        try requireFree(conversation, at: now)
        try db.run(
            "UPDATE conversations SET head = ?1, pending_command = iif(head IS ?1, pending_command, NULL) WHERE key = ?2", key,
            conversation.key)
    }

    /// Lists what follows the message that a message follows, in the order in which it was stored.
    ///
    /// - Throws: `notFound` (message), `invalidParams` (path `cursor`).
    func siblings(of id: String, in conversation: ConversationRow, page: PageRequest) throws -> Page<Message> {
        let node = try node(id, in: conversation)
        var first: Int64 = 0
        if let place = try PageCursor.place(in: .siblings, of: id, named: page.cursor, fields: 1) {
            guard let message = place[0].stringValue, let key = try messageKey(message, inConversation: conversation.key) else {
                throw PageCursor.invalid
            }
            first = key
        }
        let parentID = try node.parent.flatMap { try messageID($0) }
        let count: Int? = try db.first(
            "SELECT count(*) FROM messages WHERE conversation = ? AND parent IS ?", conversation.key, node.parent
        ) { $0[0] }
        var collector = PageCollector<Message>(limit: page.limit, maximumBytes: surroundings.maximumPageBytes)
        try db.forEach(MessageRow.byParent, conversation.key, node.parent, first, count) { row in
            let row = try MessageRow(row, conversationID: conversation.value.id)
            var message = row.value
            message.parentID = parentID
            return collector.add(message, size: row.size)
        }
        return Page(
            elements: collector.elements,
            nextCursor: collector.next.map { PageCursor(.siblings, of: id, at: [.string($0.id)]).text })
    }

    /// Finds a message of a conversation.
    ///
    /// - Throws: `notFound`, also for what is in another conversation, the caller's or somebody else's.
    func node(_ id: String, in conversation: ConversationRow) throws -> MessageNode {
        let found: (conversation: Int64, owner: Int64, node: MessageNode)? = try db.first(
            """
            SELECT m.conversation, c.owner, m.key, m.parent, m.role, m.local, m.turn_id
            FROM messages m JOIN conversations c ON c.key = m.conversation WHERE m.id = ?
            """, id
        ) { row in
            guard let role = Message.Role(rawValue: row[4]) else { throw SQLiteFailure.unreadable("messages.role") }
            return (row[0], row[1], MessageNode(key: row[2], parent: row[3], role: role, isLocal: row[5], turnID: row[6]))
        }
        guard let found else { throw Failure.notFound(.message, id) }
        guard found.owner == conversation.owner else { throw notTheCallers(.message, id) }
        guard found.conversation == conversation.key else { throw Failure.notFound(.message, id) }
        return found.node
    }
}

extension Failure {
    /// A message in whose place nothing can be said.
    fileprivate static func cannotBranch(_ reason: String) -> Failure { .invalidParams(path: "messageId", reason: reason) }
}
