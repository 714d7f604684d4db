import Logging
import ParleySQLite
import ParleyTestSupport
import Testing

@testable import ParleyCore

/// Turns whose disk becomes full at a chosen moment: what was said is neither lost nor told otherwise than it is stored later.
@Suite(.timeLimit(.minutes(5))) struct UnstoredTurnTests {
    /// Lets the disk become full with an event.
    private final class Saboteur: TurnObserver {
        let disk: FaultyDisk
        let moment: @Sendable (TurnEvent.Body) -> Bool

        init(_ disk: FaultyDisk, at moment: @escaping @Sendable (TurnEvent.Body) -> Bool) {
            self.disk = disk
            self.moment = moment
        }

        func observe(_ events: [TurnEvent]) {
            if events.contains(where: { moment($0.body) }) { disk.fail(.full) }
        }

        func ready() async {}
    }

    /// When the disk becomes full.
    enum Moment: String, CaseIterable, Sendable {
        /// Before the message that calls a tool can be stored.
        case text
        /// Before the tool's result can be.
        case call
        /// Before the end can be.
        case lastText

        func hasCome(with event: TurnEvent.Body) -> Bool {
            switch (self, event) {
            case (.text, .messageDelta(_, "Let me look.")), (.call, .toolCallStarted), (.lastText, .messageDelta(_, "Well.")): true
            default: false
            }
        }

        /// What the client is shown at last, of which a tool's call that was stored is a part.
        var text: String { self == .lastText ? "Well." : "Let me look." }
        var calls: Int { self == .lastText ? 0 : 1 }
    }

    @Test(arguments: Moment.allCases) func whatWasToldIsStoredLater(moment: Moment) async throws {
        let folder = try TemporaryFolder()
        let disk = try FaultyDisk(folder: folder.path)
        let ambient = SleeplessAmbient()
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let store = try SQLiteStore.open(
            SQLiteStoreConfiguration(
                location: .file(path: folder.file("parley.db")), quotas: .standard, logger: logger, now: { ambient.now() },
                monotonic: { ambient.monotonicMilliseconds() }, boot: 1))
        let provider = RecordingProvider(
            "p",
            [
                .says(.textDelta("Let me look."), .toolCall(ToolCall(id: "k", name: "unknown", arguments: [:]))),
                .says(.textDelta("Well.")), .says(.textDelta("Again.")),
            ])
        let turns = Turns(
            store: store, models: try ModelCatalog(providers: [provider], defaultModel: "p"), ambient: ambient, limits: Limits(),
            settings: TurnSettings(), logger: logger)
        try await store.makeConversation("c", for: .ann)
        func send() async throws -> TurnResult {
            let ended = Locked(TurnResult?.none)
            _ = try await turns.send(
                Turns.Draft(conversationID: "c", content: [.text("Hello?")]), for: TurnClient(caller: .ann), cancellation: Cancellation(),
                observer: Saboteur(disk) { moment.hasCome(with: $0) }
            ) { _, _ in
            } ended: { result in
                ended.withLock { $0 = result }
            }
            return try #require(ended.withLock { $0 })
        }

        let told = try await send()
        #expect(told.turn.status == .failed && told.turn.error?.code == .storeFull)
        #expect(told.message?.text == moment.text && told.message?.toolCalls.count == moment.calls)
        #expect(try await store.turn(told.turn.id, for: .ann).turn.status == .inProgress)
        disk.heal()
        // The monitor stores what is left before it ends.
        let stored = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await turns.monitor() }
            group.cancelAll()
            try await group.waitForAll()
            return try await store.turn(told.turn.id, for: .ann)
        }
        var withoutReceipt = stored.turn
        withoutReceipt.quota = nil
        #expect(withoutReceipt == told.turn && stored.turn.quota?.counted == false)
        #expect(stored.message == told.message)

        let next = try await send()
        #expect(next.turn.status == .completed)
        // The model hears what it said, and that its call has no result where it has none.
        let heard = try #require(provider.requests.last?.messages)
        #expect(heard.contains { $0.text == moment.text } && heard.flatMap(\.toolCalls).count == heard.flatMap(\.toolResults).count)
        try await store.close()
        #expect(SQLiteStore.check(path: folder.file("parley.db")) == [])
    }
}
