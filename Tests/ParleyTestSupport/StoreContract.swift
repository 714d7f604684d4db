package import ParleyCore
package import Testing

/// One thing that every store must do, and a test of it. Each adapter runs all of them, every one on a new, empty store with the limits that
/// it is about:
///
/// ```swift
/// @Test(arguments: StoreContract.all)
/// func holds(_ clause: StoreContract) async throws {
///     let store = try openNewStore(quotas: clause.quotas)
///     try await clause.verify(store)
///     try await store.close()
/// }
/// ```
package struct StoreContract: Sendable, CustomTestStringConvertible {
    /// What must hold, as a sentence.
    package let name: String
    /// The limits that the store is opened with.
    package let quotas: QuotaPolicy
    /// Verifies it, recording an issue where it does not hold.
    package let verify: @Sendable (any Store) async throws -> Void

    init(
        _ name: String, quotas: QuotaPolicy = .unlimited, _ verify: @escaping @Sendable (any Store) async throws -> Void
    ) {
        self.name = name
        self.quotas = quotas
        self.verify = verify
    }

    /// The sentence.
    package var testDescription: String { name }

    /// All that must hold.
    package static let all =
        people + conversations + messages + bots + turns + care + quotaClauses + requests + claims + publishedBots + tools + usage
        + commands + queue + branches + snapshots + ratings + copies + files + shelves + searches + retention + [model, tree, searchWalk]
}

/// Short forms for what most clauses need. Ids are given, times are milliseconds, and a turn's messages are named after it.
extension Store {
    /// Makes a conversation.
    @discardableResult
    package func makeConversation(
        _ id: String, title: String = "", botID: String? = nil, at time: Int64 = 1_000, for caller: Caller
    ) async throws(Failure) -> Conversation {
        try await createConversation(
            NewConversation(id: id, title: title, botID: botID, metadata: [:], createdAt: Timestamp(milliseconds: time)), for: caller)
    }

    /// Makes a bot.
    @discardableResult
    package func makeBot(_ id: String, name: String, at time: Int64 = 1_000, for caller: Caller) async throws(Failure) -> Bot {
        try await createBot(.plain(id, name: name, at: time), request: nil, for: caller)
    }

    /// Accepts a message in a conversation.
    @discardableResult
    package func admit(
        _ turnID: String, in conversationID: String, text: String = "Hello?", at time: Int64 = 2_000, for caller: Caller
    ) async throws(Failure) -> AdmittedTurn {
        try await accept(.plain(turnID, .existing(conversationID: conversationID), text: text, at: time), for: caller)
    }

    /// Accepts a message that was not sent before.
    @discardableResult
    package func accept(_ new: NewTurn, for caller: Caller) async throws(Failure) -> AdmittedTurn {
        switch try await admitTurn(new, for: caller) {
        case .accepted(let admitted): return admitted
        case .queued(let queued): throw Failure(.internalError, "The message waits, with the turn \(queued.turn.id).")
        case .repeated(let turnID): throw Failure(.internalError, "The message was sent before, with the turn \(turnID).")
        }
    }

    /// Accepts a message that must wait.
    @discardableResult
    package func enqueue(
        _ turnID: String, in conversationID: String, _ policy: BusyPolicy = .enqueue, at time: Int64 = 2_000, for caller: Caller
    ) async throws(Failure) -> QueuedTurn {
        var new = NewTurn.plain(turnID, .existing(conversationID: conversationID), text: turnID, at: time)
        new.onBusy = policy
        guard case .queued(let queued) = try await admitTurn(new, for: caller) else {
            throw Failure(.internalError, "The message does not wait.")
        }
        return queued
    }

    /// Lets turns begin that wait.
    package func advance(
        _ waiting: [String] = [], at time: Int64 = 5_000, unless isEnding: @escaping @Sendable () -> Bool = { false }
    ) async throws(Failure) -> [(id: String, step: QueueStep)] {
        try await advanceQueue(
            waiting: waiting, deadline: Timestamp(milliseconds: time + 600_000), at: Timestamp(milliseconds: time), unless: isEnding)
    }

    /// Lets the one turn begin that can.
    @discardableResult
    package func begin(_ turnID: String, at time: Int64 = 5_000) async throws(Failure) -> BegunTurn {
        let steps = try await advance([turnID], at: time)
        guard steps.count == 1, steps[0].id == turnID, case .begun(let begun) = steps[0].step else {
            throw Failure(.internalError, "\(turnID) was to begin, and nothing else: \(steps)")
        }
        return begun
    }

    /// Ends a turn with an answer.
    @discardableResult
    package func finish(
        _ admitted: AdmittedTurn, text: String = "Hello!", _ reason: Settlement.Reason = .completed, at time: Int64 = 3_000
    ) async throws(Failure) -> TurnResult {
        var outcome = TurnOutcome.plain(admitted, text: text, at: time)
        outcome.settlement = Settlement(reason)
        return try await finishTurn(outcome)
    }

    /// A message and its answer.
    @discardableResult
    package func exchange(
        _ turnID: String, in conversationID: String, text: String = "Hello?", answer: String = "Hello!", at time: Int64 = 2_000,
        for caller: Caller
    ) async throws(Failure) -> TurnResult {
        try await finish(try await admit(turnID, in: conversationID, text: text, at: time, for: caller), text: answer, at: time + 1)
    }

    /// Lists conversations that are not archived.
    ///
    /// - Parameter botID: only those linked to this bot.
    package func conversations(
        linkedTo botID: String?, page: PageRequest, for caller: Caller
    ) async throws(Failure) -> Page<Conversation> {
        try await conversations(ConversationFilter(botID: botID), page: page, for: caller)
    }

    /// All elements of a list, page by page.
    ///
    /// - Parameters:
    ///   - limit: the number of elements on a page.
    ///   - page: reads one page.
    package func allPages<Element>(
        limit: Int, _ page: (PageRequest) async throws(Failure) -> Page<Element>
    ) async throws(Failure) -> [Element] {
        var all: [Element] = []
        var request = PageRequest(limit: limit)
        while true {
            let next = try await page(request)
            all += next.elements
            #expect(next.elements.count <= limit)
            guard let cursor = next.nextCursor else { return all }
            #expect(!next.elements.isEmpty, "a page that is not the last holds something")
            guard cursor != request.cursor else {
                Issue.record("a cursor does not move on")
                return all
            }
            request.cursor = cursor
        }
    }
}

extension Bot {
    /// A bot with a name and nothing else.
    package static func plain(_ id: String, name: String, at time: Int64 = 1_000) -> Bot {
        Bot(
            id: id, name: name, description: "", instructions: nil, model: nil, temperature: nil, config: nil, revision: 1,
            createdAt: Timestamp(milliseconds: time), updatedAt: Timestamp(milliseconds: time))
    }
}

extension NewTurn {
    /// A turn whose user message is called after it.
    package static func plain(_ id: String, _ target: Target, text: String = "Hello?", at time: Int64 = 2_000) -> NewTurn {
        NewTurn(
            id: id, target: target, userMessageID: id + ".user", content: [.text(text)], title: "A title",
            now: Timestamp(milliseconds: time), deadline: Timestamp(milliseconds: time + 600_000))
    }
}

extension Message {
    /// What a turn's model says: called after the turn, following its user message.
    package static func answer(
        to admitted: AdmittedTurn, text: String = "Hello!", status: Status = .complete, at time: Int64 = 3_000
    ) -> Message {
        Message(
            id: admitted.turn.id + ".assistant", conversationID: admitted.turn.conversationID, turnID: admitted.turn.id,
            parentID: admitted.userMessage.id, role: .assistant, content: [.text(text)], status: status, model: "test:model",
            createdAt: Timestamp(milliseconds: time))
    }
}

extension TurnOutcome {
    /// A turn that ended well.
    package static func plain(_ admitted: AdmittedTurn, text: String = "Hello!", at time: Int64 = 3_000) -> TurnOutcome {
        TurnOutcome(
            turnID: admitted.turn.id, status: .completed, stopReason: .endTurn, error: nil,
            message: .answer(to: admitted, text: text, at: time),
            usage: Usage(inputTokens: 3, outputTokens: 5), settlement: Settlement(.completed), lastSequence: 4,
            completedAt: Timestamp(milliseconds: time))
    }
}

extension Caller {
    /// A signed-in person.
    package static let ann = Caller.user(id: "ann")
    /// Another signed-in person.
    package static let bob = Caller.user(id: "bob")
}

extension NewAnonymousUser {
    /// An anonymous person whose token is known by a number.
    package static func numbered(_ number: UInt8) -> NewAnonymousUser {
        NewAnonymousUser(
            id: "anonymous-\(number)", tokenHash: AnonymousToken(randomBytes: Array(repeating: number, count: 32)).hash,
            createdAt: Timestamp(milliseconds: 500))
    }
}

/// Expects something to fail, with the code and details of a failure; its words are free.
package func expectFailure<Value>(
    _ expected: Failure, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws(Failure) -> Value
) async {
    do throws(Failure) {
        _ = try await body()
        Issue.record("\(expected.code) was expected, but nothing failed", sourceLocation: sourceLocation)
    } catch {
        #expect(error.code == expected.code, "\(error)", sourceLocation: sourceLocation)
        #expect(error.details == expected.details, sourceLocation: sourceLocation)
    }
}

extension Failure {
    /// What an unknown token is refused with.
    package static let authRequired = Failure(.authRequired, "")
    /// What the second bot of a name is refused with.
    package static let nameTaken = Failure(.nameTaken, "")
    /// What a text that is no cursor is refused with.
    package static let noCursor = Failure.invalidParams(path: "cursor", reason: "is not a cursor of this list")
}

/// Says that something that must hold does not.
func record(_ sentence: String, sourceLocation: SourceLocation = #_sourceLocation) {
    Issue.record(Comment(rawValue: sentence), sourceLocation: sourceLocation)
}
