import GRDB
import ParleyCore

/// What no limit and no repeated request can need any more.
extension StoreTransaction {
    private static let mark = "expiredDiscarded"
    private static let day: Int64 = 86_400_000

    /// Discards it.
    func discardExpired(at now: Timestamp) throws {
        try forgetOldCounters(at: now)
        try forgetOldRequests(at: now)
        try db.run("INSERT INTO marks (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", Self.mark, now)
    }

    /// Discards it, unless that was done within the last day.
    func discardExpiredOnceADay(at now: Timestamp) throws {
        let last: Int64? = try db.first("SELECT value FROM marks WHERE name = ?", Self.mark) { $0[0] }
        // A moment that is yet to come was told by a clock that went wrong.
        guard !(now.milliseconds - Self.day...now.milliseconds).contains(last ?? .min) else { return }
        try discardExpired(at: now)
    }
}
