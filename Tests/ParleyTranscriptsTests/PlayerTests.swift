import Glibc
import JSON
import ParleyTranscripts
import Testing

/// A host that has said everything before it is asked: what it writes lies in a pipe already.
private struct WrittenHost {
    private static let barrier = #"{"jsonrpc":"2.0","id":"barrier","result":{}}"#

    /// Plays a transcript.
    ///
    /// - Parameters:
    ///   - said: the lines of the host, those after a sent line at each place, and last those after the input's end.
    /// - Returns: what came of it, and what was sent.
    static func play(
        _ text: String, said: [[String]], isExact: Bool = false, isUpdate: Bool = false, pace: TranscriptPlayer.Pace = .untilRest
    ) throws -> (outcome: TranscriptPlayer.Outcome, sent: [String]) {
        var (toHost, fromHost): ([Int32], [Int32]) = ([0, 0], [0, 0])
        #expect(pipe(&toHost) == 0 && pipe(&fromHost) == 0)
        var output = ""
        for (index, lines) in said.enumerated() {
            for line in lines { output += line + "\n" }
            if case .untilRest = pace, index < said.count - 1 { output += barrier + "\n" }
        }
        let bytes = Array(output.utf8)
        #expect(write(fromHost[1], bytes, bytes.count) == bytes.count)
        close(fromHost[1])
        let transcript = try Transcript(Array(text.utf8))
        let client = LineClient(input: toHost[1], output: fromHost[0], patience: 10_000)
        let player = TranscriptPlayer(transcript, name: "t", isExact: isExact, isUpdate: isUpdate, pace: pace)
        let outcome = try player.play(on: client)
        client.endInput()
        var sent = [UInt8](repeating: 0, count: 65_536)
        sent.removeLast(sent.count - max(0, read(toHost[0], &sent, sent.count)))
        close(toHost[0])
        let lines = String(decoding: sent, as: UTF8.self).split(separator: "\n").map(String.init).filter { !$0.contains("barrier") }
        return (outcome, lines)
    }
}

struct PlayerTests {
    @Test func whatIsCapturedIsSent() throws {
        let (outcome, sent) = try WrittenHost.play(
            """
            > {"id":1}
            < {"result":"${x}"}
            > {"id":2,"x":"${x}"}
            >x {"id":3,"x":"${x}"}\\x0A
            < {"result":{"y":["${y}"]}}
            """, said: [[#"{"id":1,"result":"a"}"#], [], [#"{"id":3,"result":{"y":[2]}}"#], []])
        #expect(outcome.differences.isEmpty && outcome.obstacle == nil)
        #expect(sent == [#"{"id":1}"#, #"{"id":2,"x":"a"}"#, #"{"id":3,"x":"${x}"}"#])
    }

    @Test func whatWasNotCapturedIsNotSent() throws {
        let (outcome, sent) = try WrittenHost.play("> {\"id\":1}\n> [\"${x}\"]\n> {\"id\":3}\n", said: [[], [], []])
        #expect(outcome.obstacle == "t:2: ${x} is to be sent, but nothing was captured under that name")
        #expect(sent == [#"{"id":1}"#])
    }

    /// One transcript with what may become of it: a remark within the expected lines, subsets, an exact line and the end of the input.
    private static let text = """
        # What this is about.
        > {"id":1}
        < {"method":"a","params":{"x":"${x}"}}
        # The answer.
        < {"id":1,"result":{"x":"${x}","n":1}}

        > {"id":2}
        <= {"id":2,"result":{}}
        # The end.
        $ end of input
        < {"method":"bye"}

        """
    private static let said = [
        [#"{"method":"a","params":{"x":"1","z":0}}"#, #"{"id":1,"result":{"x":"1","n":1,"z":0}}"#], [#"{"id":2,"result":{}}"#],
        [#"{"method":"bye","params":{}}"#],
    ]

    @Test func allAsExpected() throws {
        let (outcome, _) = try WrittenHost.play(Self.text, said: Self.said)
        #expect(outcome.differences == [])
        #expect(String(decoding: outcome.updated, as: UTF8.self) == Self.text)
        let exact = try WrittenHost.play(Self.text, said: Self.said, isExact: true).outcome
        #expect(
            exact.differences.map { $0.prefix { $0 != "\n" } } == [
                "t:3: params.z: expected nothing, got 0", "t:5: result.z: expected nothing, got 0",
                "t:11: params: expected nothing, got {}",
            ])
    }

    /// A change of what the host says in one place, what is reported, and how the transcript is changed.
    struct Change: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var place: Int
        var lines: [String]
        var differences: [String]
        var replaced: String
        var replacement: String
    }

    @Test(arguments: [
        Change(
            testDescription: "another value", place: 0,
            lines: [#"{"method":"a","params":{"x":"1"}}"#, #"{"id":1,"result":{"x":"1","n":2,"z":0}}"#],
            differences: [
                """
                t:5: result.n: expected 1, got 2
                    expected {"id":1,"result":{"x":"${x}","n":1}}
                    received {"id":1,"result":{"x":"1","n":2,"z":0}}
                """
            ],
            replaced: #"< {"id":1,"result":{"x":"${x}","n":1}}"#, replacement: #"< {"id":1,"result":{"x":"${x}","n":2}}"#),
        Change(
            testDescription: "another value where one was captured", place: 0,
            lines: [#"{"method":"a","params":{"x":"1"}}"#, #"{"id":1,"result":{"x":"2","n":1}}"#],
            differences: [
                """
                t:5: result.x: expected "${x}" ("1"), got "2"
                    expected {"id":1,"result":{"x":"${x}","n":1}}
                    received {"id":1,"result":{"x":"2","n":1}}
                """
            ],
            replaced: #"< {"id":1,"result":{"x":"${x}","n":1}}"#, replacement: #"< {"id":1,"result":{"x":"2","n":1}}"#),
        Change(
            testDescription: "an error instead of a result", place: 0,
            lines: [#"{"method":"a","params":{"x":"1"}}"#, #"{"id":1,"error":{"code":2}}"#],
            differences: [
                """
                t:5: result: expected {"x":"${x}","n":1}, got nothing
                    expected {"id":1,"result":{"x":"${x}","n":1}}
                    received {"id":1,"error":{"code":2}}
                """
            ],
            replaced: #"< {"id":1,"result":{"x":"${x}","n":1}}"#, replacement: #"< {"id":1,"error":{"code":2}}"#),
        Change(
            testDescription: "one line more", place: 0,
            lines: [
                #"{"method":"a","params":{"x":"1"}}"#, #"{"method":"b","params":"${x}"}"#, #"{"id":1,"result":{"x":"1","n":1}}"#,
            ],
            differences: [
                """
                t:3: is followed by a line that was not expected
                    received {"method":"b","params":"${x}"}
                """
            ],
            replaced: "# The answer.", replacement: "< {\"method\":\"b\",\"params\":\"$${x}\"}\n# The answer."),
        Change(
            testDescription: "one line less", place: 0, lines: [#"{"id":1,"result":{"x":"1","n":1}}"#],
            differences: [
                """
                t:3: is missing
                    expected {"method":"a","params":{"x":"${x}"}}
                """
            ],
            replaced: "< {\"method\":\"a\",\"params\":{\"x\":\"${x}\"}}\n", replacement: ""),
        Change(
            testDescription: "a member more in an exact line", place: 1, lines: [#"{"jsonrpc":"2.0","id":2,"result":{}}"#],
            differences: [
                """
                t:8: jsonrpc: expected nothing, got "2.0"
                    expected {"id":2,"result":{}}
                    received {"jsonrpc":"2.0","id":2,"result":{}}
                """
            ],
            replaced: #"<= {"id":2,"result":{}}"#, replacement: #"<= {"jsonrpc":"2.0","id":2,"result":{}}"#),
        Change(
            testDescription: "nothing at the end", place: 2, lines: [],
            differences: ["t:11: is missing\n    expected {\"method\":\"bye\"}"],
            replaced: "$ end of input\n< {\"method\":\"bye\"}\n", replacement: ""),
        Change(
            testDescription: "no JSON", place: 1, lines: ["oops"],
            differences: [
                "t:8: is missing\n    expected {\"id\":2,\"result\":{}}"
            ],
            replaced: "<= {\"id\":2,\"result\":{}}\n", replacement: ""),
    ])
    func differences(change: Change) throws {
        var said = Self.said
        said[change.place] = change.lines
        let (outcome, _) = try WrittenHost.play(Self.text, said: said, isUpdate: true)
        #expect(outcome.differences == change.differences)
        let updated = String(decoding: outcome.updated, as: UTF8.self)
        #expect(updated == Self.text.replacing(change.replaced, with: change.replacement))
        // Nothing is left to update. What is no JSON can never be expected.
        let obstacle = change.lines == ["oops"] ? "t:8: is followed by a line that is not JSON\n    received oops" : nil
        #expect(outcome.obstacle == obstacle)
        guard obstacle == nil else { return }
        let again = try WrittenHost.play(updated, said: said)
        #expect(again.outcome.differences == [])
    }

    @Test func whatIsOnlySentIsCompleted() throws {
        let (outcome, _) = try WrittenHost.play("> {\"id\":1}\n\n# More.\n> {\"id\":2}\n", said: [["{\"id\":1}"], ["{}"], ["[]"]])
        #expect(
            String(decoding: outcome.updated, as: UTF8.self)
                == "> {\"id\":1}\n< {\"id\":1}\n\n# More.\n> {\"id\":2}\n< {}\n$ end of input\n< []\n")
        #expect(outcome.differences.count == 3 && outcome.differences.last?.hasPrefix("t: the end of the input is followed by") == true)
    }

    /// A command says when it wants what it says; the first difference ends the play.
    @Test func aCommandIsWaitedFor() throws {
        let said = Self.said.map { $0.map(\.self) }
        let right = try WrittenHost.play(Self.text, said: said, pace: .asExpected)
        #expect(right.outcome.differences == [] && right.sent.count == 2)
        let wrong = try WrittenHost.play(Self.text, said: [[said[0][1]], said[1], said[2]], pace: .asExpected)
        #expect(wrong.outcome.differences.first?.hasPrefix("t:3: is missing") == true && wrong.sent == [#"{"id":1}"#])
    }
}
