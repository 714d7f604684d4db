import JSON
import ParleyCore
import Testing

extension StoreContract {
    static let conversations: [StoreContract] = [
        StoreContract("a conversation is read as it was made") { store in
            try await store.makeBot("b", name: "Bot", for: .ann)
            let metadata: JSONValue = [
                "z": [1, -0.0, .number("1e400"), .number("0.10"), 9_007_199_254_740_993, nil, true, "\u{0}\"\\\u{2028}👩‍👩‍👧"], "a": [:],
                "": [[]],
            ]
            let new = NewConversation(
                id: "c", title: "A \u{0} title\n'\"; --", botID: "b", metadata: metadata, createdAt: Timestamp(milliseconds: -5))
            let made = try await store.createConversation(new, for: .ann)
            let expected = Conversation(
                id: "c", title: "A \u{0} title\n'\"; --", botID: "b", metadata: metadata, messageCount: 0, activeTurnID: nil,
                createdAt: Timestamp(milliseconds: -5), updatedAt: Timestamp(milliseconds: -5))
            #expect(made == expected)
            let read = try await store.conversation("c", for: .ann)
            #expect(read == expected)
            // Equality does not mind the order of members, but a client may.
            #expect(JSONWriter.encode(read.metadata) == JSONWriter.encode(metadata))
        },

        StoreContract("an id is given once") { store in
            try await store.makeConversation("c", title: "first", for: .ann)
            #expect(await failure { () async throws(Failure) in try await store.makeConversation("c", for: .bob) }?.code == .internalError)
            #expect(try await store.conversation("c", for: .ann).title == "first")
            #expect(try await store.conversations(linkedTo: nil, page: PageRequest(), for: .bob).elements.isEmpty)
        },

        StoreContract("conversations are listed by last change, then by id") { store in
            let times: [(String, Int64)] = [("m", 5), ("a", 7), ("z", 7), ("k", 7), ("b", 1), ("q", 9)]
            for (id, time) in times { try await store.makeConversation(id, at: time, for: .ann) }
            try await store.makeConversation("other", at: 6, for: .bob)
            for limit in 1...7 {
                let all = try await store.allPages(limit: limit) { page async throws(Failure) in
                    try await store.conversations(linkedTo: nil, page: page, for: .ann)
                }
                #expect(all.map(\.id) == ["q", "a", "k", "z", "m", "b"], "limit \(limit)")
            }
        },

        StoreContract("a list can be narrowed to a bot") { store in
            try await store.makeBot("b", name: "Bot", for: .ann)
            try await store.makeBot("b2", name: "Other", for: .ann)
            for number in 0..<10 {
                try await store.makeConversation("c\(number)", botID: number % 2 == 0 ? "b" : nil, at: Int64(number / 4), for: .ann)
            }
            for limit in [1, 2, 50] {
                let all = try await store.allPages(limit: limit) { page async throws(Failure) in
                    try await store.conversations(linkedTo: "b", page: page, for: .ann)
                }
                #expect(all.map(\.id) == ["c8", "c4", "c6", "c0", "c2"], "limit \(limit)")
                #expect(all.allSatisfy { $0.botID == "b" })
            }
            #expect(try await store.conversations(linkedTo: "b2", page: PageRequest(), for: .ann).elements.isEmpty)
            #expect(try await store.conversations(linkedTo: "none", page: PageRequest(), for: .ann).elements.isEmpty)
        },

        StoreContract("no page is lost or told twice while conversations come and change") { store in
            for number in 0..<20 { try await store.makeConversation("c\(number)", at: Int64(100 + number), for: .ann) }
            let first = try await store.conversations(linkedTo: nil, page: PageRequest(limit: 5), for: .ann)
            try await store.makeConversation("new", at: 500, for: .ann)
            // Moves from a later page to the top.
            _ = try await store.updateConversation("c3", ConversationChange(title: "moved"), at: Timestamp(milliseconds: 600), for: .ann)
            try await store.deleteConversation("c10", at: Timestamp(milliseconds: 601), for: .ann)
            // The very place where the next page begins may go as well.
            try await store.deleteConversation("c15", at: Timestamp(milliseconds: 602), for: .ann)
            var seen = first.elements.map(\.id)
            var cursor = first.nextCursor
            while let next = cursor {
                let page = try await store.conversations(linkedTo: nil, page: PageRequest(cursor: next, limit: 5), for: .ann)
                seen += page.elements.map(\.id)
                cursor = page.nextCursor
            }
            let expected = (0..<20).reversed().filter { $0 != 3 && $0 != 10 }.map { "c\($0)" }
            #expect(seen == expected)
        },

        StoreContract("a change keeps what it does not name and moves the time") { store in
            _ = try await store.createConversation(
                NewConversation(id: "c", title: "old", botID: nil, metadata: ["k": 1], createdAt: Timestamp(milliseconds: 1)), for: .ann)
            let titled = try await store.updateConversation(
                "c", ConversationChange(title: "new"), at: Timestamp(milliseconds: 2), for: .ann)
            #expect(titled.title == "new" && titled.metadata == ["k": 1] && titled.updatedAt.milliseconds == 2)
            let described = try await store.updateConversation(
                "c", ConversationChange(metadata: ["z": [:]]), at: Timestamp(milliseconds: 3), for: .ann)
            #expect(described.title == "new" && described.metadata == ["z": [:]] && described.updatedAt.milliseconds == 3)
            #expect(described.createdAt.milliseconds == 1)
            let cleared = try await store.updateConversation("c", ConversationChange(title: ""), at: Timestamp(milliseconds: 4), for: .ann)
            #expect(cleared.title.isEmpty)
            #expect(try await store.conversation("c", for: .ann) == cleared)
        },

        StoreContract("a conversation is linked to a bot and to none") { store in
            try await store.makeBot("b", name: "Bot", for: .ann)
            try await store.makeConversation("c", for: .ann)
            let linked = try await store.setBot("b", ofConversation: "c", at: Timestamp(milliseconds: 5), for: .ann)
            #expect(linked.botID == "b" && linked.updatedAt.milliseconds == 5)
            #expect(try await store.conversation("c", for: .ann) == linked)
            let free = try await store.setBot(nil, ofConversation: "c", at: Timestamp(milliseconds: 6), for: .ann)
            #expect(free.botID == nil && free.updatedAt.milliseconds == 6)
            #expect(try await store.conversation("c", for: .ann) == free)
            await expectFailure(.notFound(.bot, "none")) { () async throws(Failure) in
                try await store.setBot("none", ofConversation: "c", at: Timestamp(milliseconds: 7), for: .ann)
            }
            await expectFailure(.notFound(.conversation, "none")) { () async throws(Failure) in
                try await store.setBot("none", ofConversation: "none", at: Timestamp(milliseconds: 7), for: .ann)
            }
            #expect(try await store.conversation("c", for: .ann) == free)
        },

        StoreContract("a deleted conversation is gone with its messages and turns") { store in
            try await store.makeConversation("c", for: .ann)
            try await store.makeConversation("d", for: .ann)
            try await store.exchange("t", in: "c", for: .ann)
            try await store.exchange("u", in: "d", for: .ann)
            #expect(try await !store.erasurePending())
            try await store.deleteConversation("c", at: Timestamp(milliseconds: 9_000), for: .ann)
            #expect(try await store.erasurePending())
            await expectFailure(.notFound(.conversation, "c")) { () async throws(Failure) in try await store.conversation("c", for: .ann) }
            await expectFailure(.notFound(.conversation, "c")) { () async throws(Failure) in
                try await store.messages(inConversation: "c", page: PageRequest(), for: .ann)
            }
            await expectFailure(.notFound(.turn, "t")) { () async throws(Failure) in try await store.turn("t", for: .ann) }
            await expectFailure(.notFound(.message, "t.user")) { () async throws(Failure) in
                try await store.history(endingAt: "t.user", maximumBytes: 100)
            }
            await expectFailure(.notFound(.conversation, "c")) { () async throws(Failure) in
                try await store.deleteConversation("c", at: Timestamp(milliseconds: 9_001), for: .ann)
            }
            #expect(try await store.conversations(linkedTo: nil, page: PageRequest(), for: .ann).elements.map(\.id) == ["d"])
            #expect(try await store.messages(inConversation: "d", page: PageRequest(), for: .ann).elements.count == 2)
        },

        StoreContract("a conversation in which a turn runs is not deleted") { store in
            try await store.makeConversation("c", for: .ann)
            let admitted = try await store.admit("t", in: "c", for: .ann)
            await expectFailure(.conversationBusy(turnID: "t")) { () async throws(Failure) in
                try await store.deleteConversation("c", at: Timestamp(milliseconds: 9_000), for: .ann)
            }
            #expect(try await !store.erasurePending())
            try await store.finish(admitted)
            try await store.deleteConversation("c", at: Timestamp(milliseconds: 9_000), for: .ann)
        },

        StoreContract("a text that is no cursor of the list is refused") { store in
            for id in ["c", "d", "e"] {
                try await store.makeConversation(id, for: .ann)
                for turn in 0..<3 { try await store.exchange("\(id)\(turn)", in: id, for: .ann) }
                try await store.makeBot(id, name: id, for: .ann)
            }
            try await store.makeBot("linked", name: "linked", for: .ann)
            for id in ["c", "d"] { _ = try await store.setBot("linked", ofConversation: id, at: Timestamp(milliseconds: 5), for: .ann) }
            let one = PageRequest(limit: 1)
            let conversations = try #require(try await store.conversations(linkedTo: nil, page: one, for: .ann).nextCursor)
            let linked = try #require(try await store.conversations(linkedTo: "linked", page: one, for: .ann).nextCursor)
            let messages = try #require(try await store.messages(inConversation: "c", page: one, for: .ann).nextCursor)
            let others = try #require(try await store.messages(inConversation: "d", page: one, for: .ann).nextCursor)
            let bots = try #require(try await store.bots(.own, page: one, for: .ann).nextCursor)
            let damaged = conversations.dropLast() + (conversations.last == "A" ? "B" : "A")
            let garbage = [
                "", "x", "====", "AAAA", "null", "bnVsbA", "W10", conversations + "=", " " + conversations, String(damaged), "\u{0}", "ü",
            ]
            for cursor in garbage + [linked, messages, others, bots] {
                await expectFailure(.noCursor) { () async throws(Failure) in
                    try await store.conversations(linkedTo: nil, page: PageRequest(cursor: cursor), for: .ann)
                }
            }
            for cursor in garbage + [conversations, messages, bots] {
                await expectFailure(.noCursor) { () async throws(Failure) in
                    try await store.conversations(linkedTo: "linked", page: PageRequest(cursor: cursor), for: .ann)
                }
            }
            for cursor in garbage + [conversations, linked, others, bots] {
                await expectFailure(.noCursor) { () async throws(Failure) in
                    try await store.messages(inConversation: "c", page: PageRequest(cursor: cursor), for: .ann)
                }
            }
            for cursor in garbage + [conversations, linked, messages] {
                await expectFailure(.noCursor) { () async throws(Failure) in
                    try await store.bots(.own, page: PageRequest(cursor: cursor), for: .ann)
                }
            }
        },
    ]
}
