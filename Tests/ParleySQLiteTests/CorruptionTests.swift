import Foundation
import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleySQLite

/// Databases with bytes that are not as they were written: each is found sound, where nobody uses the bytes, or has its problems told; none
/// ends the program or keeps it busy for ever.
@Suite(.timeLimit(.minutes(5))) struct CorruptionTests {
    /// A database that holds some of everything, as bytes.
    private func soundContent() async throws -> [UInt8] {
        let database = try TemporaryDatabase()
        let store = try database.open(quotas: .standard)
        try await store.makeBot("b", name: "Bot", for: .ann)
        for number in 0..<20 {
            try await store.makeConversation("c\(number)", title: "Number \(number)", botID: "b", for: .ann)
            try await store.exchange("t\(number)", in: "c\(number)", text: String(repeating: "?", count: number * 300), for: .ann)
        }
        try await store.createAnonymousUser(.numbered(1))
        try await store.admit("running", in: "c1", for: .ann)
        try await store.deleteConversation("c7", at: Timestamp(milliseconds: 5_000), for: .ann)
        try await store.close()
        #expect(SQLiteStore.check(path: database.path) == [])
        return Array(try database.content)
    }

    /// Checks bytes as a database, and opens them as a host would.
    ///
    /// - Returns: whether problems were found.
    private func problemsAreFound(in content: [UInt8], _ comment: Comment) async throws -> Bool {
        let database = try TemporaryDatabase()
        try Data(content).write(to: URL(fileURLWithPath: database.path))
        let problems = SQLiteStore.check(path: database.path)
        for problem in problems { #expect(problem.hasSuffix(".") && !problem.contains("\n") && problem.count < 1_000, comment) }
        do throws(StoreOpenFailure) {
            let store = try database.open(quotas: .standard)
            // Damage is met on the way; what matters is that it is an answer.
            await expectSentence(comment) { () async throws(Failure) in
                _ = try await store.messages(inConversation: "c1", page: PageRequest(), for: .ann)
                try await store.exchange("new", in: "c1", for: .ann)
            }
            await expectSentence(comment) { () async throws(Failure) in try await store.close() }
        } catch {
            #expect(error.message.hasSuffix("."), comment)
        }
        return !problems.isEmpty
    }

    /// Does something; if that fails, the failure must be a sentence.
    private func expectSentence(_ comment: Comment, _ body: () async throws(Failure) -> Void) async {
        do throws(Failure) {
            try await body()
        } catch {
            #expect(error.message.hasSuffix("."), comment)
        }
    }

    @Test(arguments: 0..<8) func flippedBytes(part: Int) async throws {
        let content = try await soundContent()
        var found = 0
        for seed in 0..<40 {
            var generator = SeededGenerator(seed: UInt64(part * 40 + seed))
            var damaged = content
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                damaged[Int.random(in: damaged.indices, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
            }
            if try await problemsAreFound(in: damaged, "seed \(part * 40 + seed)") { found += 1 }
        }
        #expect(found > 10, "only \(found) of 40 were found")
    }

    @Test func wholePagesThatAreZeroOrAnothers() async throws {
        let content = try await soundContent()
        let pages = content.count / 4_096
        for page in 0..<pages {
            var damaged = content
            let range = page * 4_096..<(page + 1) * 4_096
            damaged.replaceSubrange(range, with: Array(repeating: 0, count: 4_096))
            #expect(try await problemsAreFound(in: damaged, "zeros in page \(page)"))
            damaged.replaceSubrange(range, with: content[(pages - 1 - page) * 4_096..<(pages - page) * 4_096])
            _ = try await problemsAreFound(in: damaged, "another page \(page)")
        }
    }

    @Test func lostEnds() async throws {
        let content = try await soundContent()
        for pages in 1..<content.count / 4_096 {
            #expect(try await problemsAreFound(in: Array(content[..<(pages * 4_096)]), "\(pages) pages"))
        }
        #expect(try await problemsAreFound(in: Array(content[..<50]), "50 bytes"))
    }
}
