import JSON
import ParleyCore

/// A request that begins a turn: the params that all of them take, and the way from the admission to the reply.
struct TurnRequest: Sendable {
    /// What is sent, as far as it has been read.
    var draft = Turns.Draft(conversationID: nil, content: [])
    private var streams = true
    private var tells = true
    private var waits = true

    /// What must be held until the turn is accepted.
    var scope: Scope {
        if let id = draft.conversationID { .conversation(id, exclusive: true) } else { .caller(exclusive: true) }
    }

    /// Whether no conversation is named.
    var makesConversation: Bool { draft.conversationID == nil }

    /// Reads the field if it is one that all requests for a turn have; refuses it otherwise.
    mutating func read(_ field: String, from params: inout ParamsReader) throws(JSONError) {
        switch field {
        case "conversationId": draft.conversationID = try params.string()
        case "stream": streams = try params.bool() ?? true
        case "events": tells = try params.bool() ?? true
        case "wait": waits = try params.bool() ?? true
        case "model": draft.model = try params.string()
        case "clientMessageId": draft.requestID = try params.string()
        case "clientAddress": draft.address = try params.clientAddress()
        case "maxOutputTokens": draft.maxOutputTokens = try params.integer()
        default: throw params.unknownField()
        }
    }

    /// Sends it, and replies when the turn has ended, or, if nobody waits for that, when it is accepted.
    ///
    /// - Returns: nil when the reply was given already.
    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        let observer: any TurnObserver =
            tells
            ? TurnNotifier(connection: call.host.connection, requestID: call.requestID, sendsDeltas: streams) : NoObserver()
        let madeConversation = Locked(Conversation?.none)
        let turnOfRepeat = try await call.host.turns.send(
            draft, for: call.host.turnClient(for: call.caller), cancellation: call.handle.cancellation, observer: observer
        ) { turn, conversation in
            if makesConversation { madeConversation.withLock { $0 = conversation } }
            if !waits {
                call.host.forget(call)
                call.reply.succeed(Self.result(TurnResult(turn: turn, message: nil), of: call, madeConversation: madeConversation))
            }
            call.handle.admitted(turnID: turn.id)
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
        var place: AnswerGate.Place?
        defer { place?.leave() }
        var stored: TurnResult?
        if !waits || !turns.runs(turnID) {
            // What is stored is read anew for each who asks.
            place = try await call.place()
            let found = try await turns.get(turnID, for: call.caller)
            if !waits || found.turn.status.isTerminal { stored = found } else { place?.leave() }
        }
        let result = if let stored { stored } else { try await turns.end(of: turnID, for: call.caller) }
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

/// The params `text` and `content`, of which a message has one.
struct ContentParams: Sendable {
    private var text: String?
    private var content: [Message.Part]?

    /// Whether the message is said as `text`.
    var isText: Bool { text != nil }

    /// What is said, part by part; nil until one of the two was read.
    var parts: [Message.Part]? { content ?? text.map { [.text($0)] } }

    /// Reads one of the two.
    mutating func read(_ field: String, from params: inout ParamsReader) throws(JSONError) {
        if field == "text" { text = try params.string() } else { content = try params.elements(Message.Part.self) }
        if content != nil, text != nil { throw params.refused("a message has either text or content") }
    }
}
