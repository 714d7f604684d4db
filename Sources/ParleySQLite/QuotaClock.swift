import GRDB
import ParleyCore

/// The time by which windows slide: the wall clock, but never back, and it goes on by the monotonic clock while the wall clock is behind.
///
/// Quota time is max(wall clock, stored mark + monotonic time since the mark was read). The mark is stored with every admission, so that all
/// processes on a database share it. A clock stepped back therefore never reopens a window; a wrong step forward, once corrected, delays
/// nobody by more than a window, because the mark goes on from there.
final class QuotaClock: Sendable {
    private struct Anchor {
        /// The latest mark that was seen in the database, as a moment of quota time.
        var mark: Int64
        /// The monotonic clock when it was seen.
        var seenAt: Int64
    }

    private static let mark = "quotaTime"

    private let monotonic: @Sendable () -> Int64
    private let anchor = Locked(Anchor?.none)

    /// - Parameter monotonic: milliseconds of a clock that never steps.
    init(monotonic: @escaping @Sendable () -> Int64) {
        self.monotonic = monotonic
    }

    /// Quota time, in milliseconds.
    ///
    /// - Parameter wall: the wall clock.
    func now(wall: Timestamp, in db: Database) throws -> Int64 {
        let stored: Int64? = try db.first("SELECT value FROM marks WHERE name = ?", Self.mark) { $0[0] }
        guard let stored else { return wall.milliseconds }
        let monotonic = monotonic()
        return anchor.withLock { anchor in
            var current = anchor ?? Anchor(mark: stored, seenAt: monotonic)
            // Another process has come further.
            if stored > current.mark + (monotonic - current.seenAt) { current = Anchor(mark: stored, seenAt: monotonic) }
            anchor = current
            return max(wall.milliseconds, current.mark + (monotonic - current.seenAt))
        }
    }

    /// Notes that something was admitted.
    ///
    /// - Parameter time: what `now` has said in this transaction.
    func advance(to time: Int64, in db: Database) throws {
        try db.run(
            "INSERT INTO marks (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE value < excluded.value",
            Self.mark, time)
    }
}
