import Foundation
import ParleyTestSupport
import ParleyTranscripts
import Testing

/// Every file of `Transcripts` is played to a host, and what the host says is compared byte for byte.
///
/// With `PARLEY_UPDATE_TRANSCRIPTS=1` in the environment the files are rewritten instead. A file that holds only what is sent is written to
/// the end, and fails once.
@Suite("Transcripts") struct TranscriptTests {
    @Test("within this process", arguments: TranscriptFile.all)
    func inProcess(file: TranscriptFile) async throws {
        let transcript = try file.read()
        let played = try await TestHost.inProcess(file.arguments(of: transcript)) { client in
            try TranscriptRunner.play(transcript, on: client)
        }
        if TranscriptFile.areUpdated || !transcript.hasExpectations { try file.write(played) }
        if TranscriptFile.areUpdated { return }
        #expect(transcript.hasExpectations, "\(file) has been written: read what the host said, then run the tests again")
        if transcript.hasExpectations { try file.expect(played) }
    }

    /// As with `parley serve --deterministic < requests.jsonl`: everything is sent at once, and says the same.
    @Test("by the program", .disabled(if: TranscriptFile.areUpdated), arguments: TranscriptFile.all)
    func program(file: TranscriptFile) async throws {
        let transcript = try file.read()
        guard transcript.hasExpectations else { return }
        let command = [try ParleyProcess.binary.path, "serve"] + file.arguments(of: transcript)
        let (lines, code) = try await HostUnderTest.program(command) { client in
            client.send(transcript.sentBytes)
            client.endInput()
            return try client.remainingLines()
        }
        #expect(code == 0)
        try file.expect(lines)
    }
}

/// A transcript on the disk.
struct TranscriptFile: Sendable, CustomTestStringConvertible {
    /// Whether the files are to be rewritten.
    static let areUpdated = ProcessInfo.processInfo.environment["PARLEY_UPDATE_TRANSCRIPTS"] == "1"

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Transcripts")

    /// All of them, by name.
    static let all: [TranscriptFile] = {
        let paths = (FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? [])
        return paths.filter { $0.hasSuffix(".transcript") }.sorted().map(TranscriptFile.init)
    }()

    /// The path within `Transcripts`.
    let name: String

    var testDescription: String { name }

    private var url: URL { Self.folder.appending(path: name) }

    func read() throws -> Transcript { try Transcript(Array(Data(contentsOf: url))) }

    func write(_ bytes: [UInt8]) throws { try Data(bytes).write(to: url) }

    /// The flags of `parley serve`, with files found beside the transcript.
    func arguments(of transcript: Transcript) -> [String] {
        ["--deterministic", "--log-level", "critical"] + transcript.arguments(inFolder: url.deletingLastPathComponent().path)
    }

    /// Compares only what is received.
    func expect(_ lines: [[UInt8]]) throws {
        let expected = try read().receivedLines
        guard lines != expected else { return }
        func joined(_ lines: [[UInt8]]) -> [UInt8] { Array(lines.joined(separator: [UInt8(ascii: "\n")])) }
        Issue.record(
            """
            \(name), sent at once, differs (- expected, + came):
            \(TranscriptRunner.difference(expected: joined(expected), actual: joined(lines)))
            """)
    }

    func expect(_ played: [UInt8]) throws {
        let expected = Array(try Data(contentsOf: url))
        if played != expected {
            Issue.record("\(name) differs (- expected, + came):\n\(TranscriptRunner.difference(expected: expected, actual: played))")
        }
    }
}

extension Transcript {
    /// All that is sent.
    fileprivate var sentBytes: [UInt8] {
        exchanges.flatMap { exchange in
            if case .sent(let bytes, _)? = exchange.head?.kind { bytes } else { [UInt8]() }
        }
    }

    /// All that is received.
    fileprivate var receivedLines: [[UInt8]] {
        exchanges.flatMap(\.lines).compactMap { line in
            if case .expected = line.kind { Array(line.text.dropFirst(2)) } else { nil }
        }
    }
}
