import ParleyTestSupport
import Testing

@testable import ParleyCore

/// What a turn has produced is kept once and given out again from any number on, in any joins.
@Suite struct TurnLogTests {
    /// An event as the tests compare it.
    private struct Seen: Equatable, CustomStringConvertible {
        var first: Int
        var last: Int
        var what: String

        init(_ first: Int, _ last: Int, _ what: String) {
            (self.first, self.last, self.what) = (first, last, what)
        }

        init(_ event: (body: TurnEvent.Body, first: Int, last: Int)) {
            let what =
                switch event.body {
                case .messageDelta(let id, let text): "\(id): \(text)"
                case .reasoningDelta(let id, let text): "\(id) thinks: \(text)"
                case .approvalResolved(let id, _): "approval \(id)"
                case .completed: "completed"
                default: "?"
                }
            self.init(event.first, event.last, what)
        }

        var description: String { "\(first)-\(last) \(what)" }
    }

    private static func text(_ text: String) -> AnswerPiece { AnswerPiece(kind: .text, text: text) }
    private static func thought(_ text: String) -> AnswerPiece { AnswerPiece(kind: .reasoning, text: text) }

    /// Two thoughts and three words of a message, an event, and two words of another message.
    private static func sample() -> TurnLog {
        var log = TurnLog()
        for piece in [thought("Hm"), thought("."), text("Gr"), text("üß"), text("e 🙂")] { _ = log.append(piece, to: "a") }
        _ = log.append(.approvalResolved(toolCallID: "1", .allowOnce))
        for piece in [text("B"), text("ye")] { _ = log.append(piece, to: "b") }
        return log
    }

    private static func read(_ log: TurnLog, after start: Int, joining bytes: Int) -> [Seen] {
        var seen: [Seen] = []
        var sequence = start
        while let event = log.event(after: sequence, joining: bytes) {
            seen.append(Seen(event))
            sequence = event.last
        }
        return seen
    }

    @Test func eventsComeOneByOne() {
        #expect(
            Self.read(Self.sample(), after: 0, joining: 0) == [
                Seen(1, 1, "a thinks: Hm"), Seen(2, 2, "a thinks: ."), Seen(3, 3, "a: Gr"), Seen(4, 4, "a: üß"), Seen(5, 5, "a: e 🙂"),
                Seen(6, 6, "approval 1"), Seen(7, 7, "b: B"), Seen(8, 8, "b: ye"),
            ])
    }

    @Test(arguments: [
        (0, 100, [Seen(1, 2, "a thinks: Hm."), Seen(3, 5, "a: Grüße 🙂"), Seen(6, 6, "approval 1"), Seen(7, 8, "b: Bye")]),
        (0, 6, [Seen(1, 2, "a thinks: Hm."), Seen(3, 4, "a: Grüß"), Seen(5, 5, "a: e 🙂"), Seen(6, 6, "approval 1"), Seen(7, 8, "b: Bye")]),
        (3, 100, [Seen(4, 5, "a: üße 🙂"), Seen(6, 6, "approval 1"), Seen(7, 8, "b: Bye")]),
        (6, 2, [Seen(7, 7, "b: B"), Seen(8, 8, "b: ye")]), (7, 100, [Seen(8, 8, "b: ye")]), (8, 100, []), (9, 100, []),
    ])
    private func deltasAreJoined(start: Int, bytes: Int, expected: [Seen]) {
        #expect(Self.read(Self.sample(), after: start, joining: bytes) == expected)
    }

    @Test func messagesKeepTheirParts() {
        var log = Self.sample()
        #expect(log.parts(of: "a") == [.reasoning("Hm."), .text("Grüße 🙂")])
        #expect(log.parts(of: "b") == [.text("Bye")] && log.parts(of: "c") == [])
        // What comes between is an event of the turn, and no end of the part.
        _ = log.append(.approvalResolved(toolCallID: "2", .allowOnce))
        #expect(log.append(Self.text("!"), to: "b") == 10 && log.sequence == 10)
        #expect(log.parts(of: "b") == [.text("Bye!")])
        #expect(Self.read(log, after: 7, joining: 100) == [Seen(8, 8, "b: ye"), Seen(9, 9, "approval 2"), Seen(10, 10, "b: !")])
    }

    @Test func theEndIsKnown() {
        var log = TurnLog()
        #expect(!log.isComplete && log.sequence == 0 && log.event(after: 0, joining: 9) == nil)
        let turn = Turn(id: "t", conversationID: "c", status: .completed, userMessageID: "u", createdAt: Timestamp(milliseconds: 1))
        #expect(log.append(.completed(TurnResult(turn: turn, message: nil))) == 1 && log.isComplete)
        #expect(Self.read(log, after: 0, joining: 9) == [Seen(1, 1, "completed")])
    }

    /// Whoever reads from anywhere, in joins of any size and at any time, has in the end what was said.
    @Test(arguments: 0..<50 as Range<UInt64>)
    func readersOfAnySpeedHaveTheSame(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        let words = ["a", "é", "e", "\u{301}", "🙂", "👩‍👩", "\u{200D}", "👧", "\r", "\n", "漢字", "  ", String(repeating: "x", count: 300)]
        var log = TurnLog()
        var expected: [Seen] = []
        /// Everybody's place, and what it has read since its start, delta by delta undone.
        var readers: [(start: Int, place: Int, read: [Seen])] = []
        for number in 1...Int.random(in: 1...300, using: &chance) {
            let what: String
            if Int.random(in: 0..<12, using: &chance) == 0 {
                _ = log.append(.approvalResolved(toolCallID: "\(number)", .allowOnce))
                what = "approval \(number)"
            } else {
                let word = words.randomElement(using: &chance) ?? ""
                let message = "m\(number / 40)"
                let piece = number / 7 % 3 == 0 ? Self.thought(word) : Self.text(word)
                #expect(log.append(piece, to: message) == number, "seed \(seed)")
                what = piece.kind == .text ? "\(message): \(word)" : "\(message) thinks: \(word)"
            }
            expected.append(Seen(number, number, what))
            if Int.random(in: 0..<10, using: &chance) == 0 {
                let start = Int.random(in: 0...number, using: &chance)
                readers.append((start, start, []))
            }
            for index in readers.indices where Bool.random(using: &chance) {
                while let event = log.event(after: readers[index].place, joining: Int.random(in: 0...700, using: &chance)) {
                    readers[index].read.append(Seen(event))
                    readers[index].place = event.last
                }
            }
        }
        for (start, place, read) in readers {
            var next = start
            for seen in read {
                #expect(seen.first == next + 1, "seed \(seed)")
                next = seen.last
                let ones = expected[(seen.first - 1)..<seen.last].map(\.what)
                let heads = ones.map { $0.prefix { $0 != ":" } }
                #expect(Set(heads).count == 1, "seed \(seed): only deltas of one message and kind are joined")
                let bodies = ones.map { $0.utf8.dropFirst(heads[0].utf8.count + 2) }
                let joined: [UInt8] = ones.count == 1 ? Array(ones[0].utf8) : Array("\(heads[0]): ".utf8) + bodies.joined()
                #expect(Array(seen.what.utf8) == joined, "seed \(seed)")
            }
            #expect(next == place, "seed \(seed)")
        }
        for message in Set(expected.compactMap { $0.what.split(separator: ":").first?.split(separator: " ").first })
        where message.hasPrefix("m") {
            var said: [UInt8] = []
            for what in expected.map(\.what) where what.hasPrefix("\(message):") || what.hasPrefix("\(message) thinks:") {
                said += what.utf8.drop { $0 != UInt8(ascii: ":") }.dropFirst(2)
            }
            var kept: [UInt8] = []
            for part in log.parts(of: String(message)) {
                switch part {
                case .text(let text), .reasoning(let text): kept += text.utf8
                case .toolCall, .toolResult: Issue.record("seed \(seed)")
                }
            }
            #expect(kept == said, "seed \(seed)")
        }
    }
}
