import GRDB
import ParleyCore

/// The time by which it is reckoned how long conversations have not been used: a wall clock that is set, forward or back, makes nothing older.
///
/// While the machine runs it goes on as a clock does that never steps. How long the machine was off only the wall clock can tell, at the next start:
/// by so much it is behind (`behind`), and it catches up 25 times as fast as time passes, beginning with a day, so that a clock that was wrong at the
/// start can be put right before it makes everything years older. What is used meanwhile is used at the end of what it is behind (`moment`), so that
/// catching up does not make that older.
struct RetentionClock: Equatable {
    private static let day: Int64 = 86_400_000
    /// How many milliseconds it catches up in one.
    private static let haste: Int64 = 24
    /// What is not worth storing, in milliseconds: the next who asks reckons from what is stored.
    private static let fine: Int64 = 1_000
    /// How much a clock must have been ahead for what was used by it to be corrected, in milliseconds.
    private static let coarse: Int64 = 60_000

    /// How far it has come, in milliseconds.
    var time: Int64
    /// How much more has passed, as far as is known, in milliseconds.
    var behind: Int64 = 0
    /// What the wall clock should say, in milliseconds since 1970: never less than it was believed to say before.
    var wall: Int64
    /// The clock that never steps, in milliseconds since the start of the machine.
    var monotonic: Int64
    /// Tells the machine's starts apart.
    var boot: Int64

    /// What is used now is used at this time, in milliseconds. It goes back only with a clock that was ahead at the start.
    var moment: Int64 { time + behind }

    /// Moves it on.
    ///
    /// - Parameters:
    ///   - wall: what the wall clock says, in milliseconds since 1970.
    ///   - monotonic: what the clock says that never steps, in milliseconds.
    ///   - boot: which start of the machine that clock counts from; 0 where they cannot be told apart, and are one as long as it does not go back.
    func advanced(wall: Int64, monotonic: Int64, boot: Int64) -> RetentionClock {
        let isSameStart = boot == self.boot && monotonic >= self.monotonic
        let passed = isSameStart ? monotonic - self.monotonic : 0
        var next = RetentionClock(time: time + passed, behind: behind, wall: self.wall + passed, monotonic: monotonic, boot: boot)
        if wall < next.wall {
            // It is not so late as was believed at the start, if the clock is right now. If not, the next start adds what this takes.
            let excess = min(behind, next.wall - wall)
            next.behind -= excess
            next.wall -= excess
        } else {
            // Within one start of the machine it is known how much time has passed; then only the clock was put right, or is wrong now.
            if !isSameStart { next.behind += wall - next.wall }
            next.wall = wall
        }
        let most = isSameStart ? (passed > next.behind / Self.haste ? next.behind : passed * Self.haste) : Self.day
        let caughtUp = min(next.behind, most)
        next.time += caughtUp
        next.behind -= caughtUp
        return next
    }

    /// Whether this, which was stored, tells all that `next` does.
    fileprivate func tells(_ next: RetentionClock) -> Bool {
        next.boot == boot && (0..<Self.fine).contains(next.monotonic - monotonic) && next.moment >= moment
    }

    /// Whether what was used by this must be corrected, now that it is `next`.
    fileprivate func wasAhead(of next: RetentionClock) -> Bool { moment - next.moment > Self.coarse }
}

extension StoreTransaction {
    /// How often a walk through all people's conversations is begun at most, in milliseconds: an hour, but hosts wake a little sooner or later.
    private static let walkInterval: Int64 = 3_300_000

    /// Moves the clock of retention on.
    func retentionClock(at now: Timestamp) throws -> RetentionClock {
        let (wall, monotonic, boot) = (now.milliseconds, surroundings.clock.monotonic(), surroundings.clock.boot)
        let stored = try db.first("SELECT time, behind, wall, monotonic, boot FROM retention_clock WHERE key = 1") {
            RetentionClock(time: $0[0], behind: $0[1], wall: $0[2], monotonic: $0[3], boot: $0[4])
        }
        let clock =
            stored?.advanced(wall: wall, monotonic: monotonic, boot: boot)
            ?? RetentionClock(time: wall, wall: wall, monotonic: monotonic, boot: boot)
        guard stored?.tells(clock) != true else { return clock }
        try db.run(
            """
            INSERT INTO retention_clock (key, time, behind, wall, monotonic, boot) VALUES (1, ?, ?, ?, ?, ?)
            ON CONFLICT (key) DO UPDATE SET time = excluded.time, behind = excluded.behind, wall = excluded.wall,
                monotonic = excluded.monotonic, boot = excluded.boot
            """, clock.time, clock.behind, clock.wall, clock.monotonic, clock.boot)
        if stored?.wasAhead(of: clock) == true {
            try db.run("UPDATE conversations SET used_at = ?1 WHERE owner IN (SELECT key FROM people) AND used_at > ?1", clock.moment)
        }
        return clock
    }

    /// The time at which a conversation is used that is used now, for `conversations.used_at`.
    func timeOfUse(at now: Timestamp) throws -> Int64 { try retentionClock(at: now).moment }

    /// Notes that a conversation is used by what changes nothing that shows in its own row.
    func noteUse(ofConversation key: Int64, at now: Timestamp) throws {
        try db.run("UPDATE conversations SET used_at = ? WHERE key = ?", timeOfUse(at: now), key)
    }

    /// Begins a walk through all people's conversations.
    ///
    /// - Returns: the time by which ages are reckoned; nil when another walk was done within the hour.
    func beginRetentionWalk(at now: Timestamp) throws -> Timestamp? {
        // What was deleted on another day.
        try Erasure.takeTurn(in: db, at: now)
        let clock = try retentionClock(at: now)
        let last: Int64? = try db.first("SELECT walked_at FROM retention_clock WHERE key = 1") { (row) -> Int64? in row[0] } ?? nil
        if let last, (0..<Self.walkInterval).contains(clock.moment - last) { return nil }
        return Timestamp(milliseconds: clock.time)
    }

    /// Notes that a walk has come to its end.
    func endRetentionWalk() throws {
        try db.run("UPDATE retention_clock SET walked_at = time + behind WHERE key = 1")
    }
}
