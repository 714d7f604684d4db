import JSON
import ParleyCore
import Testing

extension StoreContract {
    private static let one = QuotaPolicy([
        QuotaRule(.anonymousTurns, limit: 1), QuotaRule(.anonymousInFlight, limit: 1), QuotaRule(.anonymousTool("weather"), limit: 1),
    ])

    /// Ends a command's turn.
    private static func end(
        _ admitted: AdmittedTurn, in store: any Store, leaving command: CommandOutcome?, status: Turn.Status = .completed
    ) async throws -> TurnResult {
        var outcome = TurnOutcome.plain(admitted)
        outcome.status = status
        outcome.stopReason = status == .completed ? .endTurn : .cancelled
        outcome.message?.isLocal = true
        outcome.usage = nil
        outcome.command = command
        return try await store.finishTurn(outcome)
    }

    private static func send(
        _ id: String, _ reading: NewTurn.Reading, in store: any Store, for caller: Caller = .ann
    ) async throws -> AdmittedTurn {
        var new = NewTurn.plain(id, .existing(conversationID: "c"), text: id)
        new.reading = reading
        guard case .accepted(let admitted) = try await store.admitTurn(new, for: caller) else { throw Failure(.internalError, "repeated") }
        return admitted
    }

    static let commands: [StoreContract] = [
        StoreContract("A turn that ends tells the conversation as it has left it, to whoever asks") { store in
            try await store.makeConversation("c", for: .ann)
            let admitted = try await send("t", .message, in: store)
            _ = try await store.updateConversation("c", ConversationChange(title: "New"), at: Timestamp(milliseconds: 2_500), for: .ann)
            var outcome = TurnOutcome.plain(admitted)
            outcome.returnsConversation = true
            let told = try await store.finishTurn(outcome).conversation
            #expect(try await store.conversation("c", for: .ann) == told)
            #expect(told?.title == "New" && told?.messageCount == 2 && told?.activeTurnID == nil)
        },
        StoreContract("A command is local, has no title, and is told to no model") { store in
            try await store.makeConversation("c", for: .ann)
            let command = try await send("t", .command, in: store)
            #expect(command.turn.isLocal && command.userMessage.isLocal && command.pendingCommand == nil)
            let ended = try await end(command, in: store, leaving: nil)
            #expect(ended.turn.isLocal && ended.message?.isLocal == true)
            #expect(try await store.turn("t", for: .ann).turn.isLocal)
            #expect(try await store.conversation("c", for: .ann).title == "")
            let next = try await send("u", .message, in: store)
            #expect(!next.turn.isLocal && next.userMessage.parentID == ended.message?.id)
            #expect(
                try await store.history(endingAt: next.userMessage.id, maximumBytes: .max)
                    == History(messages: [next.userMessage], earlierCount: 0))
            let path = try await store.messages(inConversation: "c", page: PageRequest(), for: .ann).elements
            #expect(path.map(\.isLocal) == [false, true, true])
        },
        StoreContract("A command that waits takes the next message, unless that is for the model whatever it says") { store in
            try await store.makeConversation("c", for: .ann)
            let pending = PendingCommand(name: "create_bot", arguments: ["model": "x"], field: "name")
            _ = try await end(try await send("t1", .command, in: store), in: store, leaving: CommandOutcome(pending: pending))
            let message = try await send("t2", .message, in: store)
            #expect(!message.turn.isLocal && message.pendingCommand == nil)
            _ = try await store.finishTurn(.plain(message))
            let cancelled = try await send("t3", .messageOrArgument, in: store)
            #expect(cancelled.turn.isLocal && cancelled.pendingCommand == pending)
            // What a command does not come to leaves all as it was.
            _ = try await end(cancelled, in: store, leaving: nil, status: .cancelled)
            let called = try await send("t4", .messageOrArgument, in: store)
            #expect(called.pendingCommand == pending)
            // Once its tool is called, nothing can be taken for the argument again.
            var asked = Message.answer(to: called)
            asked.isLocal = true
            asked.content = [.toolCall(ToolCall(id: "1", name: "create_bot", arguments: [:]))]
            try await store.appendMessages([asked], toTurn: "t4", lastSequence: 2)
            var outcome = TurnOutcome.plain(called)
            (outcome.status, outcome.stopReason, outcome.message) = (.cancelled, .cancelled, nil)
            _ = try await store.finishTurn(outcome)
            let again = try await send("t4a", .messageOrArgument, in: store)
            #expect(!again.turn.isLocal)
            _ = try await store.finishTurn(.plain(again))
            _ = try await end(try await send("t4b", .command, in: store), in: store, leaving: CommandOutcome(pending: pending))
            let argument = try await send("t4c", .messageOrArgument, in: store)
            #expect(argument.pendingCommand == pending)
            _ = try await end(argument, in: store, leaving: CommandOutcome())
            let next = try await send("t5", .messageOrArgument, in: store)
            #expect(!next.turn.isLocal && next.pendingCommand == nil)
        },
        StoreContract("A command may empty the head; nothing is deleted") { store in
            try await store.makeConversation("c", for: .ann)
            _ = try await store.finishTurn(.plain(try await send("t1", .message, in: store)))
            _ = try await end(try await send("t2", .command, in: store), in: store, leaving: CommandOutcome(clearsHead: true))
            #expect(try await store.messages(inConversation: "c", page: PageRequest(), for: .ann).elements.isEmpty)
            #expect(try await store.conversation("c", for: .ann).messageCount == 4)
            #expect(try await store.turn("t1", for: .ann).message != nil)
            let next = try await send("t3", .message, in: store)
            #expect(next.userMessage.parentID == nil)
            // What begins the conversation and what begins it anew are siblings.
            var begins = next.userMessage
            begins.siblingCount = 2
            #expect(try await store.messages(inConversation: "c", page: PageRequest(), for: .ann).elements == [begins])
        },
        StoreContract("A command holds nothing and is never refused for a quota, but its calls of tools are counted", quotas: one) {
            store in
            let caller = try await store.makeAnonymous(1)
            try await store.makeConversation("c", for: caller)
            _ = try await store.finishTurn(.plain(try await send("t1", .message, in: store, for: caller)))
            try await store.expect(.anonymousTurns, of: .caller(caller, nil), used: 1)
            let command = try await send("t2", .command, in: store, for: caller)
            try await store.expect(.anonymousTurns, of: .caller(caller, nil), used: 1)
            try await store.expect(.anonymousInFlight, of: .caller(caller, nil), used: 0)
            try await store.holdToolCall("call", ofTurn: "t2", named: "weather", for: caller)
            try await store.expect(.anonymousTool("weather"), of: .caller(caller, nil), used: 0, held: 1)
            try await store.settleToolCall("call", ofTurn: "t2", succeeded: true)
            _ = await expectExceeded(.anonymousTool("weather")) { () async throws(Failure) in
                try await store.holdToolCall("call2", ofTurn: "t2", named: "weather", for: caller)
            }
            let receipt = try #require(try await end(command, in: store, leaving: nil).turn.quota)
            #expect(!receipt.counted && receipt.reason == .local && receipt.limits.first?.totals?.used == 1)
            try await store.expect(.anonymousTurns, of: .caller(caller, nil), used: 1)
        },
    ]
}
