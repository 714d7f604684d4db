package import ParleyCore
import Testing

extension Store {
    /// Imports a file with a question and an answer.
    @discardableResult
    package func importOfTwo(
        _ id: String, botID: String? = nil, request: ClientRequest? = nil, for caller: Caller
    ) async throws(Failure) -> (conversation: Conversation, messages: Int) {
        let messages = [
            Message(
                id: "\(id).user", conversationID: "", turnID: "\(id).t", parentID: nil, role: .user, content: [.text("Hello?")],
                status: .complete, createdAt: Timestamp(milliseconds: 100)),
            Message(
                id: "\(id).assistant", conversationID: "", turnID: "\(id).t", parentID: nil, role: .assistant,
                content: [.reasoning("Hm."), .text("Hel")], status: .partial, model: "p:m", usage: Usage(inputTokens: 9, outputTokens: 1),
                rating: Message.Rating(verdict: .up, note: "N"), createdAt: Timestamp(milliseconds: 200)),
        ]
        let turn = ConversationImport.ImportedTurn(
            id: "\(id).t", ending: .interrupted, isLocal: false, userMessageID: "\(id).user", messageID: "\(id).assistant",
            usage: Usage(inputTokens: 9, outputTokens: 1), createdAt: Timestamp(milliseconds: 100),
            completedAt: Timestamp(milliseconds: 200))
        return try await importConversation(
            ConversationImport(
                conversation: NewConversation(
                    id: id, title: "I", botID: botID, metadata: ["k": 1], createdAt: Timestamp(milliseconds: 7_000), request: request),
                turns: [turn],
                places: [ConversationImport.Place(parent: nil, turn: 0), ConversationImport.Place(parent: 0, turn: 0)], head: 1,
                message: { number throws(Failure) in messages[number] }),
            for: caller)
    }

    /// All pages of an export.
    package func wholeExport(
        _ id: String, _ extent: ConversationExcerpt.Extent, for caller: Caller = .ann
    ) async throws(Failure) -> [ConversationExcerpt] {
        var pages: [ConversationExcerpt] = []
        repeat {
            pages.append(try await exportConversation(id, extent, cursor: pages.last?.nextCursor, for: caller))
        } while pages.last?.nextCursor != nil
        return pages
    }
}

extension StoreContract {
    /// A text of which three do not fit on a page.
    private static let long = String(repeating: "x", count: 500_000)

    private static func again(_ id: String, of messageID: String) -> NewTurn {
        var new = NewTurn.plain(id, .existing(conversationID: "c"))
        new.beginning = .regeneration(of: messageID)
        return new
    }

    static let files: [StoreContract] = [
        StoreContract("an import is a conversation that has cost nothing and goes on", quotas: .standard) { store in
            try await store.makeBot("b", name: "Bot", for: .ann)
            let (made, count) = try await store.importOfTwo("i", botID: "b", for: .ann)
            #expect(made.title == "I" && made.botID == "b" && made.metadata == ["k": 1] && made.createdAt == Timestamp(milliseconds: 7_000))
            #expect(count == 2 && made.messageCount == 2 && made.headMessageID == "i.assistant" && made.usage == nil)
            let path = try await store.path(of: "i")
            #expect(path.map(\.id) == ["i.user", "i.assistant"] && path[1].parentID == "i.user" && path[1].status == .partial)
            #expect(path[1].rating == Message.Rating(verdict: .up, note: "N") && path[1].usage == Usage(inputTokens: 9, outputTokens: 1))
            let turn = try await store.turn("i.t", for: .ann)
            #expect(turn.turn.status == .interrupted && turn.turn.quota == nil && turn.message == path[1])
            #expect(turn.turn.createdAt == Timestamp(milliseconds: 100) && turn.turn.completedAt == Timestamp(milliseconds: 200))
            try await store.expect(.userBots, of: .user(id: "ann"), used: 1)
            try await store.exchange("t", in: "i", for: .ann)
            #expect(try await store.path(of: "i").count == 4)
            await expectFailure(.notFound(.conversation, "i")) { () async throws(Failure) in try await store.conversation("i", for: .bob) }
        },
        StoreContract("an import is made once, and one that is refused leaves nothing") { store in
            let made = try await store.importOfTwo("i", request: .test("r"), for: .ann)
            try await store.exchange("t", in: "i", for: .ann)
            let repeated = try await store.importOfTwo("j", request: .test("r"), for: .ann)
            #expect(repeated.conversation.id == "i" && repeated.messages == made.messages && repeated.conversation.messageCount == 4)
            await expectFailure(.idempotencyConflict) { () async throws(Failure) in
                try await store.importOfTwo("j", request: .test("r", content: 2), for: .ann)
            }
            await expectFailure(.notFound(.bot, "b")) { () async throws(Failure) in
                try await store.importOfTwo("j", botID: "b", request: .test("s"), for: .ann)
            }
            let refusal = Failure.invalidParams(path: "data", reason: "is bad")
            await expectFailure(refusal) { () async throws(Failure) in
                try await store.importConversation(
                    ConversationImport(
                        conversation: NewConversation(
                            id: "j", title: "", botID: nil, metadata: [:], createdAt: Timestamp(milliseconds: 1)), turns: [],
                        places: [ConversationImport.Place(parent: nil, turn: 0)], head: nil,
                        message: { _ throws(Failure) in throw refusal }),
                    for: .ann)
            }
            #expect(try await store.conversations(linkedTo: nil, page: PageRequest(), for: .ann).elements.map(\.id) == ["i"])
            #expect(try await store.importOfTwo("k", request: .test("s"), for: .ann).messages == 2)
        },
        StoreContract("an export holds all paths in the order in which they were made, and the turns' ends") { store in
            try await store.makeBot("b", name: "Bot", for: .ann)
            try await store.makeConversation("c", title: "T", botID: "b", for: .ann)
            for id in ["t", "u"] { try await store.exchange(id, in: "c", for: .ann) }
            var outcome = TurnOutcome.plain(try await store.accept(again("v", of: "t.user"), for: .ann))
            (outcome.status, outcome.stopReason, outcome.error) = (.failed, .error, TurnError(code: .modelTimeout, message: "Late."))
            outcome.message?.parentID = "t.user"
            _ = try await store.finishTurn(outcome)
            try await store.admit("w", in: "c", for: .ann)
            let tree = try await store.exportConversation("c", .tree, cursor: nil, for: .ann)
            #expect(tree.nextCursor == nil && tree.botName == "Bot")
            #expect(tree.conversation == (try await store.conversation("c", for: .ann)))
            let ids = ["t.user", "t.assistant", "u.user", "u.assistant", "v.assistant", "w.user"]
            #expect(tree.messages.map(\.message.id) == ids)
            #expect(tree.messages.map(\.message.parentID) == [nil, "t.user", "t.assistant", "u.user", "t.user", "v.assistant"])
            #expect(tree.messages.map(\.ending.status) == [.completed, .completed, .completed, .completed, .failed, .interrupted])
            #expect(tree.messages[4].ending == TurnEnding(status: .failed, stopReason: .error, error: outcome.error))
            let path = try await store.exportConversation("c", .path, cursor: nil, for: .ann)
            #expect(path.messages.map(\.message.id) == ["t.user", "v.assistant", "w.user"] && path.conversation == tree.conversation)
            for extent in [ConversationExcerpt.Extent.tree, .path] {
                await expectFailure(.notFound(.conversation, "c")) { () async throws(Failure) in
                    try await store.exportConversation("c", extent, cursor: nil, for: .bob)
                }
                try await store.makeConversation("empty.\(extent)", for: .ann)
                let empty = try await store.exportConversation("empty.\(extent)", extent, cursor: nil, for: .ann)
                #expect(empty.messages.isEmpty && empty.nextCursor == nil && empty.conversation != nil && empty.botName == nil)
            }
        },
        StoreContract("a turn that ends between two pages of an export is interrupted on all of them") { store in
            try await store.makeConversation("c", for: .ann)
            try await store.exchange("t", in: "c", for: .ann)
            for extent in [ConversationExcerpt.Extent.tree, .path] {
                let id = "u.\(extent)"
                var admitted = try await store.admit(id, in: "c", text: String(repeating: "x", count: 1_047_000), for: .ann)
                let step = Message.answer(to: admitted)
                try await store.appendMessages([step], toTurn: id, lastSequence: 2)
                var pages = [try await store.exportConversation("c", extent, cursor: nil, for: .ann)]
                admitted.userMessage = step
                var outcome = TurnOutcome.plain(admitted)
                outcome.message?.id = "\(id).last"
                outcome.message?.parentID = step.id
                _ = try await store.finishTurn(outcome)
                while let cursor = pages.last?.nextCursor {
                    pages.append(try await store.exportConversation("c", extent, cursor: cursor, for: .ann))
                }
                let filed = pages.flatMap(\.messages).filter { $0.message.turnID == id }
                #expect(pages.count > 1 && filed.map(\.message.id) == ["\(id).user", step.id])
                #expect(filed.allSatisfy { $0.ending == .interrupted })
                let now = try await store.wholeExport("c", extent).flatMap(\.messages).filter { $0.message.turnID == id }
                #expect(now.count == 3 && now.allSatisfy { $0.ending.status == .completed })
            }
        },
        StoreContract(
            "who has copied too often is refused, and what was refused or repeated is not counted",
            quotas: QuotaPolicy([
                QuotaRule(.userCopies, limit: 2, windowSeconds: 1), QuotaRule(.anonymousCopies, limit: 1, windowSeconds: 1),
            ])
        ) { store in
            try await store.makeConversation("c", for: .ann)
            #expect(try await store.quota(of: .caller(.ann, nil), at: Timestamp(milliseconds: 7_000)).isEmpty)
            await expectFailure(.notFound(.bot, "none")) { () async throws(Failure) in
                try await store.importOfTwo("i", botID: "none", for: .ann)
            }
            for _ in 0..<2 { try await store.fork("c", as: "f", request: .test("r"), for: .ann) }
            try await store.importOfTwo("i", for: .ann)
            try await store.expect(.userCopies, of: .user(id: "ann"), used: 2, at: 7_000)
            await expectExceeded(.userCopies) { () async throws(Failure) in try await store.fork("c", as: "g", for: .ann) }
            await expectExceeded(.userCopies) { () async throws(Failure) in try await store.importOfTwo("g", for: .ann) }
            // Deleting gives nothing back.
            try await store.deleteConversation("i", at: Timestamp(milliseconds: 7_000), for: .ann)
            await expectExceeded(.userCopies) { () async throws(Failure) in try await store.importOfTwo("g", for: .ann) }
            #expect(try await store.fork("c", as: "g", request: .test("r"), for: .ann).id == "f")
            let guest = try await store.makeAnonymous(1)
            try await store.fork("c1", as: "h", for: guest)
            await expectExceeded(.anonymousCopies) { () async throws(Failure) in try await store.fork("c1", as: "g", for: guest) }
            #expect(try await store.conversations(linkedTo: nil, page: PageRequest(), for: .ann).elements.count == 2)
        },
        StoreContract("the pages of an export hold what there was at the first") { store in
            try await store.makeConversation("c", for: .ann)
            for id in ["t", "u", "v"] { try await store.exchange(id, in: "c", text: long, answer: long, for: .ann) }
            for extent in [ConversationExcerpt.Extent.tree, .path] {
                let before = try await store.wholeExport("c", extent)
                #expect(before.count == 3 && before.dropFirst().allSatisfy { $0.conversation == nil && $0.messages.count == 2 })
                let first = try await store.exportConversation("c", extent, cursor: nil, for: .ann)
                try await store.exchange("w.\(extent)", in: "c", for: .ann)
                try await store.finish(try await store.accept(again("x.\(extent)", of: "t.user"), for: .ann))
                var messages = first.messages
                var cursor = first.nextCursor
                while let next = cursor {
                    let page = try await store.exportConversation("c", extent, cursor: next, for: .ann)
                    messages += page.messages
                    cursor = page.nextCursor
                }
                #expect(messages == before.flatMap(\.messages), "\(extent)")
                _ = try await store.updateConversation(
                    "c", ConversationChange(headMessageID: "v.assistant"), at: Timestamp(milliseconds: 9_000), for: .ann)
                try await store.makeConversation("d.\(extent)", for: .ann)
                let other: ConversationExcerpt.Extent = extent == .tree ? .path : .tree
                for (id, extent, cursor) in [("c", other, first.nextCursor), ("d.\(extent)", extent, first.nextCursor), ("c", extent, "x")]
                {
                    await expectFailure(.noCursor) { () async throws(Failure) in
                        try await store.exportConversation(id, extent, cursor: cursor, for: .ann)
                    }
                }
            }
        },
    ]
}
