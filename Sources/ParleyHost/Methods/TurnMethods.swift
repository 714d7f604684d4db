import JSON
import JSONRPC
import ParleyCore

/// `sendMessage`: sends a message, in a new conversation if none is named, and runs its turn.
struct SendMessage: Method {
    static let name = "sendMessage"
    private enum OnBusy: String, CaseIterable { case reject }

    /// Who makes a conversation may be made with it.
    var callerRule: CallerRule { makesConversation ? .knownOrNew : .known }

    private let draft: Turns.Draft
    private let streams: Bool
    private let waits: Bool

    var scope: Scope {
        if let id = draft.conversationID { .conversation(id, exclusive: true) } else { .caller(exclusive: true) }
    }

    var clientAddress: ClientAddress? { draft.address }

    private var makesConversation: Bool { draft.conversationID == nil }

    init(from params: inout ParamsReader) throws(JSONError) {
        var draft = Turns.Draft(conversationID: nil, content: [])
        var text: String?
        var content: [Message.Part]?
        var commands = true
        var streams = true
        var waits = true
        while let field = try params.nextField() {
            switch field {
            case "conversationId": draft.conversationID = try params.string()
            case "text":
                text = try params.string()
                if content != nil, text != nil { throw params.refused("a message has either text or content") }
            case "content":
                content = try params.elements(Message.Part.self)
                if content != nil, text != nil { throw params.refused("a message has either text or content") }
            case "botId": draft.botID = try params.string()
            case "onBusy": _ = try params.word(OnBusy.self)
            case "commands": commands = try params.bool() ?? true
            case "stream": streams = try params.bool() ?? true
            case "wait": waits = try params.bool() ?? true
            case "model": draft.model = try params.string()
            case "clientMessageId": draft.requestID = try params.string()
            case "clientAddress": draft.address = try params.clientAddress()
            case "maxOutputTokens": draft.maxOutputTokens = try params.integer()
            default: throw params.unknownField()
            }
        }
        draft.content = try params.required(content ?? text.map { [.text($0)] }, "text")
        draft.readsCommands = commands && text != nil
        self.draft = draft
        self.streams = streams
        self.waits = waits
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        let notifier = TurnNotifier(connection: call.host.connection, requestID: call.requestID, sendsDeltas: streams)
        let madeConversation = Locked(Conversation?.none)
        let turnOfRepeat = try await call.host.turns.send(
            draft, for: call.host.turnClient(for: call.caller), cancellation: call.handle.cancellation, observer: notifier
        ) { admitted in
            if makesConversation { madeConversation.withLock { $0 = admitted.conversation } }
            if !waits {
                call.host.forget(call)
                call.reply.succeed(
                    Self.result(TurnResult(turn: admitted.turn, message: nil), of: call, madeConversation: madeConversation))
            }
            call.handle.admitted(turnID: admitted.turn.id)
            call.release()
        } ended: { result in
            guard waits else { return }
            call.host.forget(call)
            call.reply.succeed(Self.result(result, of: call, madeConversation: madeConversation))
        }
        guard let turnOfRepeat else { return nil }
        return try await self.repeat(of: turnOfRepeat, call)
    }

    /// Answers a message that was accepted before as it was answered then: with its turn, once that has ended.
    private func `repeat`(of turnID: String, _ call: Call) async throws(Failure) -> ResultWriter {
        call.handle.onlyWaits()
        call.release()
        let turns = call.host.turns
        let result = waits ? try await turns.end(of: turnID, for: call.caller) : try await turns.get(turnID, for: call.caller)
        let conversation =
            makesConversation ? try await call.host.conversations.get(result.turn.conversationID, for: call.caller) : nil
        return { writer in
            writer.object { writer in
                writer.members(of: result)
                writer.member("conversation", conversation)
            }
        }
    }

    private static func result(_ result: TurnResult, of call: Call, madeConversation: Locked<Conversation?>) -> ResultWriter {
        let conversation = madeConversation.withLock { made in made.map { result.conversation ?? $0 } }
        return { writer in
            writer.object { writer in
                writer.members(of: result)
                writer.member("conversation", conversation)
                writer.member("anonymousToken", call.newToken?.text)
            }
        }
    }
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
