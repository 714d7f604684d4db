import Foundation
import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleySQLite

/// A store on a disk that fails at its every n-th call, once or until it is mended.
///
/// The disk fails below SQLite (``FaultyDisk``) and not by a small file system, which wants privileges and knows but one trouble, nor by
/// `max_page_count`, which fails where a page is asked for, long before anything is written, and never in a read or a sync.
///
/// Whatever fails, a step is done or is refused with `storeFull` or `storeUnavailable`, and one that is refused has changed nothing; once the
/// cause is gone it can be done, and in the end the database holds exactly what it holds when nothing has ever failed.
///
/// Each n takes tens of milliseconds and there are hundreds, so only some are tried, chosen anew for each kind of trouble; with
/// `PARLEY_EVERY_FAULT=1` in the environment all are, which takes minutes.
@Suite(.timeLimit(.minutes(30))) struct FaultInjectionTests {
    /// What a test plays, and what it finds when nothing fails.
    private struct Play {
        let template: [(name: String, content: Data)]
        let steps: [FaultScenario.Step]
        /// What the tables hold before each step, and at last.
        var contents: [[String]] = []
        var results: [String] = []
        /// What they hold when the store was closed and opened again.
        var closed: [String] = []
        /// The calls that a disk may fail.
        var calls: [FaultyDisk.Call] = []
    }

    private static let isExhaustive = ProcessInfo.processInfo.environment["PARLEY_EVERY_FAULT"] == "1"

    /// How many of the n are tried in ordinary runs.
    private static let samples = 10

    private static func database(_ play: Play) throws -> TemporaryDatabase {
        let database = try TemporaryDatabase()
        for file in play.template { try file.content.write(to: database.folder.appending(path: file.name)) }
        return database
    }

    /// Plays once without any trouble.
    private static func rehearse(_ steps: [FaultScenario.Step]) async throws -> Play {
        var play = Play(template: try await FaultScenario.template(), steps: steps)
        let database = try database(play)
        let disk = try FaultyDisk(folder: database.folder.path)
        let scene = FaultScenario(database, try FaultScenario.open(database))
        for step in steps {
            play.contents.append(try await disk.whilePaused { try await scene.content() })
            play.results.append(try await step.run(scene))
        }
        play.contents.append(try await disk.whilePaused { try await scene.content() })
        try await scene.store.close()
        play.calls = disk.calls
        play.closed = try await reopened(database)
        return play
    }

    /// What the tables hold when a store is opened anew; it is closed at once.
    private static func reopened(_ database: TemporaryDatabase) async throws -> [String] {
        let scene = FaultScenario(database, try FaultScenario.open(database))
        let content = try await scene.content()
        try await scene.store.close()
        #expect(SQLiteStore.check(path: database.path) == [])
        return content
    }

    /// Whether an error is the answer to trouble of the disk.
    private static func expectTrouble(_ error: any Error, _ disk: FaultyDisk, _ comment: Comment) {
        #expect(disk.failures > 0, "\(comment): refused for no reason: \(error)")
        switch error {
        case let failure as Failure:
            #expect([.storeFull, .storeUnavailable].contains(failure.code), "\(comment): \(failure)")
        case let failure as StoreOpenFailure:
            #expect(failure.message.hasSuffix(".") && !failure.message.contains("\n"), "\(comment): \(failure)")
        default:
            Issue.record("\(comment): \(error)")
        }
    }

    /// Tries something until it is done; the disk is mended when it was refused twice.
    private static func persist<Value>(
        _ disk: FaultyDisk, _ comment: Comment, refused: () async throws -> Void = {}, _ body: () async throws -> Value
    ) async throws -> Value {
        for attempt in 1... {
            do {
                return try await body()
            } catch {
                expectTrouble(error, disk, comment)
                try await disk.whilePaused { try await refused() }
                guard attempt < 4 else {
                    Issue.record("\(comment): still refused: \(error)")
                    throw error
                }
                if attempt == 2 { disk.heal() }
            }
        }
        preconditionFailure("the loop has no end")
    }

    /// Plays on a disk that fails.
    ///
    /// - Returns: how many calls failed.
    private static func perform(_ play: Play, _ trouble: FaultyDisk.Trouble, at number: Int, isLasting: Bool) async throws -> Int {
        let database = try database(play)
        let disk = try FaultyDisk(folder: database.folder.path)
        let place: Comment = "\(trouble) at \(number)\(isLasting ? " and after" : "")"
        disk.fail(trouble, at: number, isLasting: isLasting)
        let store = try await persist(disk, "\(place), open") { try FaultScenario.open(database) }
        let scene = FaultScenario(database, store)
        for (index, step) in play.steps.enumerated() {
            let comment: Comment = "\(place), \(step.name)"
            let result = try await persist(disk, comment) {
                let content = try await scene.content()
                #expect(content == play.contents[index], comment)
            } _: {
                try await step.run(scene)
            }
            #expect(result == play.results[index], comment)
        }
        let content = try await disk.whilePaused { try await scene.content() }
        #expect(content == play.contents[play.steps.count], place)
        do {
            try await scene.store.close()
        } catch {
            expectTrouble(error, disk, "\(place), close")
        }
        let failures = disk.failures
        disk.heal()
        if failures > 0 { _ = try await reopened(database) }
        #expect(try await reopened(database) == play.closed, place)
        return failures
    }

    @Test(arguments: [FaultyDisk.Trouble.broken, .full, .unsafe], [false, true])
    func everyCallFails(trouble: FaultyDisk.Trouble, isLasting: Bool) async throws {
        for (number, steps) in [FaultScenario.turns, FaultScenario.care].enumerated() {
            let play = try await Self.rehearse(steps)
            let calls = play.calls.count { trouble.concerns($0.operation) }
            var generator = SeededGenerator(seed: UInt64(number))
            let longest = Self.isExhaustive ? 1 : max(1, 2 * calls / Self.samples)
            var call = Int.random(in: 1...longest, using: &generator)
            var runs = 0
            var failures = 0
            // Beyond the last call that the trouble concerns there is nothing to fail.
            repeat {
                failures = try await Self.perform(play, trouble, at: call, isLasting: isLasting)
                runs += 1
                call += Int.random(in: 1...longest, using: &generator)
            } while failures > 0
            #expect(runs > (Self.isExhaustive ? calls - 10 : 3))
        }
    }
}
