import ParleyCore
import Testing

extension StoreContract {
    static let people: [StoreContract] = [
        StoreContract("an anonymous user is known by their token from then on") { store in
            try await store.createAnonymousUser(.numbered(1))
            let caller = Caller.anonymous(NewAnonymousUser.numbered(1).tokenHash)
            try await store.makeConversation("c", for: caller)
            #expect(try await store.conversation("c", for: caller).id == "c")
        },

        StoreContract("a request can make its own anonymous user") { store in
            try await store.makeConversation("c", for: .newAnonymous(.numbered(1)))
            try await store.makeBot("b", name: "Bot", for: .newAnonymous(.numbered(2)))
            _ = try await store.accept(
                .plain("t", .new(NewConversation(id: "d", title: "", botID: nil, metadata: [:], createdAt: Timestamp(milliseconds: 1)))),
                for: .newAnonymous(.numbered(3)))
            #expect(try await store.conversation("c", for: .anonymous(NewAnonymousUser.numbered(1).tokenHash)).id == "c")
            #expect(try await store.bot("b", for: .anonymous(NewAnonymousUser.numbered(2).tokenHash)).id == "b")
            #expect(try await store.conversation("d", for: .anonymous(NewAnonymousUser.numbered(3).tokenHash)).id == "d")
        },

        StoreContract("an unknown token is refused everywhere, and nothing is made of it") { store in
            try await store.createAnonymousUser(.numbered(1))
            let unknown = Caller.anonymous(NewAnonymousUser.numbered(2).tokenHash)
            for (name, call) in callsOnNothing + callsOnSomething {
                #expect(await failure { () async throws(Failure) in try await call(store, unknown) }?.code == .authRequired, "\(name)")
            }
        },

        StoreContract("a caller is looked at without being made") { store in
            try await store.createAnonymousUser(.numbered(1))
            let known = Caller.anonymous(NewAnonymousUser.numbered(1).tokenHash)
            for caller in [.user(id: "never seen"), known, .newAnonymous(.numbered(2))] { try await store.verify(caller) }
            await expectFailure(.authRequired) { () async throws(Failure) in
                try await store.verify(.anonymous(NewAnonymousUser.numbered(2).tokenHash))
            }
        },

        StoreContract("a token that agrees with a known one in what it is looked up by is still unknown") { store in
            let known = NewAnonymousUser.numbered(1)
            try await store.createAnonymousUser(known)
            var bytes = known.tokenHash.bytes
            bytes[31] ^= 1
            let forged = Caller.anonymous(AnonymousToken.Hash(bytes: bytes))
            await expectFailure(.authRequired) { () async throws(Failure) in
                try await store.conversations(linkedTo: nil, page: PageRequest(), for: forged)
            }
        },

        StoreContract("two people whose tokens are looked up by the same number are told apart") { store in
            var first = NewAnonymousUser.numbered(1)
            var second = NewAnonymousUser.numbered(2)
            let prefix = Array(first.tokenHash.bytes.prefix(8))
            first.tokenHash = AnonymousToken.Hash(bytes: prefix + Array(repeating: 1, count: 24))
            second.tokenHash = AnonymousToken.Hash(bytes: prefix + Array(repeating: 2, count: 24))
            try await store.createAnonymousUser(first)
            try await store.createAnonymousUser(second)
            try await store.makeConversation("c", for: .anonymous(second.tokenHash))
            #expect(try await store.conversation("c", for: .anonymous(second.tokenHash)).id == "c")
            await expectFailure(.notFound(.conversation, "c")) { () async throws(Failure) in
                try await store.conversation("c", for: .anonymous(first.tokenHash))
            }
        },

        StoreContract("somebody who was never seen owns nothing") { store in
            try await store.makeConversation("c", for: .ann)
            let nobody = Caller.user(id: "nobody")
            #expect(try await store.conversations(linkedTo: nil, page: PageRequest(), for: nobody).elements.isEmpty)
            #expect(try await store.bots(.own, page: PageRequest(), for: nobody).elements.isEmpty)
            await expectFailure(.notFound(.conversation, "c")) { () async throws(Failure) in try await store.conversation("c", for: nobody)
            }
        },

        StoreContract("a refused request makes no person") { store in
            let new = NewAnonymousUser.numbered(1)
            await expectFailure(.notFound(.bot, "none")) { () async throws(Failure) in
                try await store.makeConversation("c", botID: "none", for: .newAnonymous(new))
            }
            await expectFailure(.authRequired) { () async throws(Failure) in
                try await store.conversation("c", for: .anonymous(new.tokenHash))
            }
        },

        StoreContract("ids of users are compared exactly") { store in
            let ids = ["a", "A", "a\u{0}", "a\u{0}b", "\u{E9}", "e\u{301}", " a", "", "anonymous-1"]
            for (number, id) in ids.enumerated() { try await store.makeConversation("c\(number)", for: .user(id: id)) }
            try await store.makeConversation("other", for: .newAnonymous(.numbered(1)))
            for (number, id) in ids.enumerated() {
                let own = try await store.conversations(linkedTo: nil, page: PageRequest(), for: .user(id: id)).elements
                #expect(own.map(\.id) == ["c\(number)"], "user \(id.debugDescription)")
            }
        },

        StoreContract("what belongs to somebody else looks as if it did not exist") { store in
            try await store.makeBot("b", name: "Bot", for: .ann)
            try await store.makeConversation("c", for: .ann)
            try await store.admit("t", in: "c", for: .ann)
            try await store.makeConversation("mine", for: .bob)
            for (name, call) in callsOnSomething {
                let other = await failure { () async throws(Failure) in try await call(store, .bob) }
                let missing = await failure { () async throws(Failure) in try await call(store, .user(id: "nobody")) }
                #expect(other?.code == .notFound, "\(name)")
                #expect(other == missing, "\(name)")
            }
            #expect(try await store.conversations(linkedTo: "b", page: PageRequest(), for: .bob).elements.isEmpty)
            #expect(try await store.bots(.own, page: PageRequest(), for: .bob).elements.isEmpty)
            await expectFailure(.notFound(.bot, "b")) { () async throws(Failure) in
                try await store.setBot("b", ofConversation: "mine", at: moment, for: .bob)
            }
            await expectFailure(.notFound(.bot, "b")) { () async throws(Failure) in
                try await store.makeConversation("d", botID: "b", for: .bob)
            }
            // And nothing was done to it.
            #expect(try await store.conversation("c", for: .ann).activeTurnID == "t")
            #expect(try await store.bot("b", for: .ann).revision == 1)
            #expect(try await store.turnsToCancel().isEmpty)
        },
    ]

    private typealias Call = @Sendable (any Store, Caller) async throws(Failure) -> Void

    /// Every call for a person that needs nothing of theirs.
    private static let callsOnNothing: [(name: String, call: Call)] = [
        ("createConversation", { store, caller async throws(Failure) in try await store.makeConversation("x", for: caller) }),
        (
            "conversations",
            { store, caller async throws(Failure) in _ = try await store.conversations(linkedTo: nil, page: PageRequest(), for: caller) }
        ),
        ("createBot", { store, caller async throws(Failure) in try await store.makeBot("x", name: "x", for: caller) }),
        ("bots", { store, caller async throws(Failure) in _ = try await store.bots(.own, page: PageRequest(), for: caller) }),
        (
            "admitTurn, new",
            { store, caller async throws(Failure) in
                let new = NewConversation(id: "y", title: "", botID: nil, metadata: [:], createdAt: moment)
                _ = try await store.accept(.plain("y", .new(new)), for: caller)
            }
        ),
    ]

    /// Every call for a person that needs something of theirs: the bot `b`, the conversation `c` or the turn `t`.
    private static let callsOnSomething: [(name: String, call: Call)] = [
        ("conversation", { store, caller async throws(Failure) in _ = try await store.conversation("c", for: caller) }),
        (
            "updateConversation",
            { store, caller async throws(Failure) in
                _ = try await store.updateConversation("c", ConversationChange(title: "x"), at: moment, for: caller)
            }
        ),
        (
            "setBot",
            { store, caller async throws(Failure) in _ = try await store.setBot(nil, ofConversation: "c", at: moment, for: caller) }
        ),
        ("deleteConversation", { store, caller async throws(Failure) in try await store.deleteConversation("c", at: moment, for: caller) }),
        (
            "messages",
            { store, caller async throws(Failure) in _ = try await store.messages(inConversation: "c", page: PageRequest(), for: caller) }
        ),
        ("bot", { store, caller async throws(Failure) in _ = try await store.bot("b", for: caller) }),
        (
            "updateBot",
            { store, caller async throws(Failure) in
                _ = try await store.updateBot("b", BotChange(name: "x"), ifRevision: nil, at: moment, for: caller)
            }
        ),
        ("deleteBot", { store, caller async throws(Failure) in try await store.deleteBot("b", at: moment, for: caller) }),
        ("admitTurn", { store, caller async throws(Failure) in try await store.admit("u", in: "c", for: caller) }),
        ("turn", { store, caller async throws(Failure) in _ = try await store.turn("t", for: caller) }),
        (
            "requestCancel",
            { store, caller async throws(Failure) in _ = try await store.requestCancel(ofTurn: "t", at: moment, for: caller) }
        ),
    ]

    private static let moment = Timestamp(milliseconds: 9_000)

    /// What a call fails with, nil when it does not.
    static func failure(_ body: () async throws(Failure) -> Void) async -> Failure? {
        do throws(Failure) {
            try await body()
            return nil
        } catch {
            return error
        }
    }
}
