import Foundation
package import JSON

/// The real binary as a child process, spoken to line by line.
package final class ParleyProcess: @unchecked Sendable {
    // Unchecked, because Foundation's Process and FileHandle are not marked Sendable; a test uses its process from one task at a time, and the
    // reader thread touches only the continuation and the output's descriptor.
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let errors = Pipe()
    private let lines: AsyncStream<String>
    private var iterator: AsyncStream<String>.Iterator
    private var nextID = 0

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
    /// - Parameter environment: variables beside PATH; nothing is inherited, so that a test does not depend on where it runs.
    package init(_ arguments: [String], environment: [String: String] = [:]) throws {
        process.executableURL = try Self.binary
        process.arguments = arguments
        process.environment = environment.merging(["PATH": "/usr/bin:/bin"]) { given, _ in given }
        process.standardInput = input
        process.standardOutput = output
        process.standardError = errors
        let (lines, continuation) = AsyncStream.makeStream(of: String.self)
        self.lines = lines
        iterator = lines.makeAsyncIterator()
        try process.run()
        let handle = output.fileHandleForReading
        Thread.detachNewThread {
            var pending = Data()
            while case let chunk = handle.availableData, !chunk.isEmpty {
                pending.append(chunk)
                while let end = pending.firstIndex(of: 0x0A) {
                    continuation.yield(String(decoding: pending[pending.startIndex..<end], as: UTF8.self))
                    pending = pending[(end + 1)...]
                }
            }
            continuation.finish()
        }
    }

    /// Its process id.
    package var id: Int32 { process.processIdentifier }

    /// Writes raw bytes to its stdin.
    package func write(_ text: String) {
        input.fileHandleForWriting.write(Data(text.utf8))
    }

    /// Sends a request without waiting.
    ///
    /// - Returns: its id.
    @discardableResult
    package func send(_ method: String, _ params: JSONValue = [:]) -> Int64 {
        nextID += 1
        let request: JSONValue = ["jsonrpc": "2.0", "id": .integer(Int64(nextID)), "method": .string(method), "params": params]
        write(String(decoding: JSONWriter.encode(request), as: UTF8.self) + "\n")
        return Int64(nextID)
    }

    /// The next line of its stdout.
    ///
    /// - Throws: `Ended`.
    package func line() async throws -> JSONValue {
        guard let line = await iterator.next() else { throw Ended(errors: errorText()) }
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
        return try await line { $0["id"]?.intValue.map(Int64.init) == id }
    }

    /// Reads until the event of that name.
    package func event(_ name: String) async throws -> JSONValue {
        try await line { $0["method"]?.stringValue == name }
    }

    /// All that is left of its stdout.
    package func rest() async -> String {
        var text = ""
        while let line = await iterator.next() { text += line + "\n" }
        return text
    }

    /// Closes its stdin.
    package func endInput() {
        try? input.fileHandleForWriting.close()
    }

    /// Closes the reading end of its stdout, as a client that dies does.
    package func breakOutput() {
        try? output.fileHandleForReading.close()
    }

    /// Sends it a signal.
    package func signal(_ number: Int32) {
        kill(id, number)
    }

    /// Waits for its end.
    ///
    /// - Returns: the exit code, or the signal's number negated.
    package func exitCode() async -> Int32 {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [process] in
                process.waitUntilExit()
                let status = process.terminationStatus
                continuation.resume(returning: process.terminationReason == .uncaughtSignal ? -status : status)
            }
        }
    }

    /// What it has written to stderr; to be called after its end.
    package func errorText() -> String {
        String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }

    deinit {
        if process.isRunning { kill(id, SIGKILL) }
    }
}

/// A folder that is gone when its owner is.
package final class TemporaryFolder: Sendable {
    /// The folder's path.
    package let path: String

    /// Makes an empty folder.
    package init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("parley-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    /// The path of a file in it.
    package func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file.
    ///
    /// - Returns: its path.
    package func write(_ text: String, to name: String) throws -> String {
        try text.write(toFile: file(name), atomically: true, encoding: .utf8)
        return file(name)
    }

    deinit {
        // Nothing depends on it; a leftover lies in the system's temporary folder.
        try? FileManager.default.removeItem(atPath: path)
    }
}
