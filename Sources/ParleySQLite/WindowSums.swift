import GRDB
import ParleyCore

/// What windows held when they were summed last, so that a sum whose window has slid by a few milliseconds is not made anew: that takes 127 rows of
/// each width, which is more than all else of a turn.
///
/// It belongs to the connection that writes, and holds what its transactions see: from one to the next it is kept only if that one was
/// committed, and no other connection has written since. All that changes counters tells it.
final class WindowSums: Sendable {
    /// A sum of all that was taken from a moment on.
    struct Sum {
        var edge: Int64
        var count: Int
    }

    private struct State {
        var sums: [Counter: Sum] = [:]
        /// What SQLite calls the state in which others have left the database.
        var version: Int64?
        var isInDoubt = false
    }

    /// By how many milliseconds a window may have slid: as many rows at most are taken off.
    static let reach: Int64 = 128
    /// How many counters are remembered.
    private static let maximumCount = 4_096

    private let state = Locked(State())

    /// Says that a transaction has begun, in which nothing else writes.
    func begin(_ db: Database) throws {
        let version: Int64? = try db.first("PRAGMA data_version") { $0[0] }
        state.withLock { state in
            if state.isInDoubt || state.version != version { state.sums = [:] }
            state.version = version
            state.isInDoubt = true
        }
    }

    /// Says that the transaction was committed.
    func commit() {
        state.withLock { $0.isInDoubt = false }
    }

    /// Forgets all, because something was undone, or nobody knows what was done.
    func forget() {
        state.withLock { $0.sums = [:] }
    }

    /// The last sum of a counter, if it is remembered and reaches to a moment.
    func sum(of counter: Counter, near moment: Int64) -> Sum? {
        state.withLock { state in
            guard let sum = state.sums[counter], sum.edge <= moment, moment - sum.edge <= Self.reach else { return nil }
            return sum
        }
    }

    /// Remembers a sum.
    func keep(_ sum: Sum, of counter: Counter) {
        state.withLock { state in
            if state.sums.count >= Self.maximumCount, state.sums[counter] == nil { state.sums = [:] }
            state.sums[counter] = sum
        }
    }

    /// Says that something was taken at a moment, or, where it is negative, given back.
    func add(_ difference: Int, to counter: Counter, at moment: Int64) {
        state.withLock { state in
            guard let sum = state.sums[counter], sum.edge <= moment else { return }
            state.sums[counter]?.count += difference
        }
    }
}
