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
