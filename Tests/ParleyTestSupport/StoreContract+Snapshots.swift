import ParleyCore
import Testing

extension StoreContract {
    /// A message of a turn.
    private static func message(
        _ id: String, _ role: Message.Role, _ content: [Message.Part], of admitted: AdmittedTurn, after parentID: String,
        status: Message.Status = .complete
    ) -> Message {
        Message(
            id: id, conversationID: admitted.turn.conversationID, turnID: admitted.turn.id, parentID: parentID, role: role,
            content: content, status: status, createdAt: Timestamp(milliseconds: 2_500))
    }

    static let snapshots: [StoreContract] = [
        StoreContract("a snapshot has all that is stored of a turn, step by step") { store in
            try await store.makeConversation("c", for: .ann)
            try await store.exchange("before", in: "c", for: .ann)
            let admitted = try await store.admit("t", in: "c", at: 4_000, for: .ann)
            #expect(admitted.userMessage.parentID == "before.assistant")
            var expected = TurnSnapshot(turn: admitted.turn, messages: [admitted.userMessage], lastSequence: 0)
            #expect(try await store.snapshot(ofTurn: "t", beyond: -1, for: .ann) == expected)
            #expect(try await store.snapshot(ofTurn: "t", beyond: 0, for: .ann) == nil)

            let partial = message("m1", .assistant, [.reasoning("Hm."), .text("Let")], of: admitted, after: "t.user", status: .partial)
            try await store.checkpoint([TurnCheckpoint(turnID: "t", message: partial, lastSequence: 4)])
            expected.turn.messageID = "m1"
            expected.messages.append(partial)
            expected.lastSequence = 4
            #expect(try await store.snapshot(ofTurn: "t", beyond: 3, for: .ann) == expected)
            #expect(try await store.snapshot(ofTurn: "t", beyond: 4, for: .ann) == nil)

            let call = ToolCall(id: "call", name: "weather", arguments: ["city": "Rome"])
            let asked = message("m1", .assistant, [.reasoning("Hm."), .text("Let me"), .toolCall(call)], of: admitted, after: "t.user")
            let result = ToolResult(toolCallID: "call", status: .completed, text: "Sun")
            let answered = message("m2", .tool, [.toolResult(result)], of: admitted, after: "m1")
            try await store.appendMessages([asked], toTurn: "t", lastSequence: 5)
            try await store.appendMessages([answered], toTurn: "t", lastSequence: 7)
            let more = message("m3", .assistant, [.text("Su")], of: admitted, after: "m2", status: .partial)
            try await store.checkpoint([TurnCheckpoint(turnID: "t", message: more, lastSequence: 8)])
            expected.turn.messageID = "m3"
            expected.messages = [admitted.userMessage, asked, answered, more]
            expected.lastSequence = 8
            #expect(try await store.snapshot(ofTurn: "t", beyond: 4, for: .ann) == expected)

            var outcome = TurnOutcome.plain(admitted)
            outcome.message = message("m3", .assistant, [.text("Sunny.")], of: admitted, after: "m2")
            outcome.lastSequence = 11
            let ended = try await store.finishTurn(outcome)
            try await store.exchange("after", in: "c", at: 9_000, for: .ann)
            // Of a turn that has ended everything is told, whatever is held of it.
            for beyond in [-1, 11, .max] {
                let snapshot = try await store.snapshot(ofTurn: "t", beyond: beyond, for: .ann)
                #expect(snapshot?.turn == ended.turn && snapshot?.lastSequence == 11 && snapshot?.result == ended)
                #expect(snapshot?.messages == [admitted.userMessage, asked, answered] + [ended.message].compactMap(\.self))
            }
        },

        StoreContract("a snapshot of a turn that ends after a tool's answer has the answer, and its result the message before") { store in
            try await store.makeConversation("c", for: .ann)
            let admitted = try await store.admit("t", in: "c", for: .ann)
            let call = ToolCall(id: "call", name: "weather", arguments: [:])
            let asked = message("m1", .assistant, [.toolCall(call)], of: admitted, after: "t.user")
            let answered = message(
                "m2", .tool, [.toolResult(ToolResult(toolCallID: "call", status: .failed, text: "No"))], of: admitted, after: "m1")
            try await store.appendMessages([asked, answered], toTurn: "t", lastSequence: 3)
            var outcome = TurnOutcome.plain(admitted)
            outcome.message = nil
            _ = try await store.finishTurn(outcome)
            let snapshot = try await store.snapshot(ofTurn: "t", beyond: .max, for: .ann)
            #expect(snapshot?.messages == [admitted.userMessage, asked, answered] && snapshot?.result.message == asked)
        },

        StoreContract("nobody else is shown a snapshot") { store in
            try await store.makeConversation("c", for: .ann)
            let admitted = try await store.admit("t", in: "c", for: .ann)
            for beyond in [-1, .max] {
                await expectFailure(.notFound(.turn, "t")) { () async throws(Failure) in
                    try await store.snapshot(ofTurn: "t", beyond: beyond, for: .bob)
                }
                await expectFailure(.notFound(.turn, "none")) { () async throws(Failure) in
                    try await store.snapshot(ofTurn: "none", beyond: beyond, for: .ann)
                }
            }
            try await store.finish(admitted)
            await expectFailure(.notFound(.turn, "t")) { () async throws(Failure) in
                try await store.snapshot(ofTurn: "t", beyond: -1, for: .bob)
            }
        },
    ]
}
