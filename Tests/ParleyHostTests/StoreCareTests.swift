import Logging
import ParleyCore
import ParleySQLite
import ParleyTestSupport
import Testing

@testable import ParleyHost

/// What was deleted goes from memory when it goes from the files.
@Suite struct StoreCareTests {
    /// Surroundings in which sleep takes no time, and is refused once there was enough of it.
    private final class FewSleeps: Ambient {
        private let inner = DeterministicAmbient()
        private let slept: Locked<[Int64]>
        private let maximum: Int

        init(_ maximum: Int) {
            self.maximum = maximum
            slept = Locked([])
        }

        func now() -> Timestamp { inner.now() }
        func monotonicMilliseconds() -> Int64 { slept.withLock { $0.reduce(0, +) } }
        func sleep(milliseconds: Int64) async throws(CancellationError) {
            let isOver = slept.withLock { slept in
                slept.append(milliseconds)
                return slept.count > maximum
            }
            if isOver { throw CancellationError() }
        }
        func newID(_ kind: IDKind) -> String { inner.newID(kind) }
        func randomBytes(_ count: Int) -> [UInt8] { Array(repeating: 0, count: count) }
        func beginActivity() {}
        func endActivity() {}
        func rest(place: Int?) async {}
    }

    @Test(arguments: [(true, true, 1), (true, false, 0), (false, true, 0)])
    func whatWasDeletedIsForgottenInAnIdleHost(isDeleted: Bool, isIdle: Bool, times: Int) async throws {
        let ambient = FewSleeps(4)
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let store = try SQLiteStore.open(
            SQLiteStoreConfiguration(
                location: .memory, quotas: .standard, logger: logger, now: { ambient.now() },
                monotonic: { ambient.monotonicMilliseconds() }, boot: 1))
        let forgotten = Locked(0)
        let care = StoreCare(store: store, ambient: ambient, idleMilliseconds: 1_000, retention: RetentionPolicy(), logger: logger) {
            forgotten.withLock { $0 += 1 }
        }
        if isDeleted { care.noteDeletion() }
        await care.run { isIdle }
        #expect(forgotten.withLock { $0 } == times)
        try await store.close()
    }
}
