import JSON
import ParleyCore

/// `sendMessage`: sends a message, in a new conversation if none is named, and runs its turn.
struct SendMessage: Method {
    static let name = "sendMessage"
    let asksModel = true

    /// Who makes a conversation may be made with it.
    var callerRule: CallerRule { request.makesConversation ? .knownOrNew : .known }

    private let request: TurnRequest

    var scope: Scope { request.scope }

    var clientAddress: ClientAddress? { request.draft.address }

    init(from params: inout ParamsReader) throws(JSONError) {
        var request = TurnRequest()
        var content = ContentParams()
        var commands = true
        while let field = try params.nextField() {
            switch field {
            case "text", "content": try content.read(field, from: &params)
            case "botId": request.draft.botID = try params.string()
            case "onBusy": request.draft.onBusy = try params.word(BusyPolicy.self) ?? .reject
            case "commands": commands = try params.bool() ?? true
            default: try request.read(field, from: &params)
            }
        }
        request.draft.content = try params.required(content.parts, "text")
        request.draft.readsCommands = commands && content.isText
        self.request = request
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? { try await request.run(call) }
}

/// `cancelTurn`: ends a turn early and answers after its terminal event.
struct CancelTurn: Method {
    static let name = "cancelTurn"
    let scope = Scope.free
    let bypassesLimit = true
    private let turnID: String

    init(from params: inout ParamsReader) throws(JSONError) {
        turnID = try params.onlyField("turnId")
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        let result = try await call.host.turns.cancel(turnID, for: call.caller)
        return result.result
    }
}

/// `getTurn`: one turn with the assistant's message.
struct GetTurn: Method {
    static let name = "getTurn"
    let scope = Scope.caller(exclusive: false)
    let answersAtLength = true
    private let turnID: String

    init(from params: inout ParamsReader) throws(JSONError) {
        turnID = try params.onlyField("turnId")
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        let result = try await call.host.turns.get(turnID, for: call.caller)
        return result.result
    }
}

extension TurnResult {
    /// Writes it as a reply.
    var result: ResultWriter {
        { writer in writer.object { $0.members(of: self) } }
    }
}
