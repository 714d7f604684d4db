import ParleyTranscripts
import Testing

struct TranscriptFormatTests {
    @Test(arguments: [
        ("> {}\nhello\n", "line 2 begins with none of # $ > <"),
        ("$ server\n", "line 1 begins with none of # $ > <"),
        ("> {}\n< {\"a\":}\n", "line 2 is to be received, but is not JSON: expected a value"),
        (">x \\x4\n", "line 1 has a \\x that is not followed by two hexadecimal digits"),
        ("$ end of input\n# more\n> {}\n", "line 3 comes after the end of the input"),
        ("$ end of input\n$ end of input\n", "line 2 comes after the end of the input"),
    ])
    func refused(text: String, description: String) {
        let error = #expect(throws: Transcript.FormatError.self) { _ = try Transcript(Array(text.utf8)) }
        #expect(error?.description.hasPrefix(description) == true, "\(error?.description ?? "")")
    }

    @Test func flagsFindFilesBesideTheTranscript() throws {
        let flags = "--model scripted:a.jsonl --config c.json --caller userId:a --set models.fallback=demo --model scripted:/b.jsonl"
        let transcript = try Transcript(Array("$ serve \(flags)\n".utf8))
        #expect(
            transcript.arguments(inFolder: "/f g") == [
                "--model", "scripted:/f g/a.jsonl", "--config", "/f g/c.json", "--caller", "userId:a", "--set", "models.fallback=demo",
                "--model", "scripted:/b.jsonl",
            ])
        #expect(!transcript.hasExpectations && transcript.count == 0)
    }

    @Test func sentAndReceivedLinesAreCounted() throws {
        let transcript = try Transcript(Array("# a\n\n> {}\n< {}\n<= {}\n<{}\n>x \\x41\n$ end of input\n< {}".utf8))
        #expect(transcript.hasExpectations && transcript.count == 6)
        #expect(transcript.exchanges.map(\.lines.count) == [2, 3, 0, 1])
    }
}
