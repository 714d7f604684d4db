import Testing

@testable import ParleyTerminal

/// Keys as a terminal sends them, and what becomes of a message.
struct EditorTests {
    /// What an editor holds, with the cursor as `|`, after the bytes of a terminal; submitted messages stand before it, each on a line.
    private static func typed(_ bytes: [UInt8], pieces: Int = .max) -> String {
        var decoder = KeyDecoder()
        var editor = LineEditor()
        var output = ""
        var rest = bytes[...]
        while !rest.isEmpty {
            for key in decoder.add(Array(rest.prefix(pieces))) {
                switch editor.take(key) {
                case .submit(let message): output += "\(message)⏎"
                case .edited: break
                case let other: output += "<\(other)>"
                }
            }
            rest = rest.dropFirst(pieces)
        }
        return output + editor.before + "|" + editor.after
    }

    private static let left = "\u{1B}[D"
    private static let up = "\u{1B}[A"
    private static let down = "\u{1B}OB"

    @Test(
        arguments: [
            ("hello", "hello|"),
            ("hello\r", "hello⏎|"),
            ("hello\n", "hello⏎|"),
            ("日本👨‍👩‍👧é\u{7F}\u{7F}", "日本|"),
            ("e\u{301}\(left)x", "x|e\u{301}"),
            ("ab\(left)\(left)\(left)c", "c|ab"),
            ("ab\u{01}c\u{05}d", "cabd|"),
            ("one two  three\u{17}", "one two  |"),
            ("one two\u{1B}b\u{0B}", "one |"),
            ("one two\u{1B}b\u{15}", "|two"),
            ("one two\u{15}\u{19}\u{19}", "one twoone two|"),
            ("one two\u{01}\u{1B}d\u{1B}[1;5C", " two|"),
            ("ab\(left)\u{04}", "a|"),
            ("ab\(left)\u{1B}[3~\u{1B}[H\u{1B}[Fc", "ac|"),
            ("\u{04}", "<leave>|"),
            ("a\u{03}", "<interrupt>a|"),
            ("/h\t", "<complete>/h|"),
            ("\u{1A}\u{0C}", "<suspend><clearScreen>|"),
            // More than one line.
            ("a\u{1B}\rb", "a\nb|"),
            ("a\\\rb\r", "a\nb⏎|"),
            ("a\u{1B}[13;2ub\u{1B}[27;2;13~c", "a\nb\nc|"),
            ("abc\u{1B}\rde\(up)x", "abx|c\nde"),
            ("a\u{1B}\rdef\(up)\(down)x", "a\ndx|ef"),
            ("a\u{1B}\rb\u{15}\u{15}", "a|"),
            // A paste is one text, whatever is in it.
            ("a\u{1B}[200~b\rc\nd\t\u{1B}[A\u{03}\u{1B}[201~e", "ab\nc\nd\t[Ae|"),
            // The messages before.
            ("one\rtwo\rdraft\(up)\(up)\(up)", "one⏎two⏎one|"),
            ("one\rtwo\rdraft\(up)\(up)\(down)\(down)\(down)", "one⏎two⏎draft|"),
            ("one\rone\r\(up)\(up)", "one⏎one⏎one|"),
            ("one\r\(up)!\r\(up)", "one⏎one!⏎one!|"),
            // What means nothing does nothing.
            ("a\u{1B}[99;5~\u{1B}[<0;1;2M\u{1B}x\u{1B}\u{1B}[Bb\u{02}\u{1D}", "a|b"),
            ("a\u{1B}[\u{07}b", "ab|"),
        ] as [(String, String)])
    func keys(bytes: String, result: String) {
        for pieces in [Int.max, 1, 2, 3] {
            #expect(Self.typed(Array(bytes.utf8), pieces: pieces) == result, "\(pieces) bytes at a time")
        }
    }

    @Test func bytesThatAreNoText() {
        #expect(Self.typed([0x61, 0xFF, 0x62]) == "a\u{FFFD}b|")
        #expect(Self.typed([0x61, 0xC3, 0x28, 0x0D]) == "a\u{FFFD}(⏎|")
        #expect(Self.typed([0xE6, 0x97]) == "|")
        #expect(Self.typed([0xC2, 0x9B, 0x41]) == "A|")
    }
}
