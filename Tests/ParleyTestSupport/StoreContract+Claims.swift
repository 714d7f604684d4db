import ParleyCore
import Testing

extension StoreContract {
    private static let now = Timestamp(milliseconds: 5_000)
    private static let token = NewAnonymousUser.numbered(1).tokenHash

    static let claims: [StoreContract] = [
        StoreContract("A claim counts first, then moves everything once, and a repeat says the same", quotas: .standard) { store in
            let caller = try await store.makeAnonymous(1)
            try await store.makeBot("b", name: "Poet", for: caller)
            try await store.makeBot("own", name: "poet", for: .ann)
            _ = try await store.setBot("b", ofConversation: "c1", at: Timestamp(milliseconds: 2_000), for: caller)
            try await store.finish(try await store.admit("t", in: "c1", for: caller))
            let before = try await store.conversation("c1", for: caller)

            let counted = try await store.claimAnonymousUser(token, isConfirmed: false, at: now, for: .ann)
            #expect(counted == AnonymousClaim(isConfirmed: false, conversations: 1, bots: 1))
            #expect(try await store.conversation("c1", for: caller) == before)
            let claimed = AnonymousClaim(isConfirmed: true, conversations: 1, bots: 1)
            #expect(try await store.claimAnonymousUser(token, isConfirmed: true, at: now, for: .ann) == claimed)

            #expect(try await store.conversation("c1", for: .ann) == before)
            #expect(try await store.messages(inConversation: "c1", page: PageRequest(), for: .ann).elements.count == 2)
            let bots = try await store.bots(.own, page: PageRequest(), for: .ann).elements
            #expect(bots.map(\.name) == ["poet", "Poet (2)"] && bots.map(\.revision) == [1, 2])
            // The token works no more, for anybody and anything.
            await expectFailure(.authRequired) { () async throws(Failure) in try await store.conversation("c1", for: caller) }
            await expectFailure(.authRequired) { () async throws(Failure) in try await store.admit("u", in: "c1", for: caller) }
            await expectFailure(.authRequired) { () async throws(Failure) in
                try await store.claimAnonymousUser(token, isConfirmed: true, at: now, for: .bob)
            }
            for isConfirmed in [true, false] {
                #expect(try await store.claimAnonymousUser(token, isConfirmed: isConfirmed, at: now, for: .ann) == claimed)
            }
            await expectFailure(.authRequired) { () async throws(Failure) in
                try await store.claimAnonymousUser(NewAnonymousUser.numbered(9).tokenHash, isConfirmed: true, at: now, for: .ann)
            }
        },
        StoreContract("A turn that runs while its conversation is claimed goes on, and counts where it was admitted", quotas: .standard) {
            store in
            let caller = try await store.makeAnonymous(1)
            let admitted = try await store.admit("t", in: "c1", for: caller)
            _ = try await store.claimAnonymousUser(token, isConfirmed: true, at: now, for: .ann)
            try await store.expect(.userInFlight, of: .user(id: "ann"), used: 0)
            #expect(try await store.turn("t", for: .ann).turn.status == .inProgress)
            let receipt = try await store.finish(admitted).turn.quota
            #expect(receipt?.limits.first == QuotaReading(QuotaRule(.anonymousTurns, limit: 50, warnAfter: 40), taken: 1, held: 0))
            #expect(try await store.messages(inConversation: "c1", page: PageRequest(), for: .ann).elements.count == 2)
        },
        StoreContract(
            "More bots than the limit are kept, and making one waits until there are fewer",
            quotas: QuotaPolicy([QuotaRule(.userBots, limit: 1)])
        ) { store in
            let caller = try await store.makeAnonymous(1)
            try await store.makeBot("b", name: "Theirs", for: caller)
            try await store.makeBot("own", name: "Mine", for: .ann)
            _ = try await store.claimAnonymousUser(token, isConfirmed: true, at: now, for: .ann)
            #expect(try await store.bots(.own, page: PageRequest(), for: .ann).elements.map(\.id) == ["own", "b"])
            for id in ["own", "b"] {
                await expectExceeded(.userBots) { () async throws(Failure) in try await store.makeBot("n", name: "New", for: .ann) }
                try await store.deleteBot(id, at: now, for: .ann)
            }
            try await store.makeBot("n", name: "New", for: .ann)
        },
        StoreContract("A repeated message finds its turn also for the one who has claimed it", quotas: .standard) { store in
            let caller = try await store.makeAnonymous(1)
            var new = NewTurn.plain("t", .existing(conversationID: "c1"))
            new.request = .test("r")
            try await store.accept(new, for: caller)
            _ = try await store.claimAnonymousUser(token, isConfirmed: true, at: now, for: .ann)
            new.id = "u"
            guard case .repeated("t") = try await store.admitTurn(new, for: .ann) else { return record("a repeat was not taken for one") }
        },
        StoreContract("A person who is deleted is gone, with all that was claimed, and is somebody new when seen again", quotas: .standard)
        { store in
            let caller = try await store.makeAnonymous(1)
            _ = try await store.claimAnonymousUser(token, isConfirmed: true, at: now, for: .ann)
            try await store.makeBot("b", name: "Bot", for: .ann)
            let admitted = try await store.admit("t", in: "c1", for: .ann)
            await expectFailure(.conversationBusy(turnID: "t")) { () async throws(Failure) in
                try await store.deletePerson(at: now, for: .ann)
            }
            try await store.finish(admitted)
            try await store.deletePerson(at: now, for: .ann)
            #expect(try await store.erasurePending())
            #expect(try await store.conversations(linkedTo: nil, page: PageRequest(), for: .ann).elements.isEmpty)
            await expectFailure(.notFound(.turn, "t")) { () async throws(Failure) in try await store.turn("t", for: .ann) }
            await expectFailure(.notFound(.bot, "b")) { () async throws(Failure) in try await store.bot("b", for: .ann) }
            await expectFailure(.authRequired) { () async throws(Failure) in
                try await store.claimAnonymousUser(token, isConfirmed: true, at: now, for: .ann)
            }
            await expectFailure(.authRequired) { () async throws(Failure) in try await store.verify(caller) }
            try await store.expect(.systemTurns, of: .system, used: 1)
            try await store.deletePerson(at: now, for: .ann)
            let visitor = try await store.makeAnonymous(2)
            try await store.deletePerson(at: now, for: visitor)
            await expectFailure(.authRequired) { () async throws(Failure) in try await store.deletePerson(at: now, for: visitor) }
        },
    ]

    static let publishedBots: [StoreContract] = [
        StoreContract("Everybody may use a published bot and see its name, nobody else how it is set up") { store in
            var secret = Bot.plain("p", name: "Guide")
            secret.description = "Shows the way"
            secret.instructions = "SECRET"
            secret.model = "test:secret"
            secret.temperature = 1
            secret.config = ["secret": true]
            _ = try await store.createBot(secret, request: nil, for: .operator)
            await expectFailure(.notFound(.bot, "p")) { () async throws(Failure) in try await store.bot("p", for: .ann) }
            let published = try await store.updateBot(
                "p", BotChange(visibility: .published), ifRevision: nil, at: Timestamp(milliseconds: 2_000), for: .operator)
            #expect(published.instructions == "SECRET" && published.visibility == .published)

            var shown = Bot.plain("p", name: "Guide")
            shown.description = "Shows the way"
            shown.visibility = .published
            shown.revision = 2
            shown.updatedAt = Timestamp(milliseconds: 2_000)
            #expect(try await store.bot("p", for: .ann) == shown)
            #expect(try await store.bot("p", for: .operator) == published)
            try await store.makeBot("own", name: "Aide", for: .ann)
            try await store.makeBot("same", name: "guide", for: .ann)
            let expected: [(BotScope, [String])] = [(.own, ["own", "same"]), (.published, ["p"]), (.all, ["own", "p", "same"])]
            for (scope, ids) in expected {
                for limit in 1...3 {
                    let all = try await store.allPages(limit: limit) { page async throws(Failure) in
                        try await store.bots(scope, page: page, for: .ann)
                    }
                    #expect(all.map(\.id) == ids && all.allSatisfy { $0.id != "p" || $0 == shown })
                }
            }
            for change in [BotChange(name: "Mine"), BotChange(visibility: .private)] {
                await expectFailure(.notFound(.bot, "p")) { () async throws(Failure) in
                    try await store.updateBot("p", change, ifRevision: nil, at: Timestamp(milliseconds: 3_000), for: .ann)
                }
            }
            await expectFailure(.notFound(.bot, "p")) { () async throws(Failure) in
                try await store.deleteBot("p", at: Timestamp(milliseconds: 3_000), for: .ann)
            }

            try await store.makeConversation("c", botID: "p", for: .ann)
            try await store.makeConversation("d", for: .bob)
            #expect(try await store.setBot("p", ofConversation: "d", at: now, for: .bob).botID == "p")
            let guest = try await store.admit("t", in: "c", for: .ann)
            #expect(guest.bot == published && !guest.ownsBot)
            try await store.makeConversation("o", botID: "p", for: .operator)
            #expect(try await store.admit("u", in: "o", for: .operator).ownsBot)

            // Once it is private again, others go on without it.
            _ = try await store.updateBot(
                "p", BotChange(visibility: .private), ifRevision: nil, at: Timestamp(milliseconds: 4_000), for: .operator)
            #expect(try await store.conversation("c", for: .ann).botID == nil)
            #expect(try await store.conversation("o", for: .operator).botID == "p")
            await expectFailure(.notFound(.bot, "p")) { () async throws(Failure) in try await store.bot("p", for: .ann) }
            await expectFailure(.notFound(.bot, "p")) { () async throws(Failure) in
                try await store.makeConversation("e", botID: "p", for: .ann)
            }
        },
        StoreContract("Whoever approves a message sees its bot, and a refusal stores nothing") { store in
            try await store.makeBot("b", name: "Bot", for: .ann)
            try await store.makeConversation("c", botID: "b", for: .ann)
            let refusal = Failure(.modelNotAllowed, "")
            let new = NewTurn(
                id: "t", target: .existing(conversationID: "c"), userMessageID: "t.user", content: [.text("Hello?")], title: "",
                now: now, deadline: now
            ) { bot, isOwn throws(Failure) in
                #expect(bot?.id == "b" && isOwn)
                throw refusal
            }
            await expectFailure(refusal) { () async throws(Failure) in try await store.accept(new, for: .ann) }
            #expect(try await store.conversation("c", for: .ann).messageCount == 0)
        },
    ]
}
