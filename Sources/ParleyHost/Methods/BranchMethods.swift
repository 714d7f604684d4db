import JSON
import ParleyCore

/// `regenerateMessage`: answers a message of the user's again; the new answer is a sibling of the earlier ones.
struct RegenerateMessage: Method {
    static let name = "regenerateMessage"
    let asksModel = true
    private let request: TurnRequest

    var scope: Scope { request.scope }

    var clientAddress: ClientAddress? { request.draft.address }

    init(from params: inout ParamsReader) throws(JSONError) {
        var request = TurnRequest()
        var messageID: String?
        while let field = try params.nextField() {
            switch field {
            case "messageId": messageID = try params.string()
            default: try request.read(field, from: &params)
            }
        }
        _ = try params.required(request.draft.conversationID, "conversationId")
        request.draft.beginning = .regeneration(of: try params.required(messageID, "messageId"))
        self.request = request
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? { try await request.run(call) }
}

/// `editMessage`: says something else in the place of a message of the user's, which stays as a sibling, and answers that.
struct EditMessage: Method {
    static let name = "editMessage"
    let asksModel = true
    private let request: TurnRequest

    var scope: Scope { request.scope }

    var clientAddress: ClientAddress? { request.draft.address }

    init(from params: inout ParamsReader) throws(JSONError) {
        var request = TurnRequest()
        var messageID: String?
        var content = ContentParams()
        while let field = try params.nextField() {
            switch field {
            case "messageId": messageID = try params.string()
            case "text", "content": try content.read(field, from: &params)
            default: try request.read(field, from: &params)
            }
        }
        _ = try params.required(request.draft.conversationID, "conversationId")
        request.draft.beginning = .edit(of: try params.required(messageID, "messageId"))
        request.draft.content = try params.required(content.parts, "text")
        self.request = request
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? { try await request.run(call) }
}
