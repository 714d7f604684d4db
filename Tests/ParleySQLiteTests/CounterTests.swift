import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleySQLite

/// Counters count what a list counts, from any moment on, at a cost that does not grow with it.
@Suite struct CounterTests {
    private static let counter = Counter(name: "system.turns", subject: "")

    @Test func rangesFollowOneAnother() {
        for start in [0, 1, 127, 128, 129, 16_383, 16_384, 2_097_151, 2_097_152, 1_767_225_600_123, -1, -129] as [Int64] {
            let ranges = CounterWidths.ranges(from: start)
            #expect(ranges.first?.range.lowerBound == start && ranges.last?.range.upperBound == .max)
            for ((_, range), next) in zip(ranges, ranges.dropFirst()) {
                #expect(range.upperBound == next.range.lowerBound)
                #expect(next.range.lowerBound % next.width == 0, "\(next) begins within a row")
                #expect(range.upperBound - range.lowerBound < next.width, "more than a row of the next width")
            }
        }
    }

    @Test(arguments: 1...3 as ClosedRange<UInt64>) func countsAreThoseOfAList(seed: UInt64) async throws {
        let store = try SQLiteStore.open(.test(.memory))
        var chance = SeededGenerator(seed: seed)
        // Moments that gather round the boundaries of rows, and others far apart.
        var now: Int64 = 1_767_225_600_000
        var moments: [Int64] = []
        for _ in 0..<400 {
            switch Int.random(in: 0..<6, using: &chance) {
            case 0: now += Int64.random(in: 0...3, using: &chance)
            case 1: now = (now / 128 + 1) * 128 + Int64.random(in: -1...1, using: &chance)
            case 2: now = (now / 16_384 + 1) * 16_384 + Int64.random(in: -1...1, using: &chance)
            case 3: now = (now / 2_097_152 + 1) * 2_097_152 + Int64.random(in: -1...1, using: &chance)
            default: now += Int64.random(in: 0...200_000, using: &chance)
            }
            moments.append(now)
        }
        let removed = Set((0..<60).map { _ in Int.random(in: 0..<moments.count, using: &chance) })
        let kept = moments.indices.filter { !removed.contains($0) }.map { moments[$0] }.sorted()
        let edges = (0..<300).map { _ in
            (kept.randomElement(using: &chance) ?? 0) + Int64.random(in: -2...2, using: &chance)
        }
        let ranks = (0..<300).map { _ in Int.random(in: 1...kept.count, using: &chance) }
        try await store.write { [moments] transaction in
            for moment in moments { try transaction.add(Self.counter, at: moment) }
            for index in removed { try transaction.remove(Self.counter, at: moments[index]) }
            #expect(try transaction.lastMoment(Self.counter) == kept.last)
            for (edge, rank) in zip(edges, ranks) {
                let inside = kept.filter { $0 >= edge }
                #expect(try transaction.count(Self.counter, from: edge) == inside.count)
                let expected = rank <= inside.count ? inside[rank - 1] : nil
                #expect(try transaction.moment(Self.counter, ofOldest: rank, from: edge) == expected)
            }
            #expect(try transaction.count(Counter(name: "system.turns", subject: "1"), from: 0) == 0)
        }
        try await store.close()
    }

    private struct Undone: Error {}

    private enum Change {
        case addition(Counter, Int64)
        case removal(Counter, Int64)
        case clearing(Counter)
    }

    /// What jobs have changed, in their order.
    private struct Changes {
        var jobs: [(job: Int, changes: [Change])] = []

        /// Takes note that a job begins. One that was done before was undone, with all that came after it.
        mutating func begin(_ job: Int) {
            if let place = jobs.firstIndex(where: { $0.job == job }) { jobs.removeSubrange(place...) }
            jobs.append((job, []))
        }

        /// Takes note of what the job has changed that is being done.
        mutating func end(_ changes: [Change]) {
            jobs[jobs.count - 1].changes = changes
        }

        /// What a list says that is changed in the same way.
        func moments(of counter: Counter) -> [Int64] {
            var moments: [Int64] = []
            for change in jobs.flatMap(\.changes) {
                switch change {
                case .addition(counter, let moment): moments.append(moment)
                case .removal(counter, let moment): if let place = moments.firstIndex(of: moment) { moments.remove(at: place) }
                case .clearing(counter): moments = []
                default: break
                }
            }
            return moments
        }
    }

    /// Whatever is undone, and whoever else writes, what is remembered is what a list says, and so is what was written.
    @Test(arguments: 1...12 as ClosedRange<UInt64>) func countersAreRememberedRightly(seed: UInt64) async throws {
        let database = try TemporaryDatabase()
        let stores = [try SQLiteStore.open(.test(.file(path: database.path))), try SQLiteStore.open(.test(.file(path: database.path)))]
        let counters = [Self.counter, Counter(name: "user.turns", subject: "1")]
        let done = Locked(Changes())
        var chance = SeededGenerator(seed: seed)
        var now: Int64 = 1_767_225_600_000
        var number = 0
        for _ in 0..<60 {
            // Several at once are committed together, unless one of them is undone.
            let jobs = (0..<Int.random(in: 1...6, using: &chance)).map { _ in
                now += Int64.random(in: 0...40, using: &chance)
                number += 1
                return (number: number, now: now, seed: chance.next(), isUndone: Int.random(in: 0..<8, using: &chance) == 0)
            }
            let store = stores[Int.random(in: 0..<2, using: &chance)]
            await withTaskGroup(of: Void.self) { group in
                for job in jobs {
                    group.addTask {
                        do {
                            try await store.write { transaction in
                                done.withLock { $0.begin(job.number) }
                                var chance = SeededGenerator(seed: job.seed)
                                var changes: [Change] = []
                                for _ in 0..<Int.random(in: 1...4, using: &chance) {
                                    let counter = counters[Int.random(in: 0..<2, using: &chance)]
                                    let edge = job.now - 1_000 + Int64.random(in: -2...2, using: &chance)
                                    let moment = job.now - Int64.random(in: 0...1_200, using: &chance)
                                    switch Int.random(in: 0..<20, using: &chance) {
                                    case 0:
                                        try transaction.clear(counter)
                                        changes.append(.clearing(counter))
                                    case 1..<5:
                                        if let oldest = try transaction.moment(counter, ofOldest: 1, from: moment) {
                                            try transaction.remove(counter, at: oldest)
                                            changes.append(.removal(counter, oldest))
                                        }
                                    case 5..<12:
                                        try transaction.add(counter, at: moment)
                                        changes.append(.addition(counter, moment))
                                    default: break
                                    }
                                    var all = done.withLock { $0 }
                                    all.end(changes)
                                    #expect(try transaction.count(counter, from: edge) == all.moments(of: counter).count { $0 >= edge })
                                }
                                if job.isUndone { throw Undone() }
                                done.withLock { [changes] in $0.end(changes) }
                            }
                            #expect(!job.isUndone)
                        } catch {
                            #expect(job.isUndone, "\(error)")
                        }
                    }
                }
            }
            for counter in counters {
                let moments = done.withLock { $0.moments(of: counter) }
                for (store, edge) in zip(stores, [0, now - 1_000]) {
                    #expect(try await store.read { try $0.count(counter, from: edge) } == moments.count { $0 >= edge })
                }
            }
        }
        for store in stores { try await store.close() }
    }

    @Test func oneMoreCostsTheSameWhateverThereIs() async throws {
        let store = try SQLiteStore.open(.test(.memory))
        let window: Int64 = 18_000_000
        var steps: [Int] = []
        var count = 0
        for target in [1_000, 30_000] {
            // Spread evenly over the window, up to its end.
            try await store.write { [count] transaction in
                for number in count..<target { try transaction.add(Self.counter, at: Int64(number) * window / Int64(target)) }
            }
            count = target
            let taken = try await store.write { transaction in
                let counter = StepCounter()
                counter.install(on: transaction.db.database)
                defer { counter.remove(from: transaction.db.database) }
                _ = try transaction.count(Self.counter, from: 1)
                try transaction.add(Self.counter, at: window)
                try transaction.counters?.writeAdditions(to: transaction.db)
                return counter.steps
            }
            steps.append(taken)
        }
        // Steps of SQLite's machine, which do not depend on the computer. Without counters it would be 30 times as many.
        #expect(steps[1] < steps[0] * 3, "\(steps)")
        try await store.close()
    }
}
