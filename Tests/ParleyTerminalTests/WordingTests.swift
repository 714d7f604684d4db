import ParleyClient
import Testing

@testable import ParleyTerminal

/// What a client says by itself, and how it reads what it is told.
struct WordingTests {
    @Test func textsOnOneLine() {
        #expect(SafeText.line("a\n b\t\u{1B}[1m") == "a b ␛[1m")
        #expect(SafeText.line("abcdef", width: 6) == "abcdef")
        #expect(SafeText.line("abcdef", width: 5) == "abcd…")
        #expect(SafeText.line("漢漢漢", width: 5) == "漢漢…")
        #expect(SafeText.line("漢漢漢", width: 4) == "漢…")
    }

    @Test(arguments: [
        (0, "1 s"), (1, "1 s"), (1_001, "2 s"), (99_000, "99 s"), (99_001, "2 min"), (5_940_001, "1 h 40 min"), (5_940_000, "99 min"),
        (7_200_000, "2 h"),
        (7_200_001, "2 h 1 min"),
    ])
    func lengthsOfTime(milliseconds: Int, words: String) {
        #expect(Explanation.duration(milliseconds: milliseconds) == words)
    }

    @Test func errors() {
        func line(_ code: String, _ more: Int?, hasCommands: Bool = true) -> String {
            Explanation.line(
                HostConnection.Refusal([
                    "message": "No.", "data": ["code": .string(code), "retryAfterMs": more.map { .integer(Int64($0)) } ?? .null],
                ]), hasCommands: hasCommands)
        }
        #expect(line("quotaExceeded", 60_000) == "No. Try again in 60 s.")
        #expect(line("modelAuth", nil, hasCommands: false).hasPrefix("No. Check the key"))
        #expect(line("modelTimeout", nil) == "No. /regenerate asks again.")
        #expect(line("modelTimeout", nil, hasCommands: false) == "No.")
        #expect(line("notFound", nil) == "No.")
    }

    @Test func commandsOfTheTerminal() {
        #expect(ClientCommand.read("/open  2 ")?.command == .open && ClientCommand.read("/open  2 ")?.argument == "2")
        #expect(ClientCommand.read(" exit")?.command == .exit && ClientCommand.read("/quit")?.command == .exit)
        for text in ["", "/", "/opener", "open 2", "exit now", "/usr/bin/exit", "I /exit"] {
            #expect(ClientCommand.read(text) == nil, "\(text)")
        }
    }

    @Test func timesAreOfHere() {
        #expect(Clock.local("2026-01-02T03:04:05.678Z").contains(#/^202[56]-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]$/#))
        #expect(Clock.local("") == "" && Clock.local("soon") == "soon")
    }
}
