import GRDB
import ParleyCore

/// The widths of the rows that count a window, in milliseconds, each a multiple of the one before.
///
/// To sum what a window holds is to go from its edge to the next boundary of each width: at most 127 rows of each, and of the widest one for
/// each 35 minutes. Were there only the finest, the sum would grow with what is in the window.
enum CounterWidths {
    static let all: [Int64] = [1, 128, 16_384, 2_097_152]

    /// The rows that are to be summed, by width: from a moment to the end of time.
    static func ranges(from start: Int64) -> [(width: Int64, range: Range<Int64>)] {
        var start = start
        return all.indices.map { level in
            let end = level + 1 < all.count ? roundedUp(start, to: all[level + 1]) : Int64.max
            defer { start = end }
            return (all[level], start..<end)
        }
    }

    /// Sums what a counter holds, with the beginnings of the four ranges, each of which ends where the next begins.
    fileprivate static let sum = {
        let ends = ["AND start < ?4", "AND start < ?5", "AND start < ?6", ""]
        return "SELECT "
            + zip(all, ends).enumerated().map { level, width in
                """
                coalesce((SELECT sum(count) FROM counters
                    WHERE name = ?1 AND subject = ?2 AND width = \(width.0) AND start >= ?\(level + 3) \(width.1)), 0)
                """
            }.joined(separator: " + ")
    }()
    /// Counts some more, with the beginnings of the four rows and how many.
    fileprivate static let addition =
        "INSERT INTO counters (name, subject, width, start, count) VALUES "
        + all.enumerated().map { level, width in "(?1, ?2, \(width), ?\(level + 3), ?7)" }.joined(separator: ", ")
        + " ON CONFLICT (name, subject, width, start) DO UPDATE SET count = count + excluded.count"

    /// The row of a width that counts a moment.
    static func start(of moment: Int64, width: Int64) -> Int64 {
        // Towards the past also before 1970.
        moment - (moment % width + width) % width
    }

    private static func roundedUp(_ moment: Int64, to width: Int64) -> Int64 {
        start(of: moment + width - 1, width: width)
    }
}

/// What is counted: the name of a limit and whom it concerns.
struct Counter: Hashable {
    var name: String
    var subject: String
}

/// Counters in the database. They count what is taken, held or charged; a moment is quota time, in milliseconds.
extension StoreTransaction {
    // MARK: Lifetimes

    /// How much was ever taken.
    func total(_ counter: Counter) throws -> Int {
        try db.first("SELECT count FROM counters WHERE name = ? AND subject = ? AND width = 0", counter.name, counter.subject) { $0[0] }
            ?? 0
    }

    /// Adds one to what was ever taken.
    func addToTotal(_ counter: Counter) throws {
        try db.run(
            """
            INSERT INTO counters (name, subject, width, start, count) VALUES (?, ?, 0, 0, 1)
            ON CONFLICT (name, subject, width, start) DO UPDATE SET count = count + 1
            """, counter.name, counter.subject)
    }

    /// Takes one off what was ever taken.
    func subtractFromTotal(_ counter: Counter) throws {
        try db.run(
            "UPDATE counters SET count = count - 1 WHERE name = ? AND subject = ? AND width = 0", counter.name, counter.subject)
    }

    // MARK: Windows

    /// How much was taken from a moment on.
    func count(_ counter: Counter, from moment: Int64) throws -> Int {
        let count =
            if let last = counters?.sum(of: counter, near: moment) {
                last.edge == moment ? last.count : try last.count - self.count(counter, in: last.edge..<moment)
            } else {
                try sum(counter, from: moment)
            }
        counters?.keep(CounterMemory.Sum(edge: moment, count: count), of: counter)
        return count
    }

    private func sum(_ counter: Counter, from moment: Int64) throws -> Int {
        try writeAdditions()
        let starts = CounterWidths.ranges(from: moment).map(\.range.lowerBound)
        return try db.first(
            CounterWidths.sum, counter.name, counter.subject, starts[0], starts[1], starts[2], starts[3]
        ) { $0[0] } ?? 0
    }

    /// How much was taken within a short time.
    private func count(_ counter: Counter, in range: Range<Int64>) throws -> Int {
        if counters?.isUnwritten(counter, in: range) == true { try writeAdditions() }
        return try db.first(
            "SELECT coalesce(sum(count), 0) FROM counters WHERE name = ? AND subject = ? AND width = 1 AND start >= ? AND start < ?",
            counter.name, counter.subject, range.lowerBound, range.upperBound
        ) { $0[0] } ?? 0
    }

    /// When the oldest but so many were taken, of what was taken from a moment on.
    ///
    /// - Parameter rank: counted from 1, the oldest.
    /// - Returns: nil when there are not as many.
    func moment(_ counter: Counter, ofOldest rank: Int, from moment: Int64) throws -> Int64? {
        try writeAdditions()
        var rank = rank
        for (level, (_, range)) in CounterWidths.ranges(from: moment).enumerated() where !range.isEmpty {
            guard var found = try row(counter, level: level, in: range, holding: &rank) else { continue }
            // The row that holds it is looked through at each finer width.
            for finer in (0..<level).reversed() {
                let range = found..<found + CounterWidths.all[finer + 1]
                guard let start = try row(counter, level: finer, in: range, holding: &rank) else {
                    throw SQLiteFailure.unreadable("counters: \(counter.name) counts differently at different widths")
                }
                found = start
            }
            return found
        }
        return nil
    }

    /// When the last was taken.
    func lastMoment(_ counter: Counter) throws -> Int64? {
        try writeAdditions()
        return try db.first(
            "SELECT start FROM counters WHERE name = ? AND subject = ? AND width = 1 ORDER BY start DESC LIMIT 1",
            counter.name, counter.subject
        ) { $0[0] }
    }

    /// Counts one more.
    func add(_ counter: Counter, at moment: Int64) throws {
        guard let counters else { return try db.add(1, to: counter, at: moment) }
        counters.add(counter, at: moment)
    }

    /// Writes what was counted, so that the rows tell all.
    private func writeAdditions() throws {
        try counters?.writeAdditions(to: db)
    }

    /// Counts one less of what was taken at a moment.
    func remove(_ counter: Counter, at moment: Int64) throws {
        try writeAdditions()
        for width in CounterWidths.all {
            let start = CounterWidths.start(of: moment, width: width)
            let changed = try db.run(
                "UPDATE counters SET count = count - 1 WHERE name = ? AND subject = ? AND width = ? AND start = ?", counter.name,
                counter.subject, width, start)
            if width == 1 { counters?.subtract(changed, from: counter, at: moment) }
            try db.run(
                "DELETE FROM counters WHERE name = ? AND subject = ? AND width = ? AND start = ? AND count = 0", counter.name,
                counter.subject, width, start)
        }
    }

    /// Forgets what no window can reach any more.
    func forgetOldCounters(at wall: Timestamp) throws {
        let time = try surroundings.clock.now(wall: wall, in: db)
        // Or else the check of the database would miss what is discarded here.
        try surroundings.clock.advance(to: time, in: db)
        let edge = time - Int64(QuotaPolicy.maximumWindowSeconds) * 1_000
        try writeAdditions()
        try db.run("DELETE FROM counters WHERE width > 0 AND start + width <= ?", edge)
        counters?.forgetSums()
    }

    /// Forgets all that was counted.
    func clear(_ counter: Counter) throws {
        try writeAdditions()
        try db.run("DELETE FROM counters WHERE name = ? AND subject = ?", counter.name, counter.subject)
        counters?.forgetSums()
    }

    /// The first row of a range in which a rank falls; rows before it are taken off the rank.
    private func row(_ counter: Counter, level: Int, in range: Range<Int64>, holding rank: inout Int) throws -> Int64? {
        var found: Int64?
        var left = rank
        try db.forEach(
            """
            SELECT start, count FROM counters WHERE name = ? AND subject = ? AND width = ? AND start >= ? AND start < ? ORDER BY start
            """, counter.name, counter.subject, CounterWidths.all[level], range.lowerBound, range.upperBound
        ) { row in
            let count: Int = row[1]
            if left <= count { found = row[0] } else { left -= count }
            return found == nil
        }
        rank = left
        return found
    }
}

extension StatementSource {
    /// Counts some more of what was taken at a moment.
    func add(_ count: Int, to counter: Counter, at moment: Int64) throws {
        let starts = CounterWidths.all.map { CounterWidths.start(of: moment, width: $0) }
        try run(CounterWidths.addition, counter.name, counter.subject, starts[0], starts[1], starts[2], starts[3], count)
    }
}
