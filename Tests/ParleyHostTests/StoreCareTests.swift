import Logging
import ParleyCore
import ParleySQLite
import ParleyTestSupport
import Testing

@testable import ParleyHost

/// What was deleted goes from memory when it goes from the files.
@Suite struct StoreCareTests {
    @Test(arguments: [(true, true, 1), (true, false, 0), (false, true, 0)])
    func whatWasDeletedIsForgottenInAnIdleHost(isDeleted: Bool, isIdle: Bool, times: Int) async throws {
        let ambient = SleeplessAmbient(maximumSleeps: 4)
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
