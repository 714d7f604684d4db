import JSON
import ParleyCore

/// What a store is, in a few plain collections: the measure for random operations.
///
/// It knows signed-in people only, and takes it for granted that ids are new.
struct StoreModel {
    private(set) var conversations: [String: Owned<Conversation>] = [:]
    private(set) var bots: [String: Owned<Bot>] = [:]
    private(set) var messages: [String: Message] = [:]
    private(set) var turns: [String: Turn] = [:]
    /// The order in which messages were stored.
    private var order: [String] = []
    private var cancelled: Set<String> = []

    struct Owned<Value> {
        let owner: String
        var value: Value
    }

    // MARK: Reading

    func conversation(_ id: String, of person: String) throws(Failure) -> Conversation {
        guard let found = conversations[id], found.owner == person else { throw .notFound(.conversation, id) }
        return found.value
    }

    func conversations(of person: String, linkedTo botID: String?, archived: Bool = false) -> [Conversation] {
        conversations.values.filter { $0.owner == person && (botID == nil || $0.value.botID == botID) && $0.value.archived == archived }
            .map(\.value).sorted { ($1.updatedAt, $0.id) < ($0.updatedAt, $1.id) }
    }

    func messages(inConversation id: String, of person: String) throws(Failure) -> [Message] {
        _ = try conversation(id, of: person)
        return path(endingAt: conversations[id]?.value.headMessageID).map(withSiblingCount)
    }

    func siblings(of messageID: String, inConversation id: String, of person: String) throws(Failure) -> [Message] {
        _ = try conversation(id, of: person)
        return siblings(of: try message(messageID, in: id)).map(withSiblingCount)
    }

    private func siblings(of message: Message) -> [Message] {
        order.compactMap { messages[$0] }.filter { $0.conversationID == message.conversationID && $0.parentID == message.parentID }
    }

    private func withSiblingCount(_ message: Message) -> Message {
        var message = message
        let count = siblings(of: message).count
        message.siblingCount = count > 1 ? count : nil
        return message
    }

    private func message(_ id: String, in conversationID: String) throws(Failure) -> Message {
        guard let message = messages[id], message.conversationID == conversationID else { throw .notFound(.message, id) }
        return message
    }

    func bot(_ id: String, of person: String) throws(Failure) -> Bot {
        guard let found = bots[id], found.owner == person else { throw .notFound(.bot, id) }
        return found.value
    }

    func bots(of person: String) -> [Bot] {
        bots.values.filter { $0.owner == person }.map(\.value).sorted { $0.name.lowercased() < $1.name.lowercased() }
    }

    func turn(_ id: String, of person: String) throws(Failure) -> TurnResult {
        guard let turn = turns[id], conversations[turn.conversationID]?.owner == person else { throw .notFound(.turn, id) }
        return TurnResult(turn: turn, message: turn.messageID.flatMap { messages[$0] })
    }

    func history(endingAt id: String, maximumBytes: Int) throws(Failure) -> History {
        guard messages[id] != nil else { throw .notFound(.message, id) }
        let whole = path(endingAt: id)
        var bytes = 0
        var taken: [Message] = []
        for message in whole {
            bytes += message.text.utf8.count
            guard !taken.contains(where: { $0.role == .user }) || bytes <= maximumBytes else { break }
            taken.insert(message, at: 0)
        }
        taken.removeFirst(taken.firstIndex { $0.role == .user } ?? 0)
        return History(messages: taken, earlierCount: whole.count - taken.count)
    }

    var turnsToCancel: Set<String> { cancelled.filter { turns[$0]?.status == .inProgress } }

    private func path(endingAt id: String?) -> [Message] {
        var path: [Message] = []
        var next = id
        while let message = next.flatMap({ messages[$0] }) {
            path.append(message)
            next = message.parentID
        }
        return path
    }

    // MARK: Writing

    mutating func createConversation(_ new: NewConversation, of person: String) throws(Failure) -> Conversation {
        if let botID = new.botID { _ = try bot(botID, of: person) }
        let conversation = Conversation(
            id: new.id, title: new.title, botID: new.botID, metadata: new.metadata, messageCount: 0, activeTurnID: nil,
            createdAt: new.createdAt, updatedAt: new.createdAt)
        conversations[new.id] = Owned(owner: person, value: conversation)
        return conversation
    }

    mutating func updateConversation(
        _ id: String, _ change: ConversationChange, at now: Timestamp, of person: String
    ) throws(Failure) -> Conversation {
        var value = try conversation(id, of: person)
        if let head = change.headMessageID {
            _ = try message(head, in: id)
            if let turnID = value.activeTurnID { throw .conversationBusy(turnID: turnID) }
            value.headMessageID = head
        }
        if let title = change.title { value.title = title }
        if let metadata = change.metadata { value.metadata = metadata }
        if let pinned = change.pinned { value.pinned = pinned }
        if let archived = change.archived { value.archived = archived }
        let isContent = change.title != nil || change.metadata != nil || change.headMessageID != nil
        if isContent || change.pinned == nil && change.archived == nil { value.updatedAt = now }
        conversations[id]?.value = value
        return value
    }

    mutating func setBot(_ botID: String?, ofConversation id: String, at now: Timestamp, of person: String) throws(Failure) -> Conversation
    {
        var value = try conversation(id, of: person)
        if let botID { _ = try bot(botID, of: person) }
        value.botID = botID
        value.updatedAt = now
        conversations[id]?.value = value
        return value
    }

    mutating func deleteConversation(_ id: String, of person: String) throws(Failure) {
        if let turnID = try conversation(id, of: person).activeTurnID { throw .conversationBusy(turnID: turnID) }
        conversations[id] = nil
        messages = messages.filter { $0.value.conversationID != id }
        order.removeAll { messages[$0] == nil }
        turns = turns.filter { $0.value.conversationID != id }
    }

    mutating func createBot(_ new: Bot, of person: String) throws(Failure) -> Bot {
        try requireFreeName(new.name, of: person, except: nil)
        bots[new.id] = Owned(owner: person, value: new)
        return new
    }

    mutating func updateBot(_ id: String, name: String, ifRevision revision: Int?, at now: Timestamp, of person: String) throws(Failure)
        -> Bot
    {
        var value = try bot(id, of: person)
        if let revision, revision != value.revision {
            throw Failure(.revisionConflict, "", details: [Failure.Detail("revision", .integer(Int64(value.revision)))])
        }
        try requireFreeName(name, of: person, except: id)
        value.name = name
        value.revision += 1
        value.updatedAt = now
        bots[id]?.value = value
        return value
    }

    mutating func deleteBot(_ id: String, of person: String) throws(Failure) {
        _ = try bot(id, of: person)
        bots[id] = nil
        for (key, conversation) in conversations where conversation.value.botID == id { conversations[key]?.value.botID = nil }
    }

    mutating func admitTurn(_ new: NewTurn, of person: String) throws(Failure) -> AdmittedTurn {
        var value: Conversation
        switch new.target {
        case .existing(let id): value = try conversation(id, of: person)
        case .new(let conversation): value = try createConversation(conversation, of: person)
        }
        let message = try question(of: new, in: value)
        if let turnID = value.activeTurnID { throw .conversationBusy(turnID: turnID) }
        let turn = Turn(id: new.id, conversationID: value.id, status: .inProgress, userMessageID: message.id, createdAt: new.now)
        if value.title.isEmpty { value.title = new.title }
        value.headMessageID = message.id
        value.activeTurnID = new.id
        value.updatedAt = new.now
        conversations[value.id]?.value = value
        turns[turn.id] = turn
        if messages[message.id] == nil {
            store(message)
            value.messageCount += 1
        }
        return AdmittedTurn(turn: turn, userMessage: message, conversation: value, bot: value.botID.flatMap { bots[$0]?.value })
    }

    private func question(of new: NewTurn, in conversation: Conversation) throws(Failure) -> Message {
        let parent: String?
        switch new.beginning {
        case .message: parent = conversation.headMessageID
        case .edit(let id):
            let message = try message(id, in: conversation.id)
            guard message.role == .user else { throw .invalidParams(path: "messageId", reason: "") }
            parent = message.parentID
        case .regeneration(let id):
            let message = try message(id, in: conversation.id)
            guard let question = turns[message.turnID].flatMap({ messages[$0.userMessageID] }) else { throw .notFound(.message, id) }
            return message.role == .user ? message : question
        }
        return Message(
            id: new.userMessageID, conversationID: conversation.id, turnID: new.id, parentID: parent, role: .user, content: new.content,
            status: .complete, createdAt: new.now)
    }

    mutating func checkpoint(_ checkpoint: TurnCheckpoint) {
        guard turns[checkpoint.turnID]?.status == .inProgress else { return }
        store(checkpoint.message)
        turns[checkpoint.turnID]?.messageID = checkpoint.message.id
    }

    mutating func finishTurn(_ outcome: TurnOutcome) throws(Failure) -> TurnResult {
        guard var turn = turns[outcome.turnID] else { throw .notFound(.turn, outcome.turnID) }
        if turn.status == .inProgress {
            turn.status = outcome.status
            turn.stopReason = outcome.stopReason
            turn.error = outcome.error
            turn.usage = outcome.usage
            turn.context = outcome.context
            turn.quota = QuotaReceipt(
                counted: outcome.settlement.chargesPerson, reason: outcome.settlement.reason, warning: nil, limits: [])
            turn.completedAt = outcome.completedAt
            if let message = outcome.message {
                store(message)
                turn.messageID = message.id
            }
            turns[turn.id] = turn
            if let id = turn.messageID { conversations[turn.conversationID]?.value.headMessageID = id }
            conversations[turn.conversationID]?.value.activeTurnID = nil
            conversations[turn.conversationID]?.value.updatedAt = outcome.completedAt
        }
        return TurnResult(turn: turn, message: turn.messageID.flatMap { messages[$0] })
    }

    mutating func requestCancel(ofTurn id: String, of person: String) throws(Failure) -> TurnResult {
        let result = try turn(id, of: person)
        cancelled.insert(id)
        return result
    }

    private mutating func store(_ message: Message) {
        if messages.updateValue(message, forKey: message.id) == nil {
            conversations[message.conversationID]?.value.messageCount += 1
            order.append(message.id)
        }
        guard let usage = message.usage else { return }
        let sum = conversations[message.conversationID]?.value.usage.map { $0 + usage }
        conversations[message.conversationID]?.value.usage = sum ?? usage
    }

    private func requireFreeName(_ name: String, of person: String, except id: String?) throws(Failure) {
        let taken = bots.values.contains { $0.owner == person && $0.value.id != id && $0.value.name.lowercased() == name.lowercased() }
        if taken { throw Failure(.nameTaken, "") }
    }
}
