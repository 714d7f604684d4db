import Glibc
package import JSON

/// A host as a child process: requests go to it, and what it says comes from it, without ever waiting for it.
///
/// Whoever uses it waits by itself, for `output` and `errors` to be readable.
package final class HostConnection {
    /// What a host says.
    package enum Message {
        /// The answer to a request.
        case response(id: Int, Result<JSONValue, Refusal>)
        /// Something that happened.
        case notification(method: String, params: JSONValue)
        /// Something that the host wants of its client; its id goes into `reply`.
        case request(id: JSONValue, method: String, params: JSONValue)
    }

    /// An error that a host answers with.
    package struct Refusal: Error {
        /// What to match: `data.code`.
        package let code: String
        /// One sentence.
        package let message: String
        /// More about it; an object.
        package let data: JSONValue

        /// Reads an error of JSON-RPC, or the `error` of a turn.
        ///
        /// - Parameter error: the object with `message` and `data`.
        package init(_ error: JSONValue) {
            data = error["data"] ?? [:]
            code = data["code"]?.stringValue ?? ""
            message = error["message"]?.stringValue ?? ""
        }
    }

    /// How much of what the host logs is kept, in bytes: the end.
    private static let tailBytes = 16_384

    private let process: SpawnedProcess
    private var nextID = 0
    private var received: [UInt8] = []
    private var position = 0
    private var log: [UInt8] = []
    private var isInputOpen = true

    /// Starts a host. It makes this process ignore SIGPIPE, which would otherwise end it when the host goes early.
    ///
    /// - Parameters:
    ///   - path: the executable's path.
    ///   - arguments: without the program's name.
    /// - Throws: `SpawnedProcess.StartFailure`.
    package init(_ path: String, _ arguments: [String]) throws(SpawnedProcess.StartFailure) {
        signal(SIGPIPE, SIG_IGN)
        process = try SpawnedProcess(path, arguments, takesErrors: true)
    }

    /// Where the host writes.
    package var output: Int32 { process.output }

    /// Where the host writes its log.
    package var errors: Int32 { process.errors ?? -1 }

    /// Sends a request.
    ///
    /// - Returns: its id.
    package func send(_ method: String, _ params: JSONValue = [:]) -> Int {
        nextID += 1
        write(["jsonrpc": "2.0", "id": .integer(Int64(nextID)), "method": .string(method), "params": params])
        return nextID
    }

    /// Asks for the end of a request that was sent.
    package func cancel(_ id: Int) {
        write(["jsonrpc": "2.0", "method": "$/cancelRequest", "params": ["id": .integer(Int64(id))]])
    }

    /// Answers a request of the host's.
    package func reply(to id: JSONValue, _ result: JSONValue) {
        write(["jsonrpc": "2.0", "id": id, "result": result])
    }

    /// Refuses a request of the host's, because this client has no such method.
    package func refuse(_ id: JSONValue) {
        write(["jsonrpc": "2.0", "id": id, "error": ["code": -32601, "message": "This client has no such method."]])
    }

    /// Takes what the host has written; to be called when `output` is readable.
    ///
    /// - Returns: false once the host has closed it.
    package func receive() -> Bool {
        if position > 0 {
            received.removeFirst(position)
            position = 0
        }
        let chunk = Descriptor.read(process.output)
        received += chunk
        return !chunk.isEmpty
    }

    /// The next message that has come; nil when none is complete. What is no message is passed over.
    package func nextMessage() -> Message? {
        while let end = received[position...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = position..<end
            position = end + 1
            if let message = Self.message(received, line) { return message }
        }
        return nil
    }

    /// Takes what the host has logged; to be called when `errors` is readable.
    ///
    /// - Returns: false once the host has closed it.
    package func receiveLog() -> Bool {
        let chunk = Descriptor.read(errors)
        log += chunk
        if log.count > Self.tailBytes { log.removeFirst(log.count - Self.tailBytes) }
        return !chunk.isEmpty
    }

    /// Forgets what the host has logged so far.
    package func forgetLog() {
        log = []
    }

    /// The last lines that the host has logged.
    ///
    /// - Parameter count: how many at most.
    package func lastLines(_ count: Int) -> [String] {
        String(decoding: log, as: UTF8.self).split(separator: "\n").suffix(count).map(String.init)
    }

    /// Closes the host's input, takes the rest of its log and waits for its end; to be called once, after which the connection is of no use.
    ///
    /// - Parameter milliseconds: how long to wait; then it is killed.
    /// - Returns: nil when it has ended with 0; otherwise what became of it.
    package func end(within milliseconds: Int) -> SpawnedProcess.Ending? {
        endInput()
        close(process.output)
        // A host whose log nobody reads would wait for that.
        let ending = process.end(within: milliseconds) { takeLog() }
        takeLog()
        close(errors)
        return ending
    }

    /// Takes what is there of the log, and waits for no more: others could hold the pipe open.
    private func takeLog() {
        var readable = pollfd(fd: errors, events: Int16(POLLIN), revents: 0)
        while poll(&readable, 1, 0) > 0, receiveLog() {}
    }

    private func endInput() {
        if isInputOpen { close(process.input) }
        isInputOpen = false
    }

    private static func message(_ bytes: [UInt8], _ line: Range<Int>) -> Message? {
        let value: JSONValue
        do {
            value = try JSONReader.parse(Array(bytes[line]))
        } catch {
            // Another program has written into the host's output; what is missed is told by what then does not come.
            return nil
        }
        guard let method = value["method"]?.stringValue else {
            guard let id = value["id"]?.intValue else { return nil }
            if let error = value["error"] { return .response(id: id, .failure(Refusal(error))) }
            return .response(id: id, .success(value["result"] ?? .null))
        }
        let params = value["params"] ?? [:]
        return value["id"].map { .request(id: $0, method: method, params: params) } ?? .notification(method: method, params: params)
    }

    /// Writes a line; does nothing when the host is gone, which the end of its output tells.
    private func write(_ message: JSONValue) {
        guard isInputOpen else { return }
        Descriptor.write(JSONWriter.encode(message) + [UInt8(ascii: "\n")], to: process.input)
    }
}
