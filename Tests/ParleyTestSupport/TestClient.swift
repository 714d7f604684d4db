import Foundation
package import JSON

/// The client's end of a connection, for tests: it blocks, so it belongs on a thread of its own (see `HostUnderTest`).
package final class TestClient {
    /// Why a test cannot go on.
    package struct Trouble: Error, CustomStringConvertible {
        /// One sentence.
        package let description: String
    }

    /// The answer of a request.
    package struct Answer {
        /// The line as it came.
        package let line: [UInt8]
        /// The whole message.
        package let message: JSONValue

        /// The line as text.
        package var text: String { String(decoding: line, as: UTF8.self) }
        /// The result; nil when the request was refused.
        package var result: JSONValue? { message["result"] }
        /// The error; nil when the request was not refused.
        package var error: JSONValue? { message["error"] }
        /// `data.code` of the error.
        package var errorCode: String? { error?["data"]?["code"]?.stringValue }
    }

    /// The id of pings that only find out whether the host has come to rest.
    private static let barrier = "barrier"
    /// How long the host may be silent while something is expected of it, in milliseconds; long, because machines may be busy.
    private static let patience: Int32 = 120_000

    private let input: Int32
    private let output: Int32
    private var isInputOpen = true
    private var received: [UInt8] = []
    private var position = 0
    private var nextID = 0
    private let barrierAnswer: [UInt8]

    /// Takes two descriptors, which are the client's from now on.
    ///
    /// - Parameters:
    ///   - input: where the host reads.
    ///   - output: where the host writes.
    package init(input: Int32, output: Int32) {
        // Otherwise a host that goes early would take the tests with it.
        signal(SIGPIPE, SIG_IGN)
        self.input = input
        self.output = output
        barrierAnswer = Array(#"{"jsonrpc":"2.0","id":"\#(Self.barrier)","result":{}}"#.utf8)
    }

    deinit {
        endInput()
        close(output)
    }

    // MARK: Bytes

    /// Sends bytes as they are; does nothing when the host is gone.
    package func send(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                return
            }
        }
    }

    /// Closes the host's input.
    package func endInput() {
        if isInputOpen { close(input) }
        isInputOpen = false
    }

    /// The next line without its end; nil when the host has closed its output.
    ///
    /// - Throws: `Trouble` when the host says nothing for a long time.
    package func nextLine() throws -> [UInt8]? {
        var searched = position
        while true {
            if let end = received[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { position = end + 1 }
                return Array(received[position..<end])
            }
            searched = received.count
            if position > 0 {
                received.removeFirst(position)
                searched -= position
                position = 0
            }
            guard try receive() else {
                guard received.isEmpty else {
                    throw Trouble(description: "the output ends within a line: \(String(decoding: received.prefix(200), as: UTF8.self))")
                }
                return nil
            }
        }
    }

    /// All further lines, up to the end of the host's output.
    package func remainingLines() throws -> [[UInt8]] {
        var lines: [[UInt8]] = []
        while let line = try nextLine() { lines.append(line) }
        return lines
    }

    /// Waits until the host can do nothing more without input or time, which it shows by answering a ping: a deterministic host reads its next
    /// line only then.
    ///
    /// - Returns: the lines that came before it did, also when it ended instead.
    package func linesUntilRest() throws -> [[UInt8]] {
        send(Array(#"{"jsonrpc":"2.0","id":"\#(Self.barrier)","method":"ping"}"#.utf8) + [UInt8(ascii: "\n")])
        var lines: [[UInt8]] = []
        while let line = try nextLine(), line != barrierAnswer { lines.append(line) }
        return lines
    }

    private func receive() throws -> Bool {
        var readable = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
        let ready = poll(&readable, 1, Self.patience)
        if ready == 0 { throw Trouble(description: "the host has been silent for \(Self.patience / 1_000) s") }
        if ready < 0 { return errno == EINTR ? try receive() : false }
        let chunk = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
            count = max(0, read(output, buffer.baseAddress, buffer.count))
        }
        received += chunk
        return !chunk.isEmpty
    }

    // MARK: Requests

    /// Sends a request and waits for its answer; events that come before it are passed over.
    ///
    /// - Parameters:
    ///   - method: the method's name.
    ///   - params: an object.
    package func call(_ method: String, _ params: JSONValue = [:]) throws -> Answer {
        nextID += 1
        let id = JSONValue.integer(Int64(nextID))
        send(
            JSONWriter.encode(["jsonrpc": "2.0", "id": id, "method": .string(method), "params": params] as JSONValue) + [UInt8(ascii: "\n")]
        )
        while let line = try nextLine() {
            let message = try JSONReader.parse(line)
            if message["id"] == id { return Answer(line: line, message: message) }
        }
        throw Trouble(description: "the host ended before it answered \(method)")
    }

    /// Sends a request that must succeed.
    ///
    /// - Returns: its result.
    /// - Throws: `Trouble` when it was refused.
    package func result(of method: String, _ params: JSONValue = [:]) throws -> JSONValue {
        let answer = try call(method, params)
        guard let result = answer.result else {
            throw Trouble(description: "\(method) was refused: \(answer.text)")
        }
        return result
    }
}
