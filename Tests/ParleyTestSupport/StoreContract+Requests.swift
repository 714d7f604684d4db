package import ParleyCore
import Testing

extension ClientRequest {
    /// A request by its id, with a content that is told by a number.
    package static func test(_ id: String, content: UInt8 = 1) -> ClientRequest {
        ClientRequest(id: id, contentHash: Array(repeating: content, count: 32))
    }
}

extension StoreContract {
    private static func message(_ turnID: String, _ target: NewTurn.Target, _ request: ClientRequest) -> NewTurn {
        var new = NewTurn.plain(turnID, target)
        new.request = request
        return new
    }

    private static func expectRepeat(of turnID: String, _ admission: TurnAdmission) {
        guard case .repeated(turnID) = admission else { return record("a repeat was not taken for one") }
    }

    static let requests: [StoreContract] = [
        StoreContract("A message that is sent again has the turn that it had, and is counted once", quotas: .standard) { store in
            let caller = try await store.makeAnonymous(1)
            let admitted = try await store.accept(message("t", .existing(conversationID: "c1"), .test("r")), for: caller)
            // While it runs, although another one would be refused.
            expectRepeat(
                of: "t", try await store.admitTurn(message("u", .existing(conversationID: "c1"), .test("r")), for: caller))
            try await store.finish(admitted)
            expectRepeat(
                of: "t", try await store.admitTurn(message("u", .existing(conversationID: "c1"), .test("r")), for: caller))
            await expectFailure(.idempotencyConflict) { () async throws(Failure) in
                try await store.admitTurn(message("u", .existing(conversationID: "c1"), .test("r", content: 2)), for: caller)
            }
            try await store.expect(.anonymousTurns, of: .caller(caller, nil), used: 1)
            // The same id in another conversation is another message.
            try await store.makeConversation("d", for: caller)
            try await store.accept(message("v", .existing(conversationID: "d"), .test("r", content: 2)), for: caller)
        },
        StoreContract("A message that makes a conversation makes one, however often it is sent", quotas: .standard) { store in
            func new(_ id: String) -> NewTurn.Target {
                .new(NewConversation(id: id, title: "", botID: nil, metadata: [:], createdAt: Timestamp(milliseconds: 1_000)))
            }
            try await store.accept(message("t", new("c"), .test("r")), for: .ann)
            expectRepeat(of: "t", try await store.admitTurn(message("u", new("d"), .test("r")), for: .ann))
            await expectFailure(.idempotencyConflict) { () async throws(Failure) in
                try await store.admitTurn(message("u", new("d"), .test("r", content: 2)), for: .ann)
            }
            #expect(try await store.conversations(linkedTo: nil, page: PageRequest(), for: .ann).elements.map(\.id) == ["c"])
            // Somebody else's ids are nobody's business.
            try await store.accept(message("u", new("d"), .test("r")), for: .bob)
        },
        StoreContract(
            "A refused message may be sent again under its id", quotas: QuotaPolicy([QuotaRule(.userTurns, limit: 1, windowSeconds: 1)])
        ) { store in
            try await store.makeConversation("c", for: .ann)
            try await store.finish(try await store.admit("t", in: "c", at: 1_000, for: .ann))
            var refused = message("u", .existing(conversationID: "c"), .test("r"))
            refused.now = Timestamp(milliseconds: 1_500)
            await expectExceeded(.userTurns) { [refused] () async throws(Failure) in try await store.admitTurn(refused, for: .ann) }
            refused.now = Timestamp(milliseconds: 2_000)
            try await store.accept(refused, for: .ann)
        },
        StoreContract("Conversations and bots are made once, however often they are asked for", quotas: .standard) { store in
            func conversation(_ id: String, _ request: ClientRequest) -> NewConversation {
                NewConversation(
                    id: id, title: id, botID: nil, metadata: [:], createdAt: Timestamp(milliseconds: 1_000), request: request)
            }
            let made = try await store.createConversation(conversation("c", .test("r")), for: .ann)
            #expect(try await store.createConversation(conversation("d", .test("r")), for: .ann) == made)
            await expectFailure(.idempotencyConflict) { () async throws(Failure) in
                try await store.createConversation(conversation("d", .test("r", content: 2)), for: .ann)
            }
            let bot = try await store.createBot(.plain("b", name: "Bot"), request: .test("r"), for: .ann)
            #expect(try await store.createBot(.plain("b2", name: "Bot"), request: .test("r"), for: .ann) == bot)
            await expectFailure(.idempotencyConflict) { () async throws(Failure) in
                try await store.createBot(.plain("b2", name: "Bot"), request: .test("r", content: 2), for: .ann)
            }
            try await store.expect(.userBots, of: .user(id: "ann"), used: 1)
            try await store.deleteBot("b", at: Timestamp(milliseconds: 2_000), for: .ann)
            await expectFailure(.notFound(.bot, "b")) { () async throws(Failure) in
                try await store.createBot(.plain("b2", name: "Bot"), request: .test("r"), for: .ann)
            }
            // Two days later nobody repeats it any more.
            try await store.discardExpired(at: Timestamp(milliseconds: 1_000 + 86_400_000))
            #expect(try await store.createConversation(conversation("d", .test("r")), for: .ann) == made)
            try await store.discardExpired(at: Timestamp(milliseconds: 1_001 + 172_800_000))
            #expect(try await store.createConversation(conversation("d", .test("r")), for: .ann).id == "d")
        },
    ]
}
