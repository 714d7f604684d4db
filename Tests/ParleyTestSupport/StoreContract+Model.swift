import JSON
package import ParleyCore
import Testing

extension StoreContract {
    /// A thousand random operations, each compared with what the model says.
    package static let model = StoreContract("random operations do what a simple model does") { store in
        for seed in 1...4 as ClosedRange<UInt64> {
            var walk = RandomWalk(seed: seed)
            for _ in 0..<250 { try await walk.step(store) }
            try await walk.compareAll(store)
        }
    }

    /// A few hundred messages of one conversation, each in a place that chance has chosen.
    package static let tree = StoreContract("a conversation that branches at random is the tree of a simple model") { store in
        for seed in 5...7 as ClosedRange<UInt64> {
            var walk = RandomWalk(seed: seed)
            for round in 1...60 {
                try await walk.grow(store)
                if round % 20 == 0 { try await walk.compareAll(store) }
            }
        }
    }
}

/// A sequence of operations on a store and on the model.
private struct RandomWalk {
    private var model = StoreModel()
    private var chance: SeededGenerator
    private let prefix: String
    private var made = 0
    private var clock: Int64 = 1_000_000
    /// Ids in the order in which they were made, also of what is gone.
    private var conversations: [String] = []
    private var bots: [String] = []
    private var admitted: [AdmittedTurn] = []

    init(seed: UInt64) {
        chance = SeededGenerator(seed: seed)
        prefix = "s\(seed)-"
    }

    mutating func step(_ store: any Store) async throws {
        let person = oneOf((1...3).map { "\(prefix)person\($0)" })
        let caller = Caller.user(id: person)
        let now = nextTime()
        switch Int.random(in: 0..<16, using: &chance) {
        case 0, 1:
            let new = newConversation(at: now)
            await same({ () async throws(Failure) in try await store.createConversation(new, for: caller) }) { model throws(Failure) in
                try model.createConversation(new, of: person)
            }
        case 2:
            let id = anyConversation()
            let change = ConversationChange(
                title: Bool.random(using: &chance) ? oneOf(["", "x", "y"]) : nil,
                metadata: Bool.random(using: &chance) ? ["at": .integer(clock)] : nil,
                headMessageID: Bool.random(using: &chance) ? anyMessage(in: id) : nil,
                pinned: oneOf([nil, nil, true, false]), archived: oneOf([nil, nil, true, false]))
            await same({ () async throws(Failure) in try await store.updateConversation(id, change, at: now, for: caller) }) {
                model throws(Failure) in try model.updateConversation(id, change, at: now, of: person)
            }
        case 3:
            let id = anyConversation()
            let bot = Bool.random(using: &chance) ? anyBot() : nil
            await same({ () async throws(Failure) in try await store.setBot(bot, ofConversation: id, at: now, for: caller) }) {
                model throws(Failure) in try model.setBot(bot, ofConversation: id, at: now, of: person)
            }
        case 4:
            let id = anyConversation()
            await same({ () async throws(Failure) -> Bool in
                try await store.deleteConversation(id, at: now, for: caller)
                return true
            }) { model throws(Failure) in
                try model.deleteConversation(id, of: person)
                return true
            }
        case 5:
            let new = Bot.plain(newID("bot"), name: oneOf(["a", "B", "b", "c", "D"]), at: now.milliseconds)
            bots.append(new.id)
            await same({ () async throws(Failure) in try await store.createBot(new, request: nil, for: caller) }) { model throws(Failure) in
                try model.createBot(new, of: person)
            }
        case 6:
            let id = anyBot()
            let name = oneOf(["a", "B", "b", "c", "D"])
            let revision = Bool.random(using: &chance) ? Int.random(in: 1...2, using: &chance) : nil
            await same({ () async throws(Failure) in
                try await store.updateBot(id, BotChange(name: name), ifRevision: revision, at: now, for: caller)
            }) { model throws(Failure) in try model.updateBot(id, name: name, ifRevision: revision, at: now, of: person) }
        case 7:
            let id = anyBot()
            await same({ () async throws(Failure) -> Bool in
                try await store.deleteBot(id, at: now, for: caller)
                return true
            }) { model throws(Failure) in
                try model.deleteBot(id, of: person)
                return true
            }
        case 8, 9, 10:
            let target: NewTurn.Target =
                Int.random(in: 0..<5, using: &chance) == 0 ? .new(newConversation(at: now)) : .existing(conversationID: anyConversation())
            try await admit(store, person, target, at: now)
        case 11:
            guard let turn = oneOf(admitted.map(Optional.some) + [nil]) else { return }
            let checkpoint = TurnCheckpoint(
                turnID: turn.turn.id, message: .answer(to: turn, text: "so far \(clock)", status: .partial, at: clock),
                lastSequence: Int(clock))
            try await store.checkpoint([checkpoint])
            model.checkpoint(checkpoint)
        case 12, 13, 14:
            guard let turn = oneOf(admitted.map(Optional.some) + [nil]) else { return }
            var outcome = TurnOutcome.plain(turn, text: String(repeating: "answer ", count: Int(clock % 7)), at: clock)
            if Bool.random(using: &chance) {
                outcome.message?.usage = Usage(
                    inputTokens: Int(clock % 11), cachedInputTokens: oneOf([nil, 3]), outputTokens: 2, isEstimated: oneOf([true, false]),
                    cost: oneOf([nil, Cost(amount: "0.25", currency: "EUR"), Cost(amount: "1.8", currency: "USD")]))
                outcome.context = oneOf([nil, Omissions(messagesLeftOut: Int(clock % 5), toolOutputsCleared: 1)])
            }
            if Int.random(in: 0..<4, using: &chance) == 0 { outcome.message = nil }
            await same({ () async throws(Failure) in try await store.finishTurn(outcome) }) { model throws(Failure) in
                try model.finishTurn(outcome)
            }
        default:
            guard let id = oneOf(admitted.map { Optional($0.turn.id) } + [nil]) else { return }
            await same({ () async throws(Failure) in try await store.requestCancel(ofTurn: id, at: now, for: caller) }) {
                model throws(Failure) in try model.requestCancel(ofTurn: id, of: person)
            }
        }
    }

    /// Goes on anywhere in one conversation: most often with a turn, which ends at once.
    mutating func grow(_ store: any Store) async throws {
        let person = "\(prefix)person1"
        let now = nextTime()
        if conversations.isEmpty {
            let new = newConversation(at: now)
            await same({ () async throws(Failure) in try await store.createConversation(new, for: .user(id: person)) }) {
                model throws(Failure) in try model.createConversation(new, of: person)
            }
        }
        let id = conversations[0]
        if Int.random(in: 0..<4, using: &chance) == 0 {
            let change = ConversationChange(headMessageID: anyMessage(in: id))
            await same({ () async throws(Failure) in
                try await store.updateConversation(id, change, at: now, for: .user(id: person))
            }) { model throws(Failure) in try model.updateConversation(id, change, at: now, of: person) }
            return
        }
        let before = admitted.count
        try await admit(store, person, .existing(conversationID: id), at: now)
        guard admitted.count > before, let turn = admitted.last else { return }
        var outcome = TurnOutcome.plain(turn, text: "answer \(made)", at: now.milliseconds)
        // A turn may say nothing, and then its question stays the head.
        if Int.random(in: 0..<5, using: &chance) == 0 { outcome.message = nil }
        await same({ [outcome] () async throws(Failure) in try await store.finishTurn(outcome) }) { [outcome] model throws(Failure) in
            try model.finishTurn(outcome)
        }
    }

    /// Compares all that can be read.
    mutating func compareAll(_ store: any Store) async throws {
        for person in (1...3).map({ "\(prefix)person\($0)" }) {
            let caller = Caller.user(id: person)
            let limit = Int.random(in: 1...5, using: &chance)
            let all = try await store.allPages(limit: limit) { page async throws(Failure) in
                try await store.conversations(linkedTo: nil, page: page, for: caller)
            }
            #expect(all == model.conversations(of: person, linkedTo: nil))
            let shelf = try await store.allPages(limit: limit) { page async throws(Failure) in
                try await store.conversations(ConversationFilter(archived: true), page: page, for: caller)
            }
            #expect(shelf == model.conversations(of: person, linkedTo: nil, archived: true))
            let bots = try await store.allPages(limit: limit) { page async throws(Failure) in
                try await store.bots(.own, page: page, for: caller)
            }
            #expect(bots == model.bots(of: person))
            for bot in bots {
                let linked = try await store.allPages(limit: limit) { page async throws(Failure) in
                    try await store.conversations(linkedTo: bot.id, page: page, for: caller)
                }
                #expect(linked == model.conversations(of: person, linkedTo: bot.id))
            }
            for conversation in all + shelf {
                let messages = try await store.allPages(limit: limit) { page async throws(Failure) in
                    try await store.messages(inConversation: conversation.id, page: page, for: caller)
                }
                #expect(messages == (try model.messages(inConversation: conversation.id, of: person)))
                for message in messages {
                    let siblings = try await store.allPages(limit: limit) { page async throws(Failure) in
                        try await store.siblings(of: message.id, inConversation: conversation.id, page: page, for: caller)
                    }
                    #expect(siblings == (try model.siblings(of: message.id, inConversation: conversation.id, of: person)))
                }
                guard let last = messages.first else { continue }
                let bytes = Int.random(in: 0...200, using: &chance)
                let history = try await store.history(endingAt: last.id, maximumBytes: bytes)
                #expect(history == (try model.history(endingAt: last.id, maximumBytes: bytes)))
            }
            for turn in admitted {
                let id = turn.turn.id
                await same({ () async throws(Failure) in try await store.turn(id, for: caller) }) { model throws(Failure) in
                    try model.turn(id, of: person)
                }
            }
        }
        let wanted = try await store.turnsToCancel().filter { $0.hasPrefix(prefix) }
        #expect(Set(wanted) == model.turnsToCancel && Set(wanted).count == wanted.count)
    }

    private mutating func admit(_ store: any Store, _ person: String, _ target: NewTurn.Target, at now: Timestamp) async throws {
        var new = NewTurn.plain(newID("turn"), target, text: "question \(made)", at: now.milliseconds)
        if case .existing(let id) = target {
            new.beginning = oneOf([.message, .edit(of: anyMessage(in: id)), .regeneration(of: anyMessage(in: id))])
        }
        let expected = await same({ [new] () async throws(Failure) in try await store.accept(new, for: .user(id: person)) }) {
            [new] model throws(Failure) in try model.admitTurn(new, of: person)
        }
        if let expected { admitted.append(expected) }
    }

    /// Does something to the store and to the model, and expects the same of both.
    ///
    /// - Returns: what the model says, nil when it refuses.
    @discardableResult
    private mutating func same<Value: Equatable>(
        _ real: () async throws(Failure) -> Value, _ expected: (inout StoreModel) throws(Failure) -> Value
    ) async -> Value? {
        var before = model
        let expectation: Result<Value, Failure>
        do throws(Failure) {
            expectation = .success(try expected(&before))
            model = before
        } catch {
            expectation = .failure(error)
        }
        let outcome: Result<Value, Failure>
        do throws(Failure) {
            outcome = .success(try await real())
        } catch {
            outcome = .failure(error)
        }
        switch (outcome, expectation) {
        case (.success(let value), .success(let expected)):
            #expect(value == expected)
            return expected
        case (.failure(let failure), .failure(let expected)):
            // The reason why params are refused is the store's to word.
            #expect(failure.code == expected.code && (failure.details == expected.details || failure.code == .invalidParams))
        default:
            Issue.record("\(outcome) instead of \(expectation)")
        }
        return nil
    }

    // MARK: Chance

    private mutating func newConversation(at now: Timestamp) -> NewConversation {
        let id = newID("conversation")
        conversations.append(id)
        return NewConversation(
            id: id, title: oneOf(["", "", "t"]), botID: Int.random(in: 0..<3, using: &chance) == 0 ? anyBot() : nil,
            metadata: ["n": .integer(clock)], createdAt: now)
    }

    /// Moments that often repeat and sometimes step back, as a wall clock does.
    private mutating func nextTime() -> Timestamp {
        clock += oneOf([0, 0, 1, 5, -3])
        return Timestamp(milliseconds: clock)
    }

    private mutating func newID(_ kind: String) -> String {
        made += 1
        return "\(prefix)\(kind)\(made)"
    }

    private mutating func anyConversation() -> String { oneOf(conversations.suffix(12) + ["\(prefix)none"]) }

    /// A message of a conversation, on whatever path, or now and then none of it.
    private mutating func anyMessage(in conversation: String) -> String {
        let all = model.messages.values.filter { $0.conversationID == conversation }.map(\.id).sorted()
        return oneOf(all.suffix(20) + ["\(prefix)none", model.messages.keys.min() ?? ""])
    }

    private mutating func anyBot() -> String { oneOf(bots.suffix(6) + ["\(prefix)none"]) }

    private mutating func oneOf<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &chance)]
    }
}

extension AdmittedTurn: Equatable {
    /// Whether all that was accepted is the same.
    package static func == (left: AdmittedTurn, right: AdmittedTurn) -> Bool {
        left.turn == right.turn && left.userMessage == right.userMessage && left.conversation == right.conversation && left.bot == right.bot
            && left.ownsBot == right.ownsBot && left.warning == right.warning
    }
}
