import Foundation
import ParleyTestSupport
import Testing

/// `parley replay`: transcripts of users, played by the program.
@Suite(.timeLimit(.minutes(5)))
struct ReplayTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func replay(_ arguments: String...) async throws -> (code: Int32, output: String, errors: String) {
        let process = try ParleyProcess(["replay"] + arguments, environment: ["PARLEY": try ParleyProcess.binary.path])
        process.endInput()
        let output = await process.rest()
        return (await process.exitCode(), output, process.errorText())
    }

    private func text(_ path: String) throws -> String { String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self) }

    private static let examples = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "examples/golden").path

    private static let ping = #"> {"jsonrpc":"2.0","id":1,"method":"ping"}"#

    @Test func theExamplesAreAsExpected() async throws {
        let (code, output, errors) = try await replay(Self.examples)
        #expect(code == 0 && output.hasPrefix("4 files, ") && output.hasSuffix(" lines, all as expected\n"), "\(output)\(errors)")
        let command = try await replay(Self.examples, "--command", #"exec "$PARLEY" serve --deterministic "$@""#)
        #expect(command.code == 0 && command.output == output, "\(command)")
    }

    @Test func whatDiffersIsShown() async throws {
        try folder.write("{\"text\":\"Well?\"}\n", to: "answers.jsonl")
        let file = try folder.write(
            """
            $ serve --caller userId:ada --model scripted:answers.jsonl
            > {"jsonrpc":"2.0","id":1,"method":"sendMessage","params":{"text":"Hello","stream":false}}
            < {"method":"turnStarted"}
            < {"id":1,"result":{"turn":{"status":"failed"}}}
            \(Self.ping)
            <= {"id":1,"result":{}}

            """, to: "a.transcript")
        try folder.write("\(Self.ping)\n< {\"id\":1}\n", to: "b.transcript")
        let (code, output, _) = try await replay(folder.path)
        #expect(code == 1)
        // What the host says of a turn is long, and is not the point here.
        let lines = output.split(separator: "\n").map { $0.hasPrefix("    received") && $0.utf8.count > 80 ? $0.prefix(59) + "…" : $0 }
        #expect(
            lines == [
                "\(file):3: is followed by a line that was not expected",
                #"    received {"jsonrpc":"2.0","method":"turnCompleted","par…"#,
                #"\#(file):4: result.turn.status: expected "failed", got "completed""#,
                #"    expected {"id":1,"result":{"turn":{"status":"failed"}}}"#,
                #"    received {"jsonrpc":"2.0","id":1,"result":{"turn":{"id"…"#,
                #"\#(file):6: jsonrpc: expected nothing, got "2.0""#,
                #"    expected {"id":1,"result":{}}"#,
                #"    received {"jsonrpc":"2.0","id":1,"result":{}}"#,
                "2 files, 7 lines: 3 differences in 1 file",
            ])

        let updated = try await replay(file, folder.file("b.transcript"), "--update")
        #expect(updated.code == 0 && updated.output == "2 files, 7 lines, 1 file rewritten\n", "\(updated)")
        let text = try text(file).split(separator: "\n")
        #expect(
            text.count == 7 && text[2] == #"< {"method":"turnStarted"}"#
                && text[3].hasPrefix(#"< {"jsonrpc":"2.0","method":"turnCompleted","#))
        #expect(text[4] == #"< {"id":1,"result":{"turn":{"status":"completed"}}}"#)
        #expect(text[6] == #"<= {"jsonrpc":"2.0","id":1,"result":{}}"#)
        let again = try await replay(folder.path)
        #expect(again.code == 0 && again.output == "2 files, 8 lines, all as expected\n", "\(again)")
        let exact = try await replay(folder.path, "--exact")
        #expect(exact.code == 1 && exact.output.contains("b.transcript:2: jsonrpc: expected nothing, got \"2.0\""), "\(exact)")
    }

    @Test func anyCommandCanBePlayedTo() async throws {
        let file = try folder.write("> {\"id\":7,\"a\":[1]}\n< {\"a\":\"${a}\"}\n> {\"b\":\"${a}\"}\n< {\"b\":[1]}\n", to: "a.transcript")
        let echo = try await replay(file, "--command", "cat")
        #expect(echo.code == 0 && echo.output == "1 file, 4 lines, all as expected\n", "\(echo)")
        let wrong = try await replay(file, "--command", "sed -u s/1/2/")
        #expect(
            wrong.code == 1 && wrong.output.hasPrefix("\(file):4: b[0]: expected 1, got 2\n")
                && wrong.output.hasSuffix(": 1 difference in 1 file\n"), "\(wrong)")
        let silent = try await replay(file, "--command", "cat >/dev/null", "--timeout", "0.1")
        #expect(silent.code == 1 && silent.output.hasPrefix("\(file):2: is missing\n"), "\(silent)")
        let failed = try await replay(file, "--command", "cat; exit 3")
        #expect(failed.code == 1 && failed.output.hasPrefix("\(file): the command ended with exit code 3\n"), "\(failed)")
        let missing = try await replay(file, "--command", "/nowhere/at-all")
        #expect(missing.code == 1 && missing.output.contains("\(file):2: is missing"), "\(missing)")
        let lasting = try await replay(file, "--command", "cat; exec >&-; sleep 60", "--timeout", "5")
        #expect(lasting.code == 1 && lasting.output.hasPrefix("\(file): the command did not end when its input did\n"), "\(lasting)")

        // Whoever writes down what a command says waits for the answer, however long that takes.
        let new = try folder.write("> {\"id\":7,\"method\":\"m\"}\n# And then.\n> {\"id\":8,\"method\":\"n\"}\n", to: "new.transcript")
        let updated = try await replay(new, "--command", "sed -u s/method/result/", "--update")
        #expect(updated.code == 0 && updated.output == "1 file, 2 lines, 1 file rewritten\n", "\(updated)")
        let lines = try text(new).split(separator: "\n")
        #expect(lines.count == 5 && lines[1] == #"< {"id":7,"result":"m"}"# && lines[4] == #"< {"id":8,"result":"n"}"#, "\(lines)")
    }

    @Test func whatCannotBePlayedIsNamed() async throws {
        let none = try await replay()
        #expect(none.code == 64, "\(none)")
        let timeout = try await replay("x", "--timeout", "0")
        #expect(timeout.code == 64 && timeout.errors.contains("--timeout"), "\(timeout)")
        let missing = try await replay(folder.file("nowhere.transcript"))
        #expect(missing.code == 66 && missing.errors == "parley: \(folder.file("nowhere.transcript")) is not there.\n", "\(missing)")
        let empty = try await replay(folder.path)
        #expect(empty.code == 66 && empty.errors.contains("holds no files named *.transcript"), "\(empty)")
        let file = try folder.write("\(Self.ping)\n< {\n", to: "a.transcript")
        let broken = try await replay(file)
        #expect(broken.code == 65 && broken.errors.hasPrefix("parley: \(file):2 is to be received, but is not JSON: "), "\(broken)")
        try folder.write("$ serve --model scripted:nowhere.jsonl\n\(Self.ping)\n", to: "a.transcript")
        let refused = try await replay(file)
        #expect(refused.code == 1 && refused.output.contains("\(file): the host ended with exit code 78\n"), "\(refused)")
        #expect(refused.errors.contains("nowhere.jsonl cannot be read"), "\(refused)")
        try folder.write("{\"steps\": [{\"waitFor\": \"cancelTrun\"}]}\n", to: "answers.jsonl")
        try folder.write("$ serve --model scripted:answers.jsonl\n\(Self.ping)\n", to: "a.transcript")
        let awaited = try await replay(file)
        #expect(awaited.code == 1 && awaited.errors.contains("The script waits for cancelTrun, which is no method."), "\(awaited)")
        try folder.write("\(Self.ping)\n< {}\n> [\"${x}\"]\n", to: "a.transcript")
        let unknown = try await replay(file, "--update")
        #expect(
            unknown.code == 1 && unknown.output.hasPrefix("\(file):3: ${x} is to be sent, but nothing was captured under that name\n"),
            "\(unknown)")
    }
}
