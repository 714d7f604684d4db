import JSON
import ParleyCore

/// `createConversation`: makes a conversation, and a person when there is no caller.
struct CreateConversation: Method {
    static let name = "createConversation"
    var callerRule: CallerRule { .knownOrNew }
    let scope = Scope.caller(exclusive: true)
    private var title: String?
    private var botID: String?
    private var metadata: JSONValue?
    private var requestID: String?
    private(set) var clientAddress: ClientAddress?

    init(from params: inout ParamsReader) throws(JSONError) {
        while let field = try params.nextField() {
            switch field {
            case "title": title = try params.string()
            case "botId": botID = try params.string()
            case "metadata": metadata = try params.value()
            case "clientRequestId": requestID = try params.string()
            case "clientAddress": clientAddress = try params.clientAddress()
            default: throw params.unknownField()
            }
        }
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        let conversation = try await call.host.conversations.create(
            title: title, botID: botID, metadata: metadata, requestID: requestID, for: call.caller)
        return { writer in
            writer.object { writer in
                writer.member("conversation", conversation)
                writer.member("anonymousToken", call.newToken?.text)
            }
        }
    }
}

/// `listConversations`: the caller's conversations, the most recently changed first.
struct ListConversations: Method {
    static let name = "listConversations"
    let scope = Scope.caller(exclusive: true)
    let answersAtLength = true
    private var filter = ConversationFilter()
    private var page = PageParams()

    init(from params: inout ParamsReader) throws(JSONError) {
        while let field = try params.nextField() {
            switch field {
            case "botId": filter.botID = try params.string()
            case "archived": filter.archived = try params.bool() ?? false
            case "pinned": filter.pinned = try params.bool()
            default: try page.read(field, from: &params)
            }
        }
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        let page = try await call.host.conversations.list(filter, page: page.request, for: call.caller)
        return page.result
    }
}

/// `getConversation`: one conversation.
struct GetConversation: Method {
    static let name = "getConversation"
    var scope: Scope { .conversation(conversationID, exclusive: false) }
    let answersAtLength = true
    private let conversationID: String

    init(from params: inout ParamsReader) throws(JSONError) {
        conversationID = try params.onlyField("conversationId")
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        let conversation = try await call.host.conversations.get(conversationID, for: call.caller)
        return conversation.result
    }
}

/// `updateConversation`: changes title and metadata, which message the next one follows, and whether it is pinned or archived.
struct UpdateConversation: Method {
    static let name = "updateConversation"
    var scope: Scope { .conversation(conversationID, exclusive: true) }
    private let conversationID: String
    private let change: ConversationChange

    init(from params: inout ParamsReader) throws(JSONError) {
        var conversationID: String?
        var change = ConversationChange()
        while let field = try params.nextField() {
            switch field {
            case "conversationId": conversationID = try params.string()
            case "title": change.title = try params.string() ?? ""
            case "metadata": change.metadata = try params.value() ?? [:]
            case "headMessageId":
                change.headMessageID = try params.string()
                if change.headMessageID == nil { throw params.refused("cannot be null") }
            case "pinned": change.pinned = try params.bool()
            case "archived": change.archived = try params.bool()
            default: throw params.unknownField()
            }
        }
        self.conversationID = try params.required(conversationID, "conversationId")
        self.change = change
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        let conversation = try await call.host.conversations.update(conversationID, change, for: call.caller)
        return conversation.result
    }
}

/// `deleteConversation`: deletes a conversation with all that was said in it.
struct DeleteConversation: Method {
    static let name = "deleteConversation"
    var scope: Scope { .conversation(conversationID, exclusive: true) }
    private let conversationID: String

    init(from params: inout ParamsReader) throws(JSONError) {
        conversationID = try params.onlyField("conversationId")
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        try await call.host.conversations.delete(conversationID, for: call.caller)
        call.host.storeCare.noteDeletion()
        return deletionResult(id: conversationID)
    }
}

/// `setConversationBot`: links a conversation to a bot, or to none.
struct SetConversationBot: Method {
    static let name = "setConversationBot"
    var scope: Scope { .conversation(conversationID, exclusive: true) }
    private let conversationID: String
    private let botID: String?

    init(from params: inout ParamsReader) throws(JSONError) {
        var conversationID: String?
        var botID: String??
        while let field = try params.nextField() {
            switch field {
            case "conversationId": conversationID = try params.string()
            case "botId": botID = .some(try params.string())
            default: throw params.unknownField()
            }
        }
        self.conversationID = try params.required(conversationID, "conversationId")
        self.botID = try params.required(botID, "botId")
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        let conversation = try await call.host.conversations.setBot(botID, of: conversationID, for: call.caller)
        return conversation.result
    }
}

/// `listMessages`: what was said, from the head backwards, or what was said in one place.
struct ListMessages: Method {
    static let name = "listMessages"
    var scope: Scope { .conversation(conversationID, exclusive: false) }
    let answersAtLength = true
    private let conversationID: String
    private let page: PageParams
    private let includesReasoning: Bool
    private let sibling: String?

    init(from params: inout ParamsReader) throws(JSONError) {
        var conversationID: String?
        var sibling: String?
        var page = PageParams()
        var includesReasoning = false
        while let field = try params.nextField() {
            switch field {
            case "conversationId": conversationID = try params.string()
            case "siblingsOf": sibling = try params.string()
            case "includeReasoning": includesReasoning = try params.bool() ?? false
            default: try page.read(field, from: &params)
            }
        }
        self.conversationID = try params.required(conversationID, "conversationId")
        self.page = page
        self.includesReasoning = includesReasoning
        self.sibling = sibling
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        let page =
            if let sibling {
                try await call.host.conversations.siblings(of: sibling, in: conversationID, page: page.request, for: call.caller)
            } else {
                try await call.host.conversations.messages(of: conversationID, page: page.request, for: call.caller)
            }
        guard includesReasoning else { return page.result }
        return Page(elements: page.elements.map(MessageWithReasoning.init), nextCursor: page.nextCursor).result
    }
}

extension Conversation {
    fileprivate var result: ResultWriter {
        { writer in writer.object { $0.member("conversation", self) } }
    }
}
