package import ParleyCore
import Testing

extension StoreContract {
    /// Conversations that are found by what was said in them. What is searched is prepared before half of the looks.
    static let searches: [StoreContract] = [
        StoreContract("what is said is found at once, and what is only being said is not") { store in
            try await store.makeConversation("c", title: "On parrots", for: .ann)
            #expect(try await store.found("parrots", for: .ann) == ["c": ["title"]])
            let admitted = try await store.admit("t", in: "c", text: "Where do parrots live?", for: .ann)
            #expect(try await store.found("parrots", for: .ann) == ["c": ["title", "t.user"]])
            let partial = Message.answer(to: admitted, text: "Parrots live", status: .partial)
            try await store.checkpoint([TurnCheckpoint(turnID: "t", message: partial, lastSequence: 2)])
            #expect(try await store.found("parrots live", for: .ann) == ["c": ["t.user"]])
            _ = try await store.prepareSearches()
            #expect(try await store.found("parrots live", for: .ann) == ["c": ["t.user"]])
            try await store.finish(admitted, text: "Parrots live in warm countries.")
            #expect(try await store.found("parrots live", for: .ann) == ["c": ["t.assistant", "t.user"]])
            #expect(try await store.found("warm countr", for: .ann) == ["c": ["t.assistant"]])
        },

        StoreContract("what a turn had said is found when it ends without saying more") { store in
            try await store.makeConversation("c", for: .ann)
            let admitted = try await store.admit("t", in: "c", for: .ann)
            let partial = Message.answer(to: admitted, text: "Parrots live", status: .partial)
            try await store.checkpoint([TurnCheckpoint(turnID: "t", message: partial, lastSequence: 2)])
            _ = try await store.prepareSearches()
            var outcome = TurnOutcome.plain(admitted)
            outcome.message = nil
            outcome.status = .cancelled
            outcome.stopReason = .cancelled
            _ = try await store.finishTurn(outcome)
            #expect(try await store.found("parrots", for: .ann) == ["c": ["t.assistant"]])
        },

        StoreContract("neither thoughts nor calls of tools and their results are found, and parts are apart") { store in
            try await store.makeConversation("c", for: .ann)
            let admitted = try await store.admit("t", in: "c", for: .ann)
            var answer = Message.answer(to: admitted)
            answer.content = [
                .reasoning("thinking"), .text("fi"), .reasoning("thinking"), .text("rst"),
                .toolCall(ToolCall(id: "k", name: "calling", arguments: ["calling": "calling"])),
                .text("second"),
            ]
            let result = ToolResult(toolCallID: "k", status: .completed, text: "resulting")
            let tool = Message(
                id: "t.tool", conversationID: "c", turnID: "t", parentID: answer.id, role: .tool, content: [.toolResult(result)],
                status: .complete, createdAt: Timestamp(milliseconds: 3_000))
            try await store.appendMessages([answer, tool], toTurn: "t", lastSequence: 5)
            for word in ["thinking", "calling", "resulting", "firstsecond"] {
                #expect(try await store.found(word, for: .ann) == [:], "\(word)")
            }
            #expect(try await store.found("second first", for: .ann) == ["c": ["t.assistant"]])
        },

        StoreContract("a conversation tells its title and its three newest messages, whatever path they are on") { store in
            try await store.makeConversation("c", title: "About words", for: .ann)
            try await store.exchange("t", in: "c", text: "word one", answer: "word two", for: .ann)
            try await store.exchange("u", in: "c", text: "word three", answer: "nothing", for: .ann)
            var edit = NewTurn.plain("v", .existing(conversationID: "c"), text: "word four")
            edit.beginning = .edit(of: "u.user")
            try await store.finish(try await store.accept(edit, for: .ann), text: "nothing")
            #expect(try await store.found("word", for: .ann) == ["c": ["title", "v.user", "u.user", "t.assistant"]])
            let page = try await store.searchConversations(try .plain("word o"), page: PageRequest(), for: .ann)
            let match = try #require(page.elements.first?.matches.last)
            #expect(match.messageID == "t.user" && match.role == .user && match.excerpt.text == "word one")
            #expect(match.excerpt.highlights == [.init(start: 0, length: 4), .init(start: 5, length: 3)])
        },

        StoreContract("nobody finds what is somebody else's, and a claim takes what is found along") { store in
            let (guest, other) = (NewAnonymousUser.numbered(1), NewAnonymousUser.numbered(2))
            try await store.createAnonymousUser(guest)
            try await store.createAnonymousUser(other)
            for (id, caller) in [
                ("a", Caller.ann), ("b", .bob), ("g", .anonymous(guest.tokenHash)), ("h", .anonymous(other.tokenHash)),
            ] {
                try await store.makeConversation(id, title: "Secrets", for: caller)
                try await store.exchange("t" + id, in: id, text: "My secret", answer: "Your secret", for: caller)
            }
            func all(_ id: String) -> [String: [String]] { [id: ["title", "t\(id).assistant", "t\(id).user"]] }
            #expect(try await store.found("secret", for: .ann) == all("a"))
            #expect(try await store.found("secret", for: .anonymous(guest.tokenHash)) == all("g"))
            _ = try await store.claimAnonymousUser(guest.tokenHash, isConfirmed: true, at: Timestamp(milliseconds: 5_000), for: .ann)
            #expect(try await store.found("secret", for: .ann) == all("a").merging(all("g")) { first, _ in first })
            #expect(try await store.found("secret", for: .bob) == all("b"))
            #expect(try await store.found("secret", for: .anonymous(other.tokenHash)) == all("h"))
            #expect(try await store.found("secret", for: .user(id: "nobody")) == [:])
            await expectFailure(.authRequired) { () async throws(Failure) in
                try await store.searchConversations(try .plain("secret"), page: PageRequest(), for: .anonymous(guest.tokenHash))
            }
        },

        StoreContract("what is renamed or deleted is found no more") { store in
            for id in ["c", "d"] {
                try await store.makeConversation(id, title: "Old", for: .ann)
                try await store.exchange("t" + id, in: id, text: "Old as well", for: .ann)
            }
            #expect(try await store.found("old", for: .ann) == ["c": ["title", "tc.user"], "d": ["title", "td.user"]])
            _ = try await store.updateConversation("c", ConversationChange(title: "New"), at: Timestamp(milliseconds: 8_000), for: .ann)
            try await store.deleteConversation("d", at: Timestamp(milliseconds: 9_000), for: .ann)
            #expect(try await store.found("old", for: .ann) == ["c": ["tc.user"]])
            #expect(try await store.found("new", for: .ann) == ["c": ["title"]])
            // Numbers of what has gone may be given again.
            try await store.makeConversation("e", title: "Newer", for: .ann)
            try await store.exchange("te", in: "e", text: "Newest", for: .ann)
            #expect(try await store.found("old", for: .ann) == ["c": ["tc.user"]])
            #expect(try await store.found("newe", for: .ann) == ["e": ["title", "te.user"]])
            try await store.deletePerson(at: Timestamp(milliseconds: 9_000), for: .ann)
            #expect(try await store.found("new", for: .ann) == [:])
            #expect(try await store.erase())
            #expect(try await store.found("new", for: .ann) == [:])
        },

        StoreContract("a copy is found like what it is a copy of") { store in
            try await store.makeConversation("c", title: "Parrots", for: .ann)
            try await store.exchange("t", in: "c", text: "Where do parrots live?", for: .ann)
            try await store.fork("c", as: "d", for: .ann)
            let found = try await store.found("parrots", for: .ann)
            #expect(found["c"] == ["title", "t.user"] && found["d"]?.count == 2 && found.count == 2)
        },

        StoreContract("a search is narrowed to a bot and to what is archived or not") { store in
            try await store.makeBot("b", name: "Bot", for: .ann)
            for number in 0..<8 {
                let id = "c\(number)"
                try await store.makeConversation(id, title: "word", botID: number % 2 == 0 ? "b" : nil, for: .ann)
                let change = ConversationChange(archived: number % 4 < 2)
                _ = try await store.updateConversation(id, change, at: Timestamp(milliseconds: 2_000), for: .ann)
            }
            for (botID, archived, expected) in [
                (nil, nil, 0..<8), (nil, true, [0, 1, 4, 5]), (nil, false, [2, 3, 6, 7]), ("b", nil, [0, 2, 4, 6]), ("b", true, [0, 4]),
                ("none", nil, []),
            ] as [(String?, Bool?, any Collection<Int>)] {
                let search = ConversationSearch(query: try SearchQuery("word"), botID: botID, archived: archived)
                for limit in [1, 3, 50] {
                    let found = try await store.allPages(limit: limit) { page async throws(Failure) in
                        try await store.searchConversations(search, page: page, for: .ann)
                    }
                    #expect(found.map(\.conversation.id) == expected.map { "c\($0)" })
                }
                _ = try await store.prepareSearches()
            }
            let page = try await store.searchConversations(try .plain("word"), page: PageRequest(limit: 1), for: .ann)
            for search in [try ConversationSearch.plain("\"word\""), ConversationSearch(query: try SearchQuery("word"), archived: true)] {
                await expectFailure(.noCursor) { () async throws(Failure) in
                    try await store.searchConversations(search, page: PageRequest(cursor: page.nextCursor), for: .ann)
                }
            }
        },
    ]
}

extension ConversationSearch {
    /// A search in all conversations.
    package static func plain(_ query: String) throws(Failure) -> ConversationSearch {
        ConversationSearch(query: try SearchQuery(query))
    }
}

extension Store {
    /// Searches without a look at what happens meanwhile.
    package func searchConversations(
        _ search: ConversationSearch, page: PageRequest, for caller: Caller
    ) async throws(Failure) -> Page<FoundConversation> {
        try await searchConversations(search, page: page, for: caller) {}
    }

    /// Where something is found, by conversation: messages by their ids, `title` for the title. It must be the same before and after searches are
    /// prepared.
    package func found(_ query: String, for caller: Caller) async throws(Failure) -> [String: [String]] {
        let before = try await places(of: query, for: caller)
        while try await prepareSearches() {}
        let after = try await places(of: query, for: caller)
        #expect(before == after, "prepared, \(query) is found elsewhere")
        return after
    }

    private func places(of query: String, for caller: Caller) async throws(Failure) -> [String: [String]] {
        let found = try await searchConversations(try .plain(query), page: PageRequest(), for: caller).elements
        return Dictionary(
            found.map { ($0.conversation.id, $0.matches.map { $0.messageID ?? "title" }) },
            uniquingKeysWith: { first, _ in
                record("a conversation is found twice")
                return first
            })
    }
}
