import ArgumentParser
import Foundation
import ParleyClient
import ParleyTranscripts

/// `parley replay`: plays transcripts and compares what is said.
struct Replay: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Play transcripts to a deterministic host, or to any command, and show what it says otherwise than they expect.",
        discussion: """
            A transcript is a file of lines. `>` is sent. `<` is what is to be received before the next line is sent: JSON, whose objects may \
            have further members; `<=` allows none. `"${name}"` in a received line stands for any value the first time and for the same value \
            from then on, also in what is sent; `${_}` always stands for anything. `#` begins a remark, `$ serve FLAGS…` says how the host is \
            started (files are found beside the transcript), `$ end of input` stands before what comes once the input has ended, `>x` sends \
            bytes without a line end (`\\xNN` is one byte).

            Exit codes: 0 when everything is as expected or was updated; 1 for a difference; 64 for wrong flags; 65 for a file that is no \
            transcript; 66 for a file that cannot be read; 73 for one that cannot be written.
            """
    )

    @Argument(
        help: ArgumentHelp("Transcripts, or folders with files named *.transcript.", valueName: "file"),
        completion: .file(extensions: ["transcript"]))
    var files: [String]

    @Flag(help: "Rewrite what is expected where it differs; remarks and captures stay.")
    var update = false

    @Flag(help: "Allow no members that are not mentioned, in any line.")
    var exact = false

    @Option(
        help: ArgumentHelp(
            """
            What to start instead of a deterministic host, for /bin/sh; "$@" are the flags of `$ serve`. Lines must come in order, and the \
            first difference ends a transcript.
            """, valueName: "command"))
    var command: String?

    @Option(help: ArgumentHelp("How long to wait for each line of a command, and for its end.", valueName: "seconds"))
    var timeout: Double = 10

    /// How long a deterministic host may be silent, in milliseconds; long, because machines may be busy.
    private static let patience: Int32 = 120_000

    func validate() throws {
        guard (0.001...86_400).contains(timeout) else { throw ValidationError("--timeout must lie between 0.001 and 86400 seconds.") }
    }

    func run() throws {
        let transcripts = try files.flatMap(Self.paths).map { path in (path: path, transcript: try Self.read(path)) }
        var differing = 0
        var differences = 0
        var rewritten = 0
        for (path, transcript) in transcripts {
            let outcome = play(transcript, path)
            var found = outcome.obstacle.map { [$0] } ?? []
            if update, found.isEmpty {
                if try Self.write(outcome.updated, to: path) { rewritten += 1 }
            } else {
                found = outcome.differences + found
            }
            for difference in found { print(difference) }
            differences += found.count
            if !found.isEmpty { differing += 1 }
        }
        let lines = transcripts.reduce(0) { $0 + $1.transcript.count }
        var summary = "\(Self.counted(transcripts.count, "file")), \(Self.counted(lines, "line"))"
        if rewritten > 0 { summary += ", \(Self.counted(rewritten, "file")) rewritten" }
        if differences == 0 {
            print(summary + (rewritten > 0 ? "" : ", all as expected"))
        } else {
            print("\(summary): \(Self.counted(differences, "difference")) in \(Self.counted(differing, "file"))")
            throw ExitCode.failure
        }
    }

    /// Plays one transcript to a host of its own.
    private func play(_ transcript: Transcript, _ path: String) -> TranscriptPlayer.Outcome {
        var outcome = TranscriptPlayer.Outcome()
        do {
            let flags = transcript.arguments(inFolder: URL(filePath: path).deletingLastPathComponent().path)
            let milliseconds = command == nil ? Self.patience : Int32(timeout * 1_000)
            let process =
                if let command {
                    try SpawnedProcess("/bin/sh", ["-c", command, "sh"] + flags)
                } else {
                    try SpawnedProcess("/proc/self/exe", ["serve", "--deterministic", "--log-level", "critical"] + flags)
                }
            let trouble: String?
            (outcome, trouble) = talk(transcript, path, process, milliseconds)
            // The client is gone and with it both pipes, so the program ends, whatever it was doing.
            let end = process.end(within: Int(milliseconds))
            if outcome.obstacle == nil, let cause = trouble ?? end.map({ "the \(command == nil ? "host" : "command") \($0)" }) {
                outcome.obstacle = "\(path): \(cause)"
            }
        } catch {
            outcome.obstacle = "\(path): \(error)"
        }
        return outcome
    }

    private func talk(
        _ transcript: Transcript, _ path: String, _ process: SpawnedProcess, _ patience: Int32
    ) -> (TranscriptPlayer.Outcome, trouble: String?) {
        let client = LineClient(input: process.input, output: process.output, patience: patience)
        let player = TranscriptPlayer(
            transcript, name: path, isExact: exact, isUpdate: update, pace: command == nil ? .untilRest : .asExpected)
        do {
            return (try player.play(on: client), nil)
        } catch {
            return (TranscriptPlayer.Outcome(), error.description)
        }
    }

    // MARK: Files

    /// The file, or all transcripts in the folder, by name.
    private static func paths(_ path: String) throws -> [String] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { throw stop(66, "\(path) is not there") }
        guard isFolder.boolValue else { return [path] }
        let all = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        let names = all.filter { $0.hasSuffix(".transcript") }
        guard !names.isEmpty else { throw stop(66, "\(path) holds no files named *.transcript") }
        return names.sorted().map { path.hasSuffix("/") ? path + $0 : "\(path)/\($0)" }
    }

    private static func read(_ path: String) throws -> Transcript {
        let bytes: [UInt8]
        do {
            bytes = Array(try Data(contentsOf: URL(filePath: path)))
        } catch {
            throw stop(66, "\(path) cannot be read")
        }
        do {
            return try Transcript(bytes)
        } catch {
            throw stop(65, "\(path):\(error.line) \(error.reason)")
        }
    }

    /// - Returns: whether the file was another before.
    private static func write(_ bytes: [UInt8], to path: String) throws -> Bool {
        do {
            let url = URL(filePath: path)
            if Array(try Data(contentsOf: url)) == bytes { return false }
            try Data(bytes).write(to: url, options: .atomic)
            return true
        } catch {
            throw stop(73, "\(path) cannot be written")
        }
    }

    private static func stop(_ code: Int32, _ message: String) -> ExitCode {
        FileHandle.standardError.write(Data("parley: \(message).\n".utf8))
        return ExitCode(code)
    }

    private static func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
}
