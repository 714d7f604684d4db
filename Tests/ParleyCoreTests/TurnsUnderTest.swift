import Logging
import ParleySQLite
import ParleyTestSupport
import Testing

@testable import ParleyCore

/// A model that gives the answers that it was told, in order, and keeps what it was asked.
final class RecordingProvider: ModelProvider {
    /// What comes of one call.
    struct Answer: Sendable {
        var events: [ModelEvent] = []
        /// How the call ends after them; nil for a good end.
        var failure: Failure?
    }

    let name: String
    let models: [ModelDescription]
    private let answers: Locked<[Answer]>
    private let asked = Locked([ModelRequest]())

    init(_ name: String, contextWindow: Int? = nil, prices: Prices? = nil, _ answers: [Answer]) {
        self.name = name
        models = [ModelDescription(model: "m", contextWindow: contextWindow, prices: prices)]
        self.answers = Locked(answers)
    }

    /// What was asked so far.
    var requests: [ModelRequest] { asked.withLock { $0 } }

    func stream(_ request: ModelRequest) async throws(Failure) -> any ModelStream {
        asked.withLock { $0.append(request) }
        let answer = answers.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        guard let answer else { throw Failure(.modelRejected, "\(name) has no more answers.") }
        return Stream(answer: answer)
    }

    private struct Stream: ModelStream {
        var answer: Answer
        var isOver = false

        mutating func next() async throws(Failure) -> [ModelEvent]? {
            guard !isOver else { return nil }
            let events = answer.events
            answer.events = []
            if !events.isEmpty, answer.failure != nil { return events }
            if let failure = answer.failure { throw failure }
            isOver = true
            return events + [.finished(.endTurn)]
        }
    }
}

extension RecordingProvider.Answer {
    static func says(_ events: ModelEvent...) -> Self { Self(events: events) }
    static func fails(_ failure: Failure, after events: ModelEvent...) -> Self { Self(events: events, failure: failure) }
}

/// Turns on a store in memory, with models that do what a test wants.
struct TurnsUnderTest {
    let store: SQLiteStore
    let turns: Turns
    let ambient: SleeplessAmbient

    init(
        _ providers: [RecordingProvider], fallback: [String] = [], tools: [any ToolSource] = [], limits: Limits = Limits(),
        _ change: (inout TurnSettings) -> Void = { _ in }
    ) throws {
        let ambient = SleeplessAmbient()
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        var settings = TurnSettings()
        settings.defaultInstructions = "Help."
        change(&settings)
        store = try SQLiteStore.open(
            SQLiteStoreConfiguration(
                location: .memory, quotas: .standard, logger: logger, now: { ambient.now() },
                monotonic: { ambient.monotonicMilliseconds() }, boot: 1))
        turns = Turns(
            store: store, models: try ModelCatalog(providers: providers, defaultModel: providers[0].name, fallback: fallback),
            ambient: ambient, limits: limits, settings: settings, logger: logger)
        turns.toolSources = tools
        self.ambient = ambient
    }

    /// Sends a message and runs its turn.
    ///
    /// - Returns: what the turn came to, and all its events.
    func send(
        _ text: String, _ beginning: TurnBeginning = .message, in conversation: String = "c", readsCommands: Bool = false,
        model: String? = nil, maxOutputTokens: Int? = nil, for caller: Caller = .ann
    ) async throws -> (result: TurnResult, events: [TurnEvent.Body]) {
        let observer = Observer()
        let result = Locked(TurnResult?.none)
        let draft = Turns.Draft(
            conversationID: conversation, content: [.text(text)], beginning: beginning, readsCommands: readsCommands, model: model,
            maxOutputTokens: maxOutputTokens)
        _ = try await turns.send(
            draft, for: TurnClient(caller: caller), cancellation: Cancellation(), observer: observer
        ) { _, _ in
        } ended: { ended in
            result.withLock { $0 = ended }
        }
        return (try #require(result.withLock { $0 }), observer.events)
    }

    private final class Observer: TurnObserver {
        private let seen = Locked([TurnEvent.Body]())

        var events: [TurnEvent.Body] { seen.withLock { $0 } }
        func observe(_ events: [TurnEvent]) { seen.withLock { $0 += events.map(\.body) } }
        func ready() async {}
    }
}

extension [TurnEvent.Body] {
    /// That models are asked again, in order.
    var retries: [RetryNotice] { compactMap { if case .retryScheduled(let notice) = $0 { notice } else { nil } } }

    /// What models think, as far as it is shown.
    var reasoning: String { reduce(into: "") { text, event in if case .reasoningDelta(_, let delta) = event { text += delta } } }
}
