package import JSON
import ParleyTranscripts

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

    /// How long the host may be silent while something is expected of it, in milliseconds; long, because machines may be busy.
    private static let patience: Int32 = 120_000

    private let client: LineClient
    private var nextID = 0

    /// Takes two descriptors, which are the client's from now on.
    ///
    /// - Parameters:
    ///   - input: where the host reads.
    ///   - output: where the host writes.
    package init(input: Int32, output: Int32) {
        client = LineClient(input: input, output: output, patience: Self.patience)
    }

    // MARK: Bytes

    /// Sends bytes as they are; does nothing when the host is gone.
    package func send(_ bytes: [UInt8]) { client.send(bytes) }

    /// Closes the host's input.
    package func endInput() { client.endInput() }

    /// The next line without its end; nil when the host has closed its output.
    package func nextLine() throws -> [UInt8]? { try client.nextLine() }

    /// All further lines, up to the end of the host's output.
    package func remainingLines() throws -> [[UInt8]] { try client.remainingLines() }

    /// Waits until the host can do nothing more without input or time.
    ///
    /// - Returns: the lines that came before it could, also when it ended instead.
    package func linesUntilRest() throws -> [[UInt8]] { try client.linesUntilRest() }

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
