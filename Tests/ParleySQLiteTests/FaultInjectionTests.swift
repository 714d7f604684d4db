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
/// cause is gone it can be done, and in the end the database holds exactly what it holds when nothing has ever failed. A host that is killed
/// instead leaves a database with all that was answered, and of the step that was not either everything or nothing.
///
/// Each n takes tens of milliseconds and there are thousands, so only some are tried, spread over all; with `PARLEY_EVERY_FAULT=1` in the
/// environment all are, which takes a quarter of an hour.
@Suite(.timeLimit(.minutes(30))) struct FaultInjectionTests {
    /// What a test plays, and what it finds when nothing fails.
    private struct Play {
        let files: FaultScenario.Files
        let steps: [FaultScenario.Step]
        /// What the tables hold before each step, and at last.
        var contents: [[String]] = []
        var results: [String] = []
        /// What is found at those moments by who opens the database after the host was killed.
        var recovered: [[String]] = []
        /// What they hold when the store was closed and opened again.
        var closed: [String] = []
        /// The files that there are then.
        var names: [String] = []
        /// The calls that a disk may fail.
        var calls: [FaultyDisk.Call] = []
    }

    private static let isExhaustive = ProcessInfo.processInfo.environment["PARLEY_EVERY_FAULT"] == "1"

    /// How many of the n are tried in ordinary runs.
    private static let samples = 5

    private static func database(_ play: Play) throws -> TemporaryDatabase {
        let database = try TemporaryDatabase()
        for file in play.files { try file.content.write(to: database.folder.appending(path: file.name)) }
        return database
    }

    /// Plays once without any trouble.
    private static func rehearse(_ steps: [FaultScenario.Step], on files: FaultScenario.Files) async throws -> Play {
        var play = Play(files: files, steps: steps)
        let database = try database(play)
        let disk = try FaultyDisk(folder: database.folder.path)
        let scene = FaultScenario(database, try FaultScenario.open(database))
        func look() async throws {
            try await disk.whilePaused {
                play.contents.append(try await scene.content())
                play.recovered.append(try await recovered(database))
            }
        }
        for step in steps {
            try await look()
            play.results.append(try await step.run(scene))
        }
        try await look()
        try await scene.store.close()
        play.calls = disk.calls
        play.closed = try await reopened(database)
        play.names = try database.files
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

    /// What the tables hold when a store is opened on what a host leaves that is killed now.
    private static func recovered(_ database: TemporaryDatabase) async throws -> [String] {
        let left = try TemporaryDatabase()
        // What is shared beside the database does not outlive its hosts.
        for name in try database.files where !name.hasSuffix("-shm") && !name.hasSuffix("-hosts") {
            try FileManager.default.copyItem(at: database.folder.appending(path: name), to: left.folder.appending(path: name))
        }
        return try await reopened(left)
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
        let store = try await persist(disk, "\(place), open") {
            if isLasting {
                let recovered = try await recovered(database)
                #expect(recovered == play.recovered[0], "\(place), killed while it opens")
            }
        } _: {
            try FaultScenario.open(database)
        }
        let scene = FaultScenario(database, store)
        for (index, step) in play.steps.enumerated() {
            let comment: Comment = "\(place), \(step.name)"
            let result = try await persist(disk, comment) {
                let content = try await scene.content()
                #expect(content == play.contents[index], comment)
                guard isLasting else { return }
                // Who is killed before it can answer may have done what was asked, wholly.
                let recovered = try await recovered(database)
                #expect(play.recovered[index...index + 1].contains(recovered), "\(comment), killed")
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
        #expect(try database.files == play.names, place)
        return failures
    }

    @Test(arguments: [FaultyDisk.Trouble.broken, .full, .unsafe], [false, true])
    func everyCallFails(trouble: FaultyDisk.Trouble, isLasting: Bool) async throws {
        let killed = try await FaultScenario.filesOfKilledHost()
        let plays = [
            (files: killed, steps: FaultScenario.turns), (killed, FaultScenario.care), ([], FaultScenario.first),
            (try FaultScenario.olderFiles(), FaultScenario.first),
        ]
        for (number, (files, steps)) in plays.enumerated() {
            let play = try await Self.rehearse(steps, on: files)
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
            #expect(runs > (Self.isExhaustive ? calls - 10 : 2))
        }
    }
}
