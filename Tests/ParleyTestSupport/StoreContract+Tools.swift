import ParleyCore
import Testing

extension StoreContract {
    /// An assistant's message that calls a tool, and the tool's answer.
    private static func step(_ number: Int, of admitted: AdmittedTurn, after parentID: String) -> (call: Message, result: Message) {
        func message(_ kind: String, _ role: Message.Role, _ part: Message.Part, after parentID: String) -> Message {
            Message(
                id: "\(admitted.turn.id).\(kind)\(number)", conversationID: admitted.turn.conversationID, turnID: admitted.turn.id,
                parentID: parentID, role: role, content: [part], status: .complete, createdAt: Timestamp(milliseconds: 2_500))
        }
        let call = ToolCall(id: "call\(number)", name: "weather", arguments: ["city": "Rome", "days": [1, 2.5, nil]])
        let asked = message("call", .assistant, .toolCall(call), after: parentID)
        let result = ToolResult(toolCallID: call.id, status: .completed, text: "Sun\u{0}", data: ["celsius": 20])
        return (asked, message("result", .tool, .toolResult(result), after: asked.id))
    }

    private static let toolLimit = QuotaPolicy([QuotaRule(.anonymousTool("weather"), limit: 2)])

    static let tools: [StoreContract] = [
        StoreContract("Messages of a turn that are complete are part of the conversation at once, and stay") { store in
            try await store.makeConversation("c", for: .ann)
            let admitted = try await store.admit("t", in: "c", for: .ann)
            let first = step(1, of: admitted, after: admitted.userMessage.id)
            // What a checkpoint has kept of a message is replaced by the whole.
            var partial = first.call
            partial.content = [.text("Let me")]
            partial.status = .partial
            try await store.checkpoint([TurnCheckpoint(turnID: "t", message: partial, lastSequence: 2)])
            try await store.appendMessages([first.call], toTurn: "t", lastSequence: 3)
            try await store.appendMessages([first.result], toTurn: "t", lastSequence: 4)
            let path = try await store.messages(inConversation: "c", page: PageRequest(), for: .ann).elements
            #expect(path == [first.result, first.call, admitted.userMessage])
            for bytes in [0, .max] {
                // Half a turn is no history.
                let history = try await store.history(endingAt: first.result.id, maximumBytes: bytes)
                #expect(history == History(messages: path.reversed(), earlierCount: 0))
            }
            #expect(try await store.conversation("c", for: .ann).messageCount == 3)

            let second = step(2, of: admitted, after: first.result.id)
            try await store.appendMessages([second.call, second.result], toTurn: "t", lastSequence: 6)
            var outcome = TurnOutcome.plain(admitted)
            outcome.message?.parentID = second.result.id
            let result = try await store.finishTurn(outcome)
            #expect(result.turn.messageID == "t.assistant")
            let whole = try await store.messages(inConversation: "c", page: PageRequest(), for: .ann).elements
            #expect(whole == [outcome.message, second.result, second.call, first.result, first.call, admitted.userMessage])
            #expect(try await store.conversation("c", for: .ann).messageCount == 6)
        },
        StoreContract("A turn that ends after a tool's answer leaves that as the head, and shows the assistant's last message") { store in
            try await store.makeConversation("c", for: .ann)
            let admitted = try await store.admit("t", in: "c", for: .ann)
            let (call, result) = step(1, of: admitted, after: admitted.userMessage.id)
            try await store.appendMessages([call, result], toTurn: "t", lastSequence: 3)
            var outcome = TurnOutcome.plain(admitted)
            outcome.message = nil
            let ended = try await store.finishTurn(outcome)
            #expect(ended.turn.messageID == call.id && ended.message == call)
            #expect(try await store.messages(inConversation: "c", page: PageRequest(), for: .ann).elements.first == result)
            let next = try await store.admit("u", in: "c", for: .ann)
            #expect(next.userMessage.parentID == result.id)
            await expectFailure(.notFound(.turn, "t")) { () async throws(Failure) in
                try await store.appendMessages([call], toTurn: "t", lastSequence: 9)
            }
        },
        StoreContract("Calls of a tool are counted for anonymous people alone; what fails, or has no end, is given back", quotas: toolLimit)
        {
            store in
            let key = QuotaKey.anonymousTool("weather")
            let caller = try await store.makeAnonymous(1)
            let first = try await store.admit("t", in: "c1", for: caller)
            for (number, succeeded) in [(1, true), (2, false)] {
                try await store.holdToolCall("call\(number)", ofTurn: "t", named: "weather", for: caller)
                try await store.expect(key, of: .caller(caller, nil), used: 1 - (succeeded ? 1 : 0), held: 1)
                try await store.settleToolCall("call\(number)", ofTurn: "t", succeeded: succeeded)
                try await store.settleToolCall("call\(number)", ofTurn: "t", succeeded: false)
            }
            try await store.expect(key, of: .caller(caller, nil), used: 1)
            try await store.holdToolCall("call3", ofTurn: "t", named: "weather", for: caller)
            let refusal = await expectExceeded(key) { () async throws(Failure) in
                try await store.holdToolCall("call4", ofTurn: "t", named: "weather", for: caller)
            }
            #expect(refusal?["upgrade"]?.value == "signIn" && refusal?.number("httpStatus") == 403)
            try await store.holdToolCall("other", ofTurn: "t", named: "other", for: caller)
            _ = try await store.resetQuota(of: .anonymousUser(id: "anonymous-1"), scope: nil, at: Timestamp(milliseconds: 9_000))
            try await store.expect(key, of: .caller(caller, nil), used: 0, held: 1)
            try await store.settleToolCall("call3", ofTurn: "t", succeeded: true)
            try await store.finish(first)
            try await store.expect(key, of: .caller(caller, nil), used: 1)

            try await store.makeConversation("c", for: .ann)
            try await store.admit("u", in: "c", for: .ann)
            for number in 1...5 { try await store.holdToolCall("call\(number)", ofTurn: "u", named: "weather", for: .ann) }
        },
    ]
}
