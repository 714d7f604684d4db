package import ParleyCore

/// Surroundings in which sleep takes no time, and is remembered.
package final class SleeplessAmbient: Ambient {
    private let inner = DeterministicAmbient()
    private let slept = Locked([Int64]())
    private let maximumSleeps: Int

    /// - Parameter maximumSleeps: after how many sleeps none is granted any more, as if the task were cancelled.
    package init(maximumSleeps: Int = .max) {
        self.maximumSleeps = maximumSleeps
    }

    /// How long it would have slept, each time.
    package var sleeps: [Int64] { slept.withLock { $0 } }

    package func now() -> Timestamp { inner.now() }
    package func monotonicMilliseconds() -> Int64 { slept.withLock { $0.reduce(0, +) } }
    package func sleep(milliseconds: Int64) async throws(CancellationError) {
        let isGranted = slept.withLock { slept in
            slept.append(milliseconds)
            return slept.count <= maximumSleeps
        }
        if !isGranted { throw CancellationError() }
    }
    package func newID(_ kind: IDKind) -> String { inner.newID(kind) }
    package func randomBytes(_ count: Int) -> [UInt8] { Array(repeating: 0, count: count) }
    package func beginActivity() {}
    package func endActivity() {}
    package func rest(place: Int?) async {}
}
