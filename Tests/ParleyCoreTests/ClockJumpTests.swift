import Logging
import ParleySQLite
import ParleyTestSupport
import Testing

@testable import ParleyCore

/// The wall clock is set while a turn runs: nothing is late, early or lost for it, because whatever waits goes by the clock that never steps.
@Suite(.timeLimit(.minutes(5))) struct ClockJumpTests {
    private static let day: Int64 = 86_400_000

    /// Surroundings whose wall clock can be set.
    private final class WanderingAmbient: Ambient {
        let inner = DeterministicAmbient()
        private let offset = Locked(Int64(0))

        /// Sets the wall clock, by a difference.
        func step(milliseconds: Int64) { offset.withLock { $0 += milliseconds } }

        func now() -> Timestamp { inner.now().advanced(byMilliseconds: offset.withLock { $0 }) }
        func monotonicMilliseconds() -> Int64 { inner.monotonicMilliseconds() }
        func sleep(milliseconds: Int64) async throws(CancellationError) { try await inner.sleep(milliseconds: milliseconds) }
        func newID(_ kind: IDKind) -> String { inner.newID(kind) }
        func randomBytes(_ count: Int) -> [UInt8] { inner.randomBytes(count) }
        func beginActivity() { inner.beginActivity() }
        func endActivity() { inner.endActivity() }
        func rest(place: Int?) async { await inner.rest(place: place) }
    }

    /// A tool that takes its time.
    private struct SlowTool: ToolSource {
        let name = "slow"
        let definition: ToolDefinition
        let milliseconds: Int64
        let ambient: WanderingAmbient

        init(milliseconds: Int64, ambient: WanderingAmbient) throws {
            definition = try ToolDefinition(
                name: "wait", summary: "Waits.", category: "test", inputSchema: ["type": "object"], timeoutMilliseconds: 2 * milliseconds)
            self.milliseconds = milliseconds
            self.ambient = ambient
        }

        func tools() -> [ToolDefinition] { [definition] }

        func call(_ call: ToolCall, in context: ToolContext) async throws(Failure) -> ToolOutput {
            do {
                try await ambient.sleep(milliseconds: milliseconds)
            } catch {
                throw Failure(.cancelled, "The tool was cancelled.")
            }
            return ToolOutput(text: "Done.")
        }
    }

    private final class Observer: TurnObserver {
        func observe(_ events: [TurnEvent]) {}
        func ready() async {}
    }

    /// Sends a message whose turn waits in a tool, sets the wall clock meanwhile, and sends another one.
    ///
    /// - Parameters:
    ///   - milliseconds: how long the tool takes.
    ///   - jump: how far the wall clock is set.
    ///   - passes: moments of the first turn at which it must still run, after the jump.
    /// - Returns: how the two turns ended.
    private func ends(tool milliseconds: Int64, jump: Int64, runningAfter passes: Int64) async throws -> [TurnResult] {
        let ambient = WanderingAmbient()
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let store = try SQLiteStore.open(
            SQLiteStoreConfiguration(
                location: .memory, quotas: .standard, logger: logger, now: { ambient.now() },
                monotonic: { ambient.monotonicMilliseconds() }, boot: 1))
        let call = ToolCall(id: "k", name: "wait", arguments: [:])
        let provider = RecordingProvider(
            "p", [.says(.textDelta("Let me look."), .toolCall(call)), .says(.textDelta("Well.")), .says(.textDelta("Again."))])
        var settings = TurnSettings()
        settings.deadlineMilliseconds = 10_000
        let turns = Turns(
            store: store, models: try ModelCatalog(providers: [provider], defaultModel: "p"), ambient: ambient, limits: Limits(),
            settings: settings, logger: logger)
        turns.toolSources = [try SlowTool(milliseconds: milliseconds, ambient: ambient)]
        try await store.makeConversation("c", for: .ann)

        let results = Locked([TurnResult]())
        @Sendable func send() async {
            let cancellation = Cancellation()
            let task = Task {
                _ = try await turns.send(
                    Turns.Draft(conversationID: "c", content: [.text("Hello?")]), for: TurnClient(caller: .ann), cancellation: cancellation,
                    observer: Observer()
                ) { _, _ in
                } ended: { result in
                    results.withLock { $0.append(result) }
                }
            }
            cancellation.arm { task.cancel() }
            if case .failure(let error) = await task.result { Issue.record("\(error)") }
            ambient.endActivity()
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<2 { ambient.beginActivity() }
            group.addTask {
                await turns.monitor()
                ambient.endActivity()
            }
            group.addTask { await send() }
            try await ambient.inner.pass(milliseconds: 10)
            ambient.step(milliseconds: jump)
            try await ambient.inner.pass(milliseconds: passes)
            #expect(turns.count == 1)
            try await ambient.inner.pass(milliseconds: 2_000)
            #expect(turns.count == 0)
            ambient.beginActivity()
            group.addTask { await send() }
            try await ambient.inner.pass(milliseconds: 10)
            group.cancelAll()
        }
        let stored = try await store.messages(inConversation: "c", page: PageRequest(), for: .ann).elements
        #expect(stored.first?.text == results.withLock { $0.last?.message?.text }, "the newest message is the last turn's")
        try await store.close()
        return results.withLock { $0 }
    }

    @Test(arguments: [-365 * day, -day, -1_000, 1_000, day, 365 * day])
    func aTurnTakesTheTimeThatItTakes(jump: Int64) async throws {
        let results = try await ends(tool: 5_000, jump: jump, runningAfter: 4_000)
        #expect(results.map(\.turn.status) == [.completed, .completed])
        #expect(results.map { $0.turn.quota?.counted } == [true, true])
        #expect(results.map { $0.message?.text } == ["Well.", "Again."])
    }

    @Test(arguments: [-365 * day, -day, -1_000, 1_000, day, 365 * day])
    func aDeadlineIsNeitherSoonerNorLater(jump: Int64) async throws {
        let results = try await ends(tool: 7_200_000, jump: jump, runningAfter: 9_000)
        #expect(results.map(\.turn.status) == [.failed, .completed])
        #expect(results.first?.turn.error?.code == .modelTimeout)
        #expect(results.map { $0.turn.quota?.counted } == [false, true])
    }
}
