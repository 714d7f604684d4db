import GRDB
import ParleyCore

/// The time by which windows slide: the wall clock, but never back, and it goes on by the monotonic clock while the wall clock is behind.
///
/// Quota time is max(wall clock, stored mark + monotonic time since). The mark is stored with everything that is taken, so that all processes
/// on a database share it. A clock stepped back therefore never reopens a window; a wrong step forward, once corrected, delays nobody by
/// more than a window, because the mark goes on from there: since it was set where the machine has not been started anew, otherwise since
/// this process first saw it.
final class QuotaClock: Sendable {
    private struct Mark: Equatable {
        /// A moment of quota time.
        var time: Int64
        /// The monotonic clock at that moment.
        var monotonic: Int64
        /// The start of the machine that the monotonic clock counts from.
        var boot: Int64
    }

    /// Milliseconds of a clock that never steps.
    let monotonic: @Sendable () -> Int64
    /// Tells the machine's starts apart; 0 for one that cannot be told from others.
    let boot: Int64
    /// The latest mark of another start of the machine, and when this process first saw it.
    private let foreign = Locked((mark: Mark, seenAt: Int64)?.none)

    /// - Parameters:
    ///   - monotonic: milliseconds of a clock that never steps.
    ///   - boot: tells the machine's starts apart; 0 for one that cannot be told from others.
    init(monotonic: @escaping @Sendable () -> Int64, boot: Int64) {
        self.monotonic = monotonic
        self.boot = boot
    }

    /// Quota time, in milliseconds.
    ///
    /// - Parameter wall: the wall clock.
    func now(wall: Timestamp, in db: some StatementSource) throws -> Int64 {
        let mark = try db.first("SELECT time, monotonic, boot FROM quota_clock WHERE key = 1") {
            Mark(time: $0[0], monotonic: $0[1], boot: $0[2])
        }
        guard let mark else { return wall.milliseconds }
        return max(wall.milliseconds, mark.time + max(0, monotonic() - beginning(of: mark)))
    }

    /// Notes that something was taken.
    ///
    /// - Parameter time: what `now` has said in this transaction.
    func advance(to time: Int64, in db: some StatementSource) throws {
        try db.run(
            """
            INSERT INTO quota_clock (key, time, monotonic, boot) VALUES (1, ?, ?, ?)
            ON CONFLICT (key) DO UPDATE SET time = excluded.time, monotonic = excluded.monotonic, boot = excluded.boot
            WHERE time <= excluded.time
            """, time, monotonic(), boot)
    }

    /// The moment of the monotonic clock from which a mark goes on.
    private func beginning(of mark: Mark) -> Int64 {
        if mark.boot == boot, boot != 0 { return mark.monotonic }
        return foreign.withLock { foreign in
            if let foreign, foreign.mark == mark { return foreign.seenAt }
            let seenAt = monotonic()
            foreign = (mark, seenAt)
            return seenAt
        }
    }
}
