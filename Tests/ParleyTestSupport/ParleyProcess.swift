package import Foundation
import Glibc
package import JSON

/// The real binary as a child process, spoken to line by line.
package final class ParleyProcess: @unchecked Sendable {
    // Unchecked, because the iterator is not Sendable: a test uses its process from one task at a time.
    private let child: ChildProcess
    private let reader: LineReader
    private var iterator: AsyncStream<String>.Iterator
    private var nextID = 0
    private var hasEnded = false
    /// What has been read of its stdout, line by line, as it came.
    package private(set) var output = ""

    /// The binary that was built beside the tests.
    package static var binary: URL {
        get throws {
            // On Linux, arguments[0] is the test bundle, which lies in the products folder.
            var folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            while folder.path != "/" {
                let candidate = folder.appendingPathComponent("parley")
                if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
                folder.deleteLastPathComponent()
            }
            throw MissingBinary()
        }
    }

    private struct MissingBinary: Error {}

    /// The process ended, or closed its output, before it said what a test waits for.
    package struct Ended: Error {
        /// What it wrote to stderr.
        package var errors: String
    }

    /// Starts `parley` with arguments.
    ///
    /// - Parameters:
    ///   - environment: variables beside PATH; nothing is inherited, so that a test does not depend on where it runs.
    ///   - starter: a program with arguments that starts `parley`, whose command line follows, with its own three streams; it is then the
    ///     starter that gets signals and is waited for.
    package init(_ arguments: [String], environment: [String: String] = [:], through starter: [String] = []) throws {
        // A child that has ended must not end the tests when they write to it.
        Glibc.signal(SIGPIPE, SIG_IGN)
        child = try ChildProcess(
            starter + [try Self.binary.path] + arguments, environment: environment.merging(["PATH": "/usr/bin:/bin"]) { given, _ in given })
        let (lines, continuation) = AsyncStream.makeStream(of: String.self)
        iterator = lines.makeAsyncIterator()
        reader = LineReader(child, continuation)
        reader.start()
    }

    /// Its process id.
    package var id: Int32 { child.id }

    /// Writes raw bytes to its stdin.
    package func write(_ text: String) {
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(child.input, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            written += count
        }
    }

    /// Sends a request without waiting.
    ///
    /// - Returns: its id.
    @discardableResult
    package func send(_ method: String, _ params: JSONValue = [:]) -> Int {
        nextID += 1
        let request: JSONValue = ["jsonrpc": "2.0", "id": .integer(Int64(nextID)), "method": .string(method), "params": params]
        write(String(decoding: JSONWriter.encode(request), as: UTF8.self) + "\n")
        return nextID
    }

    /// The next line of its stdout.
    ///
    /// - Throws: `Ended`.
    package func line() async throws -> JSONValue {
        guard let line = await iterator.next() else {
            // A test that is cancelled, as it is by its time limit, would wait for ever for all that a living process says.
            if Task.isCancelled, !hasEnded { kill(id, SIGKILL) }
            throw Ended(errors: errorText())
        }
        output += line + "\n"
        return try JSONReader.parse(Array(line.utf8))
    }

    /// Reads lines until one fits; the others are dropped.
    package func line(where fits: (JSONValue) -> Bool) async throws -> JSONValue {
        while true {
            let line = try await line()
            if fits(line) { return line }
        }
    }

    /// Sends a request and reads until its answer.
    package func call(_ method: String, _ params: JSONValue = [:]) async throws -> JSONValue {
        let id = send(method, params)
        return try await line { $0["id"]?.intValue == id }
    }

    /// Reads until the event of that name.
    package func event(_ name: String) async throws -> JSONValue {
        try await line { $0["method"]?.stringValue == name }
    }

    /// All that is left of its stdout.
    package func rest() async -> String {
        var text = ""
        while let line = await iterator.next() { text += line + "\n" }
        output += text
        return text
    }

    /// Closes its stdin.
    package func endInput() {
        child.close(child.input)
    }

    /// Closes the reading end of its stdout, as a client that dies does; it has happened when this returns.
    package func breakOutput() async {
        reader.stop()
        // The reader looks up with the next line.
        send("ping")
        _ = await rest()
    }

    /// Sends it a signal.
    package func signal(_ number: Int32) {
        kill(id, number)
    }

    /// Waits for its end.
    ///
    /// - Returns: the exit code, or the signal's number negated.
    package func exitCode() async -> Int32 {
        hasEnded = true
        return await child.wait()
    }

    /// What it has written to stderr; to be called after its end.
    package func errorText() -> String {
        var text: [UInt8] = []
        while let chunk = LineReader.read(child.errors) { text += chunk }
        return String(decoding: text, as: UTF8.self)
    }

    deinit {
        guard !hasEnded else { return }
        kill(id, SIGKILL)
        waitpid(id, nil, 0)
    }
}
