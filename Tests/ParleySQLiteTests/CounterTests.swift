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

    /// Whatever is undone, and whoever else writes, a sum that is remembered is the one that would be made anew.
    @Test(arguments: 1...12 as ClosedRange<UInt64>) func sumsAreRememberedRightly(seed: UInt64) async throws {
        let database = try TemporaryDatabase()
        let stores = [try SQLiteStore.open(.test(.file(path: database.path))), try SQLiteStore.open(.test(.file(path: database.path)))]
        let counters = [Self.counter, Counter(name: "user.turns", subject: "1")]
        var chance = SeededGenerator(seed: seed)
        var now: Int64 = 1_767_225_600_000
        for _ in 0..<60 {
            // Several at once are committed together, unless one of them is undone.
            let jobs = (0..<Int.random(in: 1...6, using: &chance)).map { _ in
                now += Int64.random(in: 0...40, using: &chance)
                let isUndone = Int.random(in: 0..<8, using: &chance) == 0
                return (now: now, seed: chance.next(), isUndone: isUndone)
            }
            let store = stores[Int.random(in: 0..<2, using: &chance)]
            await withTaskGroup(of: Void.self) { group in
                for job in jobs {
                    group.addTask {
                        do {
                            try await store.write { transaction in
                                var chance = SeededGenerator(seed: job.seed)
                                let anew = StoreTransaction(db: transaction.db.database, surroundings: transaction.surroundings)
                                for _ in 0..<Int.random(in: 1...4, using: &chance) {
                                    let counter = counters[Int.random(in: 0..<2, using: &chance)]
                                    let edge = job.now - 1_000 + Int64.random(in: -2...2, using: &chance)
                                    let moment = job.now - Int64.random(in: 0...1_200, using: &chance)
                                    switch Int.random(in: 0..<20, using: &chance) {
                                    case 0: try transaction.clear(counter)
                                    case 1..<5:
                                        if let oldest = try transaction.moment(counter, ofOldest: 1, from: moment) {
                                            try transaction.remove(counter, at: oldest)
                                        }
                                    case 5..<12: try transaction.add(counter, at: moment)
                                    default: break
                                    }
                                    let remembered = try transaction.count(counter, from: edge)
                                    // What is left unwritten is compared after the commit.
                                    guard Bool.random(using: &chance) else { continue }
                                    try transaction.counters?.writeAdditions(to: transaction.db)
                                    #expect(try remembered == anew.count(counter, from: edge))
                                }
                                if job.isUndone { throw Undone() }
                            }
                            #expect(!job.isUndone)
                        } catch {
                            #expect(job.isUndone, "\(error)")
                        }
                    }
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
                return counter.steps
            }
            steps.append(taken)
        }
        // Steps of SQLite's machine, which do not depend on the computer. Without counters it would be 30 times as many.
        #expect(steps[1] < steps[0] * 3, "\(steps)")
        try await store.close()
    }
}
