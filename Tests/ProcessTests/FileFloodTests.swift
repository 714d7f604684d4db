import ParleyTestSupport
import Testing

/// Files that somebody imports to make a host take much more memory than they have bytes.
@Suite("Floods of files", .timeLimit(.minutes(5)))
struct FileFloodTests {
    private static let mebibyte = 1 << 20

    private static let header =
        #"{"type":"conversation","format":"parley-conversation","version":1,"title":"","metadata":{},"createdAt":"2026-01-01T00:00:00.000Z"}"#

    private static func call(_ arguments: String) -> String {
        #"{"type":"message","id":"b","parentId":"a","turn":{"id":"t","status":"completed","stopReason":"endTurn"},"role":"assistant","content":[{"type":"toolCall","id":"c","name":"n","arguments":{"x":[\#(arguments)]}}],"status":"complete","createdAt":"2026-01-01T00:00:00.000Z"}"#
    }

    /// What a file is, and how many times its size, in the line that brings it, and how much beside that it may take.
    static let files: [(name: String, text: String, bytes: Int)] = [
        ("nothing but ends of lines", String(repeating: "\n", count: 4_000_000), 8 * mebibyte),
        ("a value of many small ones", header + "\n" + call(String(repeating: "0,", count: 3_000_000) + "0"), 8 * mebibyte),
        (
            "metadata of many small values", header.replacing("{}", with: "{\"x\":[" + String(repeating: "0,", count: 3_000_000) + "0]}"),
            8 * mebibyte
        ),
        ("many values that are small enough", header + "\n" + call(String(repeating: "0,", count: 500_000) + "0"), 60 * mebibyte),
    ]

    @Test("a file takes three times its size, and what one value may", arguments: files)
    func file(file: (name: String, text: String, bytes: Int)) async throws {
        let folder = try TemporaryFolder()
        let code = try await UnreadHost.run(["--database", folder.file("parley.db"), "--caller", "userId:ada", "--model", "demo"]) { host in
            #expect(try host.call("ping")["result"] == [:])
            let idle = try host.peakMemory()
            let escaped = file.text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
            let line = #"{"jsonrpc":"2.0","id":0,"method":"importConversation","params":{"data":"\#(escaped)"}}\#n"#
            let writing = host.startWriting(Array(line.utf8))
            try host.readLines { $0.answeredID == 0 }
            writing.wait()
            // Two lines may be on their way.
            let bound = idle + 16 * Self.mebibyte + 3 * line.utf8.count + file.bytes
            let peak = try host.peakMemory()
            #expect(peak <= bound || ChildProcess.isSanitized, "\(file.name): \(peak >> 20) MiB, and \(idle >> 20) MiB before")
        }
        #expect(code == 0)
    }
}
