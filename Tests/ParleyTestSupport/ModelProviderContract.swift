package import JSON
package import ParleyCore
import Testing

/// What every `ModelProvider` owes its callers.
///
/// A test sets a provider up so that its model does something definite, and hands it over with what is expected.
package struct ModelProviderContract: Sendable {
    /// All that came of one call.
    package struct Outcome: Equatable, Sendable {
        /// The events of each batch.
        package var batches: [[ModelEvent]] = []
        /// What the call ended with; nil for a good end.
        package var failure: Failure?

        /// An outcome as it is before anything has come.
        package init(batches: [[ModelEvent]] = [], failure: Failure? = nil) {
            self.batches = batches
            self.failure = failure
        }

        /// The events in order.
        package var events: [ModelEvent] { batches.flatMap(\.self) }

        /// The text in the pieces in which it came.
        package var deltas: [String] {
            events.compactMap { if case .textDelta(let delta) = $0 { delta } else { nil } }
        }

        /// What the model thinks, joined.
        package var reasoning: String {
            events.reduce(into: "") { text, event in if case .reasoningDelta(let delta) = event { text += delta } }
        }

        /// What the model wants done.
        package var toolCalls: [ToolCall] {
            events.compactMap { if case .toolCall(let call) = $0 { call } else { nil } }
        }

        /// What is to be sent back with the message.
        package var replay: JSONValue? {
            events.compactMap { if case .replay(let value) = $0 { value } else { nil } }.last
        }

        /// The last usage.
        package var usage: Usage? {
            events.compactMap { if case .usage(let usage) = $0 { usage } else { nil } }.last
        }

        /// The reason of the end; nil when there was none.
        package var stopReason: Turn.StopReason? {
            events.compactMap { if case .finished(let reason) = $0 { reason } else { nil } }.last
        }
    }

    private let provider: any ModelProvider
    private let request: ModelRequest

    /// Makes the contract with a provider.
    ///
    /// - Parameters:
    ///   - provider: the provider.
    ///   - request: what it is asked in every check.
    package init(_ provider: any ModelProvider, _ request: ModelRequest) {
        self.provider = provider
        self.request = request
    }

    /// Makes one call and keeps the rules that hold whatever comes.
    ///
    /// - Parameter heard: called after each batch.
    package func call(heard: (Outcome) async -> Void = { _ in }) async -> Outcome {
        var outcome = Outcome()
        do throws(Failure) {
            var stream = try await provider.stream(request)
            while let batch = try await stream.next() {
                #expect(!batch.isEmpty, "a batch is never empty")
                #expect(!batch.contains(.textDelta("")) && !batch.contains(.reasoningDelta("")), "a delta is never empty")
                #expect(outcome.stopReason == nil, "nothing follows the end")
                outcome.batches.append(batch)
                await heard(outcome)
            }
            let ends = outcome.events.filter { if case .finished = $0 { true } else { false } }
            #expect(ends.count == 1, "there is exactly one end")
            #expect(ends.last == outcome.events.last, "the end is last")
            let replays = outcome.events.filter { if case .replay = $0 { true } else { false } }
            #expect(replays.count <= 1, "what is to be sent back is said once")
            #expect(try await stream.next() == nil, "nothing follows nil")
        } catch {
            #expect(outcome.stopReason == nil, "a call that has ended does not fail")
            #expect(Self.codes.contains(error.code), "\(error.code) is no failure of a model")
            #expect(error.message.hasSuffix("."), "a message is a sentence")
            outcome.failure = error
        }
        return outcome
    }

    /// Checks a call that is answered, alone and with others beside it.
    ///
    /// - Parameters:
    ///   - deltas: the text in its pieces.
    ///   - usage: what it costs.
    ///   - stopReason: how it ends.
    package func answers(_ deltas: [String], usage: Usage?, stopReason: Turn.StopReason) async {
        #expect(!provider.name.isEmpty && !provider.name.contains(":"), "a name can stand before the colon")
        let outcomes = await withTaskGroup(of: Outcome.self) { group in
            for _ in 0..<8 { group.addTask { await call() } }
            return await group.reduce(into: [await call()]) { $0.append($1) }
        }
        for outcome in outcomes {
            #expect(outcome.failure == nil)
            #expect(outcome.deltas == deltas)
            #expect(outcome.usage == usage)
            #expect(outcome.stopReason == stopReason)
        }
    }

    /// Checks a call that fails.
    ///
    /// - Parameters:
    ///   - code: why.
    ///   - deltas: the text that came before.
    package func fails(_ code: Failure.Code, after deltas: [String] = []) async {
        let outcome = await call()
        #expect(outcome.failure?.code == code)
        #expect(outcome.deltas == deltas)
    }

    /// Checks that a call which would never end does so when its task is cancelled: at its beginning, and in the middle.
    ///
    /// - Parameter deltas: the text that comes before the silence; not empty.
    package func endsWhenCancelled(after deltas: [String]) async {
        let (texts, continuation) = AsyncStream.makeStream(of: [String].self)
        let outcome = await withTaskGroup(of: Outcome.self) { group in
            group.addTask {
                let outcome = await call { continuation.yield($0.deltas) }
                continuation.finish()
                return outcome
            }
            for await text in texts where text == deltas { group.cancelAll() }
            return await group.next()
        }
        #expect(outcome?.failure?.code == .cancelled)
        #expect(outcome?.deltas == deltas)

        let early = await withTaskGroup(of: Outcome.self) { group in
            group.cancelAll()
            group.addTask { await call() }
            return await group.next()
        }
        #expect(early == Outcome(failure: early?.failure))
        #expect(early?.failure?.code == .cancelled)
    }

    /// Checks that a stream may be dropped at any moment and the provider be asked again.
    ///
    /// - Parameter deltas: the text of the answer in its pieces.
    package func canBeAbandoned(_ deltas: [String]) async throws {
        _ = try await provider.stream(request)
        var stream = try await provider.stream(request)
        _ = try await stream.next()
        #expect(await call().deltas == deltas)
    }

    /// What the port allows a provider to throw.
    private static let codes: Set<Failure.Code> = [
        .modelUnavailable, .modelRateLimited, .modelRejected, .modelAuth, .modelBilling, .modelTimeout, .contextWindowExceeded, .cancelled,
    ]
}
