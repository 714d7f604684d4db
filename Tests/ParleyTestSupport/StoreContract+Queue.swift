import ParleyCore
import Testing

extension StoreContract {
    private static let inFlight = QuotaPolicy([QuotaRule(.userInFlight, limit: 1), QuotaRule(.userTurns, limit: 3, windowSeconds: 100)])

    static let queue: [StoreContract] = [
        StoreContract("A turn that may wait begins when the one before it has ended, and follows it") { store in
            try await store.makeConversation("c", for: .ann)
            let first = try await store.admit("t", in: "c", for: .ann)
            let second = try await store.enqueue("u", in: "c", for: .ann)
            #expect(second.turn.status == .queued && second.position == 1 && second.interrupted == nil)
            #expect(try await store.enqueue("v", in: "c", for: .ann).position == 2)
            #expect(try await store.turn("u", for: .ann) == TurnResult(turn: second.turn, message: nil))
            #expect(try await store.advance(["u", "v"]).isEmpty)
            #expect(try await store.messages(inConversation: "c", page: PageRequest(), for: .ann).elements == [first.userMessage])
            let answer = try await store.finish(first)
            let begun = try await store.begin("u", at: 5_000)
            #expect(begun.caller == .ann && !begun.isInterrupted)
            #expect(begun.admitted.turn.status == .inProgress && begun.admitted.turn.createdAt == second.turn.createdAt)
            #expect(begun.admitted.userMessage.parentID == answer.message?.id && begun.admitted.userMessage.text == "u")
            #expect(begun.admitted.conversation.messageCount == 3 && begun.admitted.conversation.activeTurnID == "u")
            #expect(try await store.conversation("c", for: .ann) == begun.admitted.conversation)
            #expect(try await store.advance(["v"]).isEmpty)
            try await store.finish(begun.admitted)
            #expect(try await store.begin("v").admitted.userMessage.parentID == "u.assistant")
        },
        StoreContract("A turn does not begin before its host says that it waits with it") { store in
            try await store.makeConversation("c", for: .ann)
            let first = try await store.admit("t", in: "c", for: .ann)
            try await store.enqueue("u", in: "c", for: .ann)
            try await store.finish(first)
            #expect(try await store.advance().isEmpty)
            #expect(try await store.turn("u", for: .ann).turn.status == .queued)
            try await store.begin("u")
        },
        StoreContract("What is chosen for the answer is kept with a turn that waits") { store in
            try await store.makeConversation("c", for: .ann)
            let first = try await store.admit("t", in: "c", for: .ann)
            var new = NewTurn.plain("u", .existing(conversationID: "c"))
            new.onBusy = .enqueue
            new.options = TurnOptions(model: "test:other", maxOutputTokens: 7)
            guard case .queued = try await store.admitTurn(new, for: .ann) else { return record("the turn does not wait") }
            try await store.finish(first)
            #expect(try await store.begin("u").admitted.options == new.options)
        },
        StoreContract("A turn that interrupts asks the running one to end, and goes before those that were enqueued") { store in
            try await store.makeConversation("c", for: .ann)
            let first = try await store.admit("t", in: "c", for: .ann)
            try await store.enqueue("u", in: "c", for: .ann)
            let second = try await store.enqueue("v", in: "c", .interrupt, for: .ann)
            #expect(second.interrupted == "t" && second.position == 1)
            #expect(try await store.turnsToCancel() == ["t"])
            #expect(try await store.enqueue("w", in: "c", .interrupt, for: .ann).position == 2)
            try await store.finish(first)
            // The next one that interrupts waits already.
            let begun = try await store.begin("v")
            #expect(begun.isInterrupted)
            try await store.finish(begun.admitted)
            let last = try await store.begin("w")
            #expect(!last.isInterrupted)
            try await store.finish(last.admitted)
            try await store.begin("u")
        },
        StoreContract("Who may not wait is refused while others do, and so is who comes when the queue is full") { store in
            try await store.makeConversation("c", for: .ann)
            let first = try await store.admit("t", in: "c", for: .ann)
            try await store.enqueue("u", in: "c", for: .ann)
            for policy in [BusyPolicy.enqueue, .interrupt] {
                await expectFailure(.queueFull(limit: 1)) { () async throws(Failure) in
                    var new = NewTurn.plain("v", .existing(conversationID: "c"))
                    new.onBusy = policy
                    new.maximumQueued = 1
                    return try await store.admitTurn(new, for: .ann)
                }
            }
            #expect(try await store.turnsToCancel().isEmpty)
            try await store.finish(first)
            await expectFailure(.conversationBusy(turnID: "u")) { () async throws(Failure) in try await store.admit("v", in: "c", for: .ann)
            }
            await expectFailure(.notFound(.turn, "v")) { () async throws(Failure) in try await store.turn("v", for: .ann) }
        },
        StoreContract("A turn that waits holds its quota but nothing in flight, and waits for its place there too", quotas: inFlight) {
            store in
            try await store.makeConversation("c", for: .ann)
            try await store.makeConversation("d", for: .ann)
            let first = try await store.admit("t", in: "c", for: .ann)
            try await store.enqueue("u", in: "d", for: .ann)
            try await store.expect(.userTurns, of: .caller(.ann, nil), used: 0, held: 2)
            #expect(try await store.advance(["u"]).isEmpty)
            try await store.enqueue("v", in: "c", for: .ann)
            await expectExceeded(.userTurns) { () async throws(Failure) in try await store.enqueue("w", in: "c", for: .ann) }
            try await store.finish(first)
            try await store.expect(.userTurns, of: .caller(.ann, nil), used: 1, held: 2)
            // One place is free, and the one that came first gets it, unless its host ends.
            #expect(try await store.advance(["u"], unless: { true }).isEmpty)
            let begun = try await store.begin("u")
            #expect(try await store.advance(["v"]).isEmpty)
            try await store.finish(begun.admitted)
            try await store.begin("v")
            try await store.expect(.userTurns, of: .caller(.ann, nil), used: 2, held: 1)
        },
        StoreContract("A turn that waits is cancelled at once, at no cost, and its message never joins the conversation", quotas: inFlight)
        {
            store in
            try await store.makeConversation("c", for: .ann)
            let first = try await store.admit("t", in: "c", for: .ann)
            try await store.enqueue("u", in: "c", for: .ann)
            try await store.enqueue("v", in: "c", for: .ann)
            let cancelled = try await store.requestCancel(ofTurn: "u", at: Timestamp(milliseconds: 4_000), for: .ann)
            #expect(cancelled.turn.status == .cancelled && cancelled.turn.quota?.reason == .modelNotCalled && cancelled.message == nil)
            #expect(cancelled.turn.completedAt?.milliseconds == 4_000)
            #expect(try await store.leaveQueue("v", at: Timestamp(milliseconds: 4_000)).turn.status == .cancelled)
            #expect(try await store.leaveQueue("t", at: Timestamp(milliseconds: 4_000)).turn.status == .inProgress)
            try await store.expect(.userTurns, of: .caller(.ann, nil), used: 0, held: 1)
            let steps = try await store.advance(["u", "v"])
            #expect(steps.map(\.id) == ["u", "v"])
            for (_, step) in steps {
                guard case .ended(let result) = step, result.turn.status == .cancelled else { return record("\(step)") }
            }
            let answer = try await store.finish(first)
            #expect(try await store.messages(inConversation: "c", page: PageRequest(), for: .ann).elements.first == answer.message)
            #expect(try await store.conversation("c", for: .ann).messageCount == 2)
        },
        StoreContract("Turns that wait go with their conversation and with their person, and give back what they hold", quotas: inFlight) {
            store in
            try await store.makeConversation("c", for: .ann)
            let first = try await store.admit("t", in: "c", for: .ann)
            try await store.enqueue("u", in: "c", for: .ann)
            await expectFailure(.conversationBusy(turnID: "t")) { () async throws(Failure) in
                try await store.deleteConversation("c", at: Timestamp(milliseconds: 4_000), for: .ann)
            }
            #expect(try await store.turn("u", for: .ann).turn.status == .queued)
            let asked = try await store.requestCancel(ofTurn: "t", withQueue: true, at: Timestamp(milliseconds: 4_000), for: .ann)
            #expect(asked.turn.status == .inProgress)
            #expect(try await store.turn("u", for: .ann).turn.status == .cancelled)
            try await store.enqueue("v", in: "c", for: .ann)
            try await store.finish(first)
            try await store.deleteConversation("c", at: Timestamp(milliseconds: 5_000), for: .ann)
            let steps = try await store.advance(["v"])
            guard steps.count == 1, case .deleted = steps[0].step else { return record("\(steps)") }
            await expectFailure(.notFound(.turn, "v")) { () async throws(Failure) in
                try await store.leaveQueue("v", at: Timestamp(milliseconds: 5_000))
            }
            try await store.expect(.userTurns, of: .caller(.ann, nil), used: 1, held: 0)

            try await store.makeConversation("d", for: .ann)
            try await store.makeConversation("e", for: .ann)
            try await store.finish(try await store.admit("w", in: "d", for: .ann))
            let last = try await store.admit("x", in: "d", for: .ann)
            await expectExceeded(.userTurns) { () async throws(Failure) in try await store.enqueue("y", in: "e", for: .ann) }
            try await store.finish(last)
            try await store.deletePerson(at: Timestamp(milliseconds: 6_000), for: .ann)
            #expect(try await store.advance().isEmpty)
        },
        StoreContract("A turn that waits goes on for whoever has claimed its conversation") { store in
            let person = NewAnonymousUser.numbered(1)
            try await store.createAnonymousUser(person)
            let anonymous = Caller.anonymous(person.tokenHash)
            try await store.makeConversation("c", for: anonymous)
            let first = try await store.admit("t", in: "c", for: anonymous)
            try await store.enqueue("u", in: "c", for: anonymous)
            _ = try await store.claimAnonymousUser(person.tokenHash, isConfirmed: true, at: Timestamp(milliseconds: 4_000), for: .ann)
            try await store.finish(first)
            let begun = try await store.begin("u")
            #expect(begun.caller == .ann)
            #expect(try await store.finish(begun.admitted).turn.status == .completed)
        },
        StoreContract("A command that waits stays one, and what is no command waits for the model") { store in
            try await store.makeConversation("c", for: .ann)
            let first = try await store.admit("t", in: "c", for: .ann)
            for (id, reading) in [("u", NewTurn.Reading.command), ("v", .messageOrArgument)] {
                var new = NewTurn.plain(id, .existing(conversationID: "c"))
                new.onBusy = .enqueue
                new.reading = reading
                guard case .queued(let queued) = try await store.admitTurn(new, for: .ann) else { return record("\(id) does not wait") }
                #expect(queued.turn.isLocal == (id == "u"))
            }
            try await store.finish(first)
            let command = try await store.begin("u").admitted
            #expect(command.turn.isLocal && command.userMessage.isLocal)
            var outcome = TurnOutcome.plain(command)
            outcome.message?.isLocal = true
            outcome.usage = nil
            outcome.command = CommandOutcome(pending: PendingCommand(name: "title", arguments: [:], field: "title"))
            _ = try await store.finishTurn(outcome)
            let message = try await store.begin("v").admitted
            #expect(!message.turn.isLocal && message.pendingCommand == nil)
        },
    ]
}
