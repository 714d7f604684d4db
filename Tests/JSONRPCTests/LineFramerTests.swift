import Testing

@testable import JSONRPC

@Suite(.timeLimit(.minutes(5)))
struct LineFramerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let input: String
        let lines: [String]

        init(_ input: String, _ lines: [String]) {
            self.input = input
            self.lines = lines
        }

        var testDescription: String { input.debugDescription }
    }

    /// The limit is ten bytes; `!` stands for a line that is too long.
    static let cases = [
        Case("", []),
        Case("a\nb\n", ["a", "b"]),
        Case("a\r\nb\r\n", ["a", "b"]),
        Case("a\r\r\n", ["a\r"]),
        Case("a\rb\n", ["a\rb"]),
        Case("\n\r\n \t\n\n", []),
        Case("a\n\n\r\n \nb\n", ["a", "b"]),
        Case("a\u{2028}\u{2029}b\n", ["a\u{2028}\u{2029}b"]),
        Case("\u{85}\u{B}\u{C}\n", ["\u{85}\u{B}\u{C}"]),
        Case("a\nb", ["a", "b"]),
        Case("b", ["b"]),
        Case("b\r", ["b"]),
        Case("a\n  ", ["a"]),
        Case("1234567890\nb\n", ["1234567890", "b"]),
        Case("1234567890\r\nb\n", ["1234567890", "b"]),
        Case("12345678901\nb\n", ["!", "b"]),
        Case("12345678901\r\nb\n", ["!", "b"]),
        Case("1234567890\r\r\nb\n", ["!", "b"]),
        Case("a\n123456789012345678901234567890\nb\n12345678901234567890\nc\n", ["a", "!", "b", "!", "c"]),
        Case("1234567890", ["1234567890"]),
        Case("1234567890\r", ["1234567890"]),
        Case("12345678901", ["!"]),
        Case("12345678901234567890", ["!"]),
        Case("a\n12345678901234567890", ["a", "!"]),
        Case("a\n           \nb\n", ["a", "!", "b"]),
    ]

    @Test(arguments: cases, [1, 2, 3, 7, 11, 12, 1000])
    func cutsLines(_ test: Case, bytesPerRead: Int) {
        #expect(Self.lines(of: Array(test.input.utf8), bytesPerRead: bytesPerRead, limit: 10) == test.lines)
    }

    private static func lines(of input: [UInt8], bytesPerRead: Int, limit: Int) -> [String] {
        var framer = LineFramer(maxLineBytes: limit)
        var found: [String] = []
        var rest = input[...]
        while let lines = framer.lines(read: { fill($0, from: &rest, atMost: bytesPerRead) }) { found += texts(lines) }
        return found + texts(framer.rest())
    }

    private static func fill(_ room: UnsafeMutableRawBufferPointer, from rest: inout ArraySlice<UInt8>, atMost size: Int) -> Int {
        let part = rest.prefix(min(size, room.count))
        room.copyBytes(from: part)
        rest = rest.dropFirst(part.count)
        return part.count
    }

    private static func texts(_ framed: FramedLines) -> [String] {
        var lines = framed
        var texts: [String] = []
        while let line = lines.next() {
            switch line {
            case .complete(let range): texts.append(String(decoding: lines.bytes[range], as: UTF8.self))
            case .tooLong: texts.append("!")
            }
        }
        return texts
    }

    @Test func holdsNoMoreThanTheLongestLineAndOneRead() {
        let limit = 8 * 1024 * 1024
        var framer = LineFramer(maxLineBytes: limit)
        let resting = framer.heldBytes
        var most = 0
        var found: [String] = []
        for length in [20_000_000, 3, limit - 1, 5] {
            var left = length + 1
            while left > 0 {
                let lines = framer.lines { room in
                    let count = min(room.count, left)
                    _ = room[..<count].initializeMemory(as: UInt8.self, repeating: UInt8(ascii: "x"))
                    left -= count
                    if left == 0 { room[count - 1] = 0x0A }
                    return count
                }
                most = max(most, framer.heldBytes)
                found += lines.map { Self.texts($0).map { $0 == "!" ? "!" : "\($0.utf8.count)" } } ?? []
            }
            #expect(framer.heldBytes == resting, "the memory of a long line is given back")
        }
        #expect(found == ["!", "3", "\(limit - 1)", "5"])
        #expect(most <= limit + LineFramer.readBytes)
    }

    @Test func passesAMillionBlankLines() {
        let input = [UInt8](repeating: 0x0A, count: 1_000_000) + Array("a\n".utf8)
        #expect(Self.lines(of: input, bytesPerRead: .max, limit: 100) == ["a"])
    }
}
