import Foundation

/// Surroundings in which the same requests give the same answers, byte for byte: a clock that moves only when told to, ids counted per kind,
/// secrets from a seed, and a count of what still runs.
package final class DeterministicAmbient: Ambient, @unchecked Sendable {
    // Unchecked, because the compiler cannot see that `state` is touched only while `condition` is locked; both are private and every method
    // locks it first.
    private let condition = NSCondition()
    private var state = State()

    private struct State {
        var elapsed: Int64 = 0
        var counts: [IDKind: Int] = [:]
        var random: UInt64 = 0x5041_524C
        var activities = 0
        var nextSleeper = 0
        var sleepers: [Int: Sleeper] = [:]
        /// Activities that let all others go first.
        var resting: [(place: Int?, continuation: CheckedContinuation<Void, Never>)] = []
        var awaitingQuiescence: [CheckedContinuation<Void, Never>] = []
    }

    /// Lets the next of those go on who have let all others go first. To be called with the lock held.
    private func takeRested() -> CheckedContinuation<Void, Never>? {
        let next =
            state.resting.lastIndex { $0.place == nil }
            ?? state.resting.indices.min { (state.resting[$0].place ?? 0) < (state.resting[$1].place ?? 0) }
        return next.map { state.resting.remove(at: $0).continuation }
    }

    private struct Sleeper {
        var wakesAt: Int64
        var continuation: CheckedContinuation<Bool, Never>
    }

    /// Where the clock starts: 2026-01-01T00:00:00.000Z.
    package static let start = Timestamp(milliseconds: 1_767_225_600_000)

    /// Starts at `start`, with nothing running.
    package init() {}

    package func now() -> Timestamp {
        Self.start.advanced(byMilliseconds: monotonicMilliseconds())
    }

    package func monotonicMilliseconds() -> Int64 {
        condition.withLock { state.elapsed }
    }

    package func newID(_ kind: IDKind) -> String {
        let count = condition.withLock {
            state.counts[kind, default: 0] += 1
            return state.counts[kind, default: 0]
        }
        return "\(kind.rawValue)-\(count)"
    }

    package func randomBytes(_ count: Int) -> [UInt8] {
        condition.withLock {
            (0..<count).map { _ in
                // SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
                state.random &+= 0x9E37_79B9_7F4A_7C15
                var mixed = state.random
                mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
                mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
                return UInt8(truncatingIfNeeded: mixed ^ (mixed >> 31))
            }
        }
    }

    package func sleep(milliseconds: Int64) async throws(CancellationError) {
        let id = condition.withLock {
            state.nextSleeper += 1
            return state.nextSleeper
        }
        let completed = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
                let outcome: Bool? = condition.withLock {
                    if Task.isCancelled { return false }
                    if milliseconds <= 0 { return true }
                    state.sleepers[id] = Sleeper(wakesAt: state.elapsed + milliseconds, continuation: continuation)
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) } else { endActivity() }
            }
        } onCancel: {
            let sleeper = condition.withLock { wake(id) }
            sleeper?.continuation.resume(returning: false)
        }
        if !completed { throw CancellationError() }
    }

    package func beginActivity() {
        condition.withLock { state.activities += 1 }
    }

    package func endActivity() {
        let ready: [CheckedContinuation<Void, Never>] = condition.withLock {
            state.activities -= 1
            guard state.activities <= 0 else { return [] }
            if let rested = takeRested() {
                state.activities += 1
                return [rested]
            }
            condition.broadcast()
            defer { state.awaitingQuiescence = [] }
            return state.awaitingQuiescence
        }
        for continuation in ready { continuation.resume() }
    }

    package func rest(place: Int?) async {
        await withCheckedContinuation { continuation in
            condition.withLock { state.resting.append((place, continuation)) }
            endActivity()
        }
    }

    /// Moves the clock, waking sleepers in the order of their times and letting each run until nothing more can before the next one wakes.
    ///
    /// Blocks the calling thread, which must not be one of the concurrency pool's.
    package func advance(milliseconds: Int64) {
        let target = condition.withLock { state.elapsed + max(0, milliseconds) }
        while true {
            waitUntilQuiescent()
            guard let sleeper = nextSleeper(until: target) else { return }
            sleeper.continuation.resume(returning: true)
        }
    }

    /// Moves the clock as `advance` does, for a task: when the input has ended, nobody else is left to move it.
    ///
    /// - Throws: `CancellationError` when the task is cancelled; the clock then stands where it has come to.
    package func pass(milliseconds: Int64) async throws(CancellationError) {
        let target = condition.withLock { state.elapsed + max(0, milliseconds) }
        while true {
            await withCheckedContinuation { continuation in
                let isQuiescent = condition.withLock {
                    if state.activities > 0 { state.awaitingQuiescence.append(continuation) }
                    return state.activities <= 0
                }
                if isQuiescent { continuation.resume() }
            }
            if Task.isCancelled { throw CancellationError() }
            guard let sleeper = nextSleeper(until: target) else { return }
            sleeper.continuation.resume(returning: true)
        }
    }

    /// Blocks the calling thread until nothing can run without input or time.
    package func waitUntilQuiescent() {
        condition.withLock {
            while state.activities > 0 { condition.wait() }
        }
    }

    /// Moves the clock to where the next sleeper wakes, or to the target when none does before.
    private func nextSleeper(until target: Int64) -> Sleeper? {
        condition.withLock {
            let due = state.sleepers.filter { $0.value.wakesAt <= target }
                .min { ($0.value.wakesAt, $0.key) < ($1.value.wakesAt, $1.key) }
            guard let due else {
                state.elapsed = target
                return nil
            }
            state.elapsed = max(state.elapsed, due.value.wakesAt)
            return wake(due.key)
        }
    }

    /// Takes a sleeper out and counts it as running again. To be called with the lock held.
    private func wake(_ id: Int) -> Sleeper? {
        guard let sleeper = state.sleepers.removeValue(forKey: id) else { return nil }
        state.activities += 1
        return sleeper
    }
}
