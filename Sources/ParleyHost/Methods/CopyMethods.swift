import JSON
import ParleyCore

/// `forkConversation`: makes a conversation of the path that leads to a message of another one.
struct ForkConversation: Method {
    static let name = "forkConversation"
    let scope = Scope.caller(exclusive: true)
    private let conversationID: String
    private let messageID: String?
    private let title: String?
    private let requestID: String?

    init(from params: inout ParamsReader) throws(JSONError) {
        var (conversationID, messageID, title, requestID): (String?, String?, String?, String?)
        while let field = try params.nextField() {
            switch field {
            case "conversationId": conversationID = try params.string()
            case "messageId": messageID = try params.string()
            case "title": title = try params.string()
            case "clientRequestId": requestID = try params.string()
            default: throw params.unknownField()
            }
        }
        self.conversationID = try params.required(conversationID, "conversationId")
        self.messageID = messageID
        self.title = title
        self.requestID = requestID
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        let conversation = try await call.host.conversations.fork(
            conversationID, at: messageID, title: title, requestID: requestID, for: call.caller)
        return { writer in writer.object { $0.member("conversation", conversation) } }
    }
}

/// `exportConversation`: a conversation as a file, page by page.
struct ExportConversation: Method {
    /// What the file is.
    private enum Format: String, CaseIterable { case jsonl, markdown }

    static let name = "exportConversation"
    var scope: Scope { .conversation(conversationID, exclusive: false) }
    let answersAtLength = true
    private let conversationID: String
    private let format: Format
    private let cursor: String?

    init(from params: inout ParamsReader) throws(JSONError) {
        var (conversationID, cursor): (String?, String?)
        var format: Format?
        while let field = try params.nextField() {
            switch field {
            case "conversationId": conversationID = try params.string()
            case "format": format = try params.word(Format.self)
            case "cursor": cursor = try params.string()
            default: throw params.unknownField()
            }
        }
        self.conversationID = try params.required(conversationID, "conversationId")
        self.format = try params.required(format, "format")
        self.cursor = cursor
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        let excerpt = try await call.host.conversations.export(
            conversationID, format == .jsonl ? .tree : .path, cursor: cursor, for: call.caller)
        return { [format] writer in
            writer.object { writer in
                writer.member("data", format == .jsonl ? ConversationLines.text(of: excerpt) : ConversationMarkdown.text(of: excerpt))
                writer.member("nextCursor", excerpt.nextCursor)
            }
        }
    }
}

/// `importConversation`: makes a conversation of a file.
struct ImportConversation: Method {
    static let name = "importConversation"
    let scope = Scope.caller(exclusive: true)
    private let data: String
    private let title: String?
    private let botID: String?
    private let requestID: String?

    init(from params: inout ParamsReader) throws(JSONError) {
        var (data, title, botID, requestID): (String?, String?, String?, String?)
        while let field = try params.nextField() {
            switch field {
            case Conversations.fileParam: data = try params.string()
            case "title": title = try params.string()
            case "botId": botID = try params.string()
            case "clientRequestId": requestID = try params.string()
            default: throw params.unknownField()
            }
        }
        self.data = try params.required(data, Conversations.fileParam)
        self.title = title
        self.botID = botID
        self.requestID = requestID
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        let (conversation, messages) = try await call.host.conversations.importFile(
            data, title: title, botID: botID, requestID: requestID, for: call.caller, reader: ConversationLinesReader.init)
        return { writer in
            writer.object { writer in
                writer.member("conversation", conversation)
                writer.member("messages", messages)
            }
        }
    }
}
