import GRDB
import ParleyCore

/// What is known of counters beside the database: what windows held when they were summed last, and what was counted and is not written yet.
///
/// To make a sum anew takes 127 rows of each width, which is more than all else of a turn; most often a window has slid by a few milliseconds
/// since. To write what is counted takes a row of each width; those who are committed together have most of these rows in common, and so they are
/// written once for all, at the end of the transaction or before whatever else looks at a counter's rows.
///
/// It belongs to the connection that writes, and holds what its transactions see: from one to the next it is kept only if that one was
/// committed, and no other connection has written since. All that changes counters tells it.
final class CounterMemory: Sendable {
    /// A sum of all that was taken from a moment on.
    struct Sum {
        var edge: Int64
        var count: Int
    }

    /// How much was done on the connection until some moment.
    struct Trace: Equatable {
        fileprivate var added: Int
        fileprivate var changes: Int
    }

    /// What is known of a counter.
    fileprivate struct Entry {
        var sum: Sum?
        /// What was counted and is not written, with its moment.
        var additions: [(moment: Int64, count: Int)] = []
    }

    fileprivate struct State {
        var entries: [Counter: Entry] = [:]
        /// Whose additions are not written, and the earliest moment among them.
        var unwritten: [Counter] = []
        var earliest = Int64.max
        /// How many additions there ever were, and how many rows were changed to write them.
        var added = 0
        var changes = 0
        /// What SQLite calls the state in which others have left the database.
        var version: Int64?
        var isInDoubt = false
    }

    /// By how many milliseconds a window may have slid: as many rows at most are taken off.
    static let reach: Int64 = 128
    /// From how many counters on their sums are forgotten. What is not written is never forgotten, and gone with the commit.
    private static let maximumCount = 4_096

    private let state = Locked(State())

    /// Says that a transaction has begun, in which nothing else writes.
    func begin(_ db: Database) throws {
        let version: Int64? = try db.first("PRAGMA data_version") { $0[0] }
        state.withLock { state in
            if state.isInDoubt || state.version != version { state.forget() }
            state.version = version
            state.isInDoubt = true
        }
    }

    /// Says that the transaction was committed, with all additions written.
    func commit() {
        state.withLock { $0.isInDoubt = false }
    }

    /// Forgets all, because something was undone, or nobody knows what was done.
    func forget() {
        state.withLock { $0.forget() }
    }

    // MARK: Sums

    /// The last sum of a counter, if it is remembered and reaches to a moment.
    func sum(of counter: Counter, near moment: Int64) -> Sum? {
        state.withLock { state in
            guard let sum = state.entries[counter]?.sum, sum.edge <= moment, moment - sum.edge <= Self.reach else { return nil }
            return sum
        }
    }

    /// Remembers a sum.
    func keep(_ sum: Sum, of counter: Counter) {
        state.withLock { state in
            if state.entries.count >= Self.maximumCount { state.forgetSums() }
            state.entries[counter, default: Entry()].sum = sum
        }
    }

    /// Forgets all sums, because rows were changed without a word.
    func forgetSums() {
        state.withLock { $0.forgetSums() }
    }

    /// Says that something that was taken at a moment was given back.
    func subtract(_ count: Int, from counter: Counter, at moment: Int64) {
        state.withLock { $0.entries[counter]?.change(by: -count, at: moment) }
    }

    // MARK: Additions

    /// Tells whether somebody has changed anything meanwhile: is another one then. Additions count when they are made, not when they are written.
    func trace(in db: Database) -> Trace {
        state.withLock { Trace(added: $0.added, changes: db.totalChangesCount - $0.changes) }
    }

    /// Takes one more that was taken at a moment, to be written.
    func add(_ counter: Counter, at moment: Int64) {
        state.withLock { state in
            state.added += 1
            state.entries[counter]?.change(by: 1, at: moment)
            state.add(1, to: counter, at: moment)
        }
    }

    /// Whether something is not written that was taken within some time.
    func isUnwritten(_ counter: Counter, in range: Range<Int64>) -> Bool {
        state.withLock { state in
            range.upperBound > state.earliest
                && state.entries[counter]?.additions.contains { range.contains($0.moment) } == true
        }
    }

    /// Writes what is not written.
    ///
    /// - Throws: what SQLite throws; then that, and what was to be written after it, is still not written.
    func writeAdditions(to db: some StatementSource) throws {
        var additions = state.withLock { $0.takeAdditions() }
        guard !additions.isEmpty else { return }
        let before = db.database.totalChangesCount
        defer {
            state.withLock { state in
                state.changes += db.database.totalChangesCount - before
                for (counter, addition) in additions { state.add(addition.count, to: counter, at: addition.moment) }
            }
        }
        while let (counter, addition) = additions.last {
            try db.add(addition.count, to: counter, at: addition.moment)
            additions.removeLast()
        }
    }
}

extension CounterMemory.Entry {
    fileprivate mutating func change(by difference: Int, at moment: Int64) {
        if let edge = sum?.edge, edge <= moment { sum?.count += difference }
    }

    fileprivate mutating func add(_ count: Int, at moment: Int64) {
        if let last = additions.indices.last, additions[last].moment == moment {
            additions[last].count += count
        } else {
            additions.append((moment, count))
        }
    }
}

extension CounterMemory.State {
    fileprivate mutating func forget() {
        entries = [:]
        unwritten = []
        earliest = .max
    }

    fileprivate mutating func forgetSums() {
        entries = entries.filter { !$0.value.additions.isEmpty }.mapValues { CounterMemory.Entry(additions: $0.additions) }
    }

    /// Takes note of what is to be written; the sum knows of it.
    fileprivate mutating func add(_ count: Int, to counter: Counter, at moment: Int64) {
        earliest = min(earliest, moment)
        if entries[counter]?.additions.isEmpty != false { unwritten.append(counter) }
        entries[counter, default: CounterMemory.Entry()].add(count, at: moment)
    }

    fileprivate mutating func takeAdditions() -> [(Counter, (moment: Int64, count: Int))] {
        var taken: [(Counter, (moment: Int64, count: Int))] = []
        for counter in unwritten {
            guard let entry = entries[counter] else { continue }
            for addition in entry.additions { taken.append((counter, addition)) }
            entries[counter] = entry.sum.map { CounterMemory.Entry(sum: $0) }
        }
        unwritten = []
        earliest = .max
        return taken
    }
}
