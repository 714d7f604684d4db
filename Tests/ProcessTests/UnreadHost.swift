import Foundation
import Glibc
import JSON
import ParleyCore
import ParleyTestSupport

/// The real binary as a child process that is read only when, and as far as, a test wants.
///
/// Its output is taken as bytes, because a debug build would spend a flood's time on parsing it. It blocks, and so belongs on the thread that
/// `run` makes.
final class UnreadHost {
    /// The ids of what `call` sends come after this, and so after those of any flood.
    private static let firstID = 1_000_000

    private let child: ChildProcess
    private var received: [UInt8] = []
    private var position = 0
    private var nextID = UnreadHost.firstID
    /// Is told every line that is read.
    var listener: ((OutputLine) -> Void)?

    private init(_ child: ChildProcess) {
        self.child = child
    }

    /// Runs `parley serve` while `body` talks to it; then closes its stdin and reads what is left.
    ///
    /// - Returns: its exit code.
    static func run(
        _ arguments: [String], environment: [String: String] = [:], _ body: @escaping @Sendable (UnreadHost) throws -> Void
    ) async throws -> Int32 {
        // A host that has ended must not end the tests when they write to it.
        Glibc.signal(SIGPIPE, SIG_IGN)
        let child = try ChildProcess(
            [try ParleyProcess.binary.path, "serve"] + arguments,
            environment: environment.merging(["PATH": "/usr/bin:/bin"]) { given, _ in given })
        do {
            try await withTaskCancellationHandler {
                try await HostUnderTest.onThread {
                    let host = UnreadHost(child)
                    try body(host)
                    host.endInput()
                    try host.readToTheEnd()
                }
            } onCancel: {
                // A test that has taken too long would go on waiting for what a living host never says.
                kill(child.id, SIGKILL)
            }
        } catch {
            kill(child.id, SIGKILL)
            _ = await child.wait()
            throw error
        }
        return await child.wait()
    }

    /// The host has closed its output before it said what a test waits for.
    struct Ended: Error {
        var errors: String
    }

    // MARK: Writing

    /// Writes bytes on a thread of their own, which blocks while the host does not read.
    ///
    /// - Parameter times: how often.
    func startWriting(_ bytes: [UInt8], times: Int = 1) -> Writing {
        let writing = Writing()
        Thread.detachNewThread { [input = child.input] in
            for _ in 0..<times where !Self.write(bytes, to: input) { break }
            writing.end()
        }
        return writing
    }

    /// Some bytes on their way to the host.
    final class Writing: Sendable {
        private let isOver = DispatchSemaphore(value: 0)
        private let over = Locked(false)

        /// Whether the host, or its pipe, has taken all.
        var hasEnded: Bool { over.withLock { $0 } }

        fileprivate func end() {
            over.withLock { $0 = true }
            isOver.signal()
        }

        /// Waits until the host has taken all; to be called once.
        func wait() {
            isOver.wait()
        }
    }

    private static func write(_ bytes: [UInt8], to input: Int32) -> Bool {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(input, $0.baseAddress.map { $0 + written }, bytes.count - written) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            written += count
        }
        return true
    }

    /// Closes its stdin.
    func endInput() {
        child.close(child.input)
    }

    // MARK: Reading

    /// Reads lines until one is the last that is wanted.
    func readLines(until isLast: (OutputLine) throws -> Bool) throws {
        while try !takeLines(until: isLast) {
            guard receive(atMost: 1 << 20) else { throw Ended(errors: errorText()) }
        }
    }

    /// Reads all that the host still says.
    func readToTheEnd() throws {
        repeat { _ = try takeLines { _ in false } } while receive(atMost: 1 << 20)
    }

    /// Looks at the lines that have been read.
    ///
    /// - Returns: whether the last that is wanted is among them.
    private func takeLines(until isLast: (OutputLine) throws -> Bool) throws -> Bool {
        try received.withUnsafeBytes { bytes in
            while let end = bytes.firstLineEnd(after: position) {
                let line = OutputLine(bytes: UnsafeRawBufferPointer(rebasing: bytes[position..<end]))
                position = end + 1
                listener?(line)
                if try isLast(line) { return true }
            }
            return false
        }
    }

    /// Reads one byte.
    ///
    /// - Returns: false when the host has closed its output.
    func readByte() -> Bool { receive(atMost: 1) }

    /// Closes the reading end of its stdout, as a client that dies does.
    func breakOutput() {
        child.close(child.output)
    }

    private func receive(atMost maximum: Int) -> Bool {
        if position > 0 { received.removeFirst(position) }
        position = 0
        let chunk = [UInt8](unsafeUninitializedCapacity: maximum) { buffer, count in
            repeat { count = max(0, Glibc.read(child.output, buffer.baseAddress, maximum)) } while count == 0 && errno == EINTR
        }
        received += chunk
        return !chunk.isEmpty
    }

    private func errorText() -> String {
        kill(child.id, SIGKILL)
        var text: [UInt8] = []
        while let chunk = LineReader.read(child.errors) { text += chunk }
        return String(decoding: text, as: UTF8.self)
    }

    // MARK: Requests

    /// Sends a request and reads until its answer.
    func call(_ method: String, _ params: JSONValue = [:]) throws -> JSONValue {
        let id = send(method, params)
        var answer = JSONValue.null
        try readLines { line in
            guard line.answeredID == id else { return false }
            answer = try line.value()
            return true
        }
        return answer
    }

    /// Sends a request, which must be small, without reading.
    ///
    /// - Returns: its id.
    func send(_ method: String, _ params: JSONValue = [:]) -> Int {
        nextID += 1
        let request: JSONValue = ["jsonrpc": "2.0", "id": .integer(Int64(nextID)), "method": .string(method), "params": params]
        _ = Self.write(JSONWriter.encode(request) + [0x0A], to: child.input)
        return nextID
    }

    // MARK: The process

    /// Sends it a signal.
    func signal(_ number: Int32) {
        kill(child.id, number)
    }

    /// The most memory that it has had at once, in bytes.
    func peakMemory() throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(child.id)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }?.split(whereSeparator: \.isWhitespace)
        return (line.flatMap { Int($0[1]) } ?? .max >> 10) << 10
    }

    /// Waits until nothing in it runs or could run: all of its threads wait for something from outside, or for a time to come.
    func waitUntilAtRest() throws {
        var quiet = 0
        // One look takes time, in which one thread may wake another that was looked at already; so it takes many.
        while quiet < 40 {
            quiet = try isAsleep() ? quiet + 1 : 0
            poll(nil, 0, 2)
        }
    }

    /// Waits until it has ended, without reading what it says.
    func waitForTheEnd() {
        var ended = siginfo_t()
        while waitid(P_PID, id_t(child.id), &ended, WEXITED | WNOWAIT) < 0, errno == EINTR {}
    }

    private func isAsleep() throws -> Bool {
        let tasks = "/proc/\(child.id)/task"
        let threads = try FileManager.default.contentsOfDirectory(atPath: tasks)
        return threads.allSatisfy { thread in
            // A thread may end meanwhile.
            guard let status = try? String(contentsOfFile: "\(tasks)/\(thread)/stat", encoding: .utf8) else { return true }
            // The state follows the program's name in parentheses.
            return status.split(separator: ")").last?.dropFirst().first == "S"
        }
    }
}

/// A line that a host has said, which is only valid as long as it is looked at.
struct OutputLine {
    let bytes: UnsafeRawBufferPointer

    /// The number of the request that it answers; nil when it answers none that has one.
    var answeredID: Int? { bytes.starts(with: #"{"jsonrpc":"2.0","id":"#.utf8) ? number(after: #""id":"#) : nil }

    /// Whether it is that notification.
    func isEvent(_ name: String) -> Bool { bytes.starts(with: #"{"jsonrpc":"2.0","method":"\#(name)""#.utf8) }

    /// The number that follows a text.
    func number(after text: StaticString) -> Int? {
        guard let place = place(of: text) else { return nil }
        let digits = bytes[(place + text.utf8CodeUnitCount)...].prefix { (0x30...0x39).contains($0) }
        return digits.isEmpty ? nil : digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    /// Whether a text stands in it.
    func contains(_ text: StaticString) -> Bool { place(of: text) != nil }

    /// Where a text stands that begins with a quotation mark, of which a line has few.
    private func place(of text: StaticString) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        var place = 0
        while let found = memchr(base + place, 0x22, bytes.count - place) {
            place = UnsafeRawPointer(found) - base
            guard place + text.utf8CodeUnitCount <= bytes.count else { return nil }
            if memcmp(found, text.utf8Start, text.utf8CodeUnitCount) == 0 { return place }
            place += 1
        }
        return nil
    }

    /// What it says.
    func value() throws -> JSONValue { try JSONReader.parse(Array(bytes)) }
}

extension UnsafeRawBufferPointer {
    fileprivate func firstLineEnd(after position: Int) -> Int? {
        guard let baseAddress, let end = memchr(baseAddress + position, 0x0A, count - position) else { return nil }
        return UnsafeRawPointer(end) - baseAddress
    }
}
