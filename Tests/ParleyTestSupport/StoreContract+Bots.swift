import JSON
import ParleyCore
import Testing

extension StoreContract {
    static let bots: [StoreContract] = [
        StoreContract("a bot is read as it was made") { store in
            let full = Bot(
                id: "b", name: "Ärger\u{0}", description: "d", instructions: "i\u{0}\n", model: "p:m",
                fallbackModels: ["q:m", "p:n"], temperature: 0.1, config: ["k": [.number("0.10"), nil]], revision: 1,
                createdAt: Timestamp(milliseconds: 1),
                updatedAt: Timestamp(milliseconds: 1))
            for bot in [full, .plain("c", name: "bare")] {
                let made = try await store.createBot(bot, request: nil, for: .ann)
                #expect(made == bot)
                #expect(try await store.bot(bot.id, for: .ann) == bot)
            }
        },

        StoreContract("a name is taken once among an owner's bots, whatever its letter case") { store in
            try await store.makeBot("b", name: "Café", for: .ann)
            for name in ["Café", "cafÉ", "CAFE\u{301}"] {
                await expectFailure(.nameTaken) { () async throws(Failure) in try await store.makeBot("c", name: name, for: .ann) }
            }
            try await store.makeBot("c", name: "Café", for: .bob)
            try await store.makeBot("d", name: "Cafe", for: .ann)
            await expectFailure(.nameTaken) { () async throws(Failure) in
                try await store.updateBot("d", BotChange(name: "CAFÉ"), ifRevision: nil, at: Timestamp(milliseconds: 5), for: .ann)
            }
            #expect(try await store.bot("d", for: .ann) == .plain("d", name: "Cafe"))
            let own = try await store.updateBot("b", BotChange(name: "CAFÉ"), ifRevision: nil, at: Timestamp(milliseconds: 5), for: .ann)
            #expect(own.name == "CAFÉ")
            try await store.deleteBot("b", at: Timestamp(milliseconds: 6), for: .ann)
            try await store.makeBot("e", name: "café", for: .ann)
        },

        StoreContract("bots are listed by name") { store in
            for (number, name) in ["b", "A", "c", "Z", "é", "10", "a b"].enumerated() {
                try await store.makeBot("bot\(number)", name: name, for: .ann)
            }
            try await store.makeBot("other", name: "aa", for: .bob)
            for limit in 1...8 {
                let all = try await store.allPages(limit: limit) { page async throws(Failure) in
                    try await store.bots(.own, page: page, for: .ann)
                }
                #expect(all.map(\.name) == ["10", "A", "a b", "b", "c", "Z", "é"], "limit \(limit)")
            }
        },

        StoreContract("pages of bots do not move while bots come and go") { store in
            for name in ["a", "b", "c", "d", "e", "f"] { try await store.makeBot(name, name: name, for: .ann) }
            let first = try await store.bots(.own, page: PageRequest(limit: 3), for: .ann)
            try await store.makeBot("aa", name: "aa", for: .ann)
            try await store.deleteBot("c", at: Timestamp(milliseconds: 5), for: .ann)
            let second = try await store.bots(.own, page: PageRequest(cursor: first.nextCursor), for: .ann)
            #expect(second.elements.map(\.name) == ["d", "e", "f"] && second.nextCursor == nil)
        },

        StoreContract("a change keeps what it does not name, clears what it clears, and counts") { store in
            var bot = Bot(
                id: "b", name: "n", description: "d", instructions: "i", model: "m", temperature: 1, config: [:], revision: 1,
                createdAt: Timestamp(milliseconds: 1), updatedAt: Timestamp(milliseconds: 1))
            _ = try await store.createBot(bot, request: nil, for: .ann)
            let changes: [(BotChange, (inout Bot) -> Void)] = [
                (BotChange(name: "n2"), { $0.name = "n2" }),
                (BotChange(description: ""), { $0.description = "" }),
                (BotChange(instructions: .some(nil)), { $0.instructions = nil }),
                (BotChange(instructions: "again"), { $0.instructions = "again" }),
                (BotChange(model: .some(nil)), { $0.model = nil }),
                (BotChange(temperature: .some(nil)), { $0.temperature = nil }),
                (BotChange(temperature: 0.7), { $0.temperature = 0.7 }),
                (BotChange(config: .some(nil)), { $0.config = nil }),
                (BotChange(config: ["x": 1]), { $0.config = ["x": 1] }),
                (BotChange(), { _ in }),
            ]
            for (number, (change, apply)) in changes.enumerated() {
                apply(&bot)
                bot.revision += 1
                bot.updatedAt = Timestamp(milliseconds: Int64(10 + number))
                #expect(try await store.updateBot("b", change, ifRevision: bot.revision - 1, at: bot.updatedAt, for: .ann) == bot)
                #expect(try await store.bot("b", for: .ann) == bot)
            }
        },

        StoreContract("a change to another revision is refused") { store in
            try await store.makeBot("b", name: "n", for: .ann)
            _ = try await store.updateBot("b", BotChange(), ifRevision: nil, at: Timestamp(milliseconds: 5), for: .ann)
            for revision in [0, 1, 3] {
                await expectFailure(Failure(.revisionConflict, "", details: [Failure.Detail("revision", 2)])) { () async throws(Failure) in
                    try await store.updateBot("b", BotChange(name: "x"), ifRevision: revision, at: Timestamp(milliseconds: 6), for: .ann)
                }
            }
            #expect(try await store.bot("b", for: .ann).name == "n")
            await expectFailure(.notFound(.bot, "none")) { () async throws(Failure) in
                try await store.updateBot("none", BotChange(), ifRevision: 1, at: Timestamp(milliseconds: 6), for: .ann)
            }
        },

        StoreContract("a deleted bot leaves its conversations as they are, without a bot") { store in
            try await store.makeBot("b", name: "n", for: .ann)
            try await store.makeConversation("c", botID: "b", at: 7, for: .ann)
            #expect(try await !store.erasurePending())
            try await store.deleteBot("b", at: Timestamp(milliseconds: 9), for: .ann)
            #expect(try await store.erasurePending())
            let conversation = try await store.conversation("c", for: .ann)
            #expect(conversation.botID == nil && conversation.updatedAt.milliseconds == 7)
            await expectFailure(.notFound(.bot, "b")) { () async throws(Failure) in try await store.bot("b", for: .ann) }
            await expectFailure(.notFound(.bot, "b")) { () async throws(Failure) in
                try await store.deleteBot("b", at: Timestamp(milliseconds: 10), for: .ann)
            }
            let admitted = try await store.admit("t", in: "c", for: .ann)
            #expect(admitted.bot == nil)
        },
    ]
}
