import BenchmarkFloors
import Foundation
import Glibc

/// A server of models that gives every request the same number of numbered tokens, all streams at the same even pace, from one thread.
///
/// The streams are spread over the time between two tokens, as those of many people are: a server that sent to all at once would be read at
/// once too, and more cheaply.
///
/// `@unchecked Sendable` is right: what changes is read and written under `condition` alone, or belongs to the thread.
final class TokenServer: @unchecked Sendable {
    /// The port on 127.0.0.1.
    let port: UInt16

    private let streams: Int
    private let tokens: Int
    private let rate: Int
    private let listener: Int32
    private let condition = NSCondition()
    private var asked = 0
    private var mayBegin = false
    private var outcome: (sent: Int, seconds: Double, lag: Double)?

    /// Into how many parts the time between two tokens is divided.
    private static let slots = 20

    /// Starts a server.
    ///
    /// - Parameters:
    ///   - streams: how many requests will come; the tokens begin when all are there.
    ///   - tokens: how many each gets.
    ///   - rate: how many each gets in a second.
    init(streams: Int, tokens: Int, rate: Int) {
        self.streams = streams
        self.tokens = tokens
        self.rate = rate
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let (listener, size) = (listener, length)
        let code = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, size) | getsockname(listener, $0, &length) }
        }
        precondition(code == 0 && listen(listener, 4_096) == 0, "no socket to listen on")
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { self.run() }
    }

    deinit {
        close(listener)
    }

    /// Waits until all requests are there, and lets the tokens begin.
    func begin() {
        condition.withLock {
            while asked < streams { condition.wait() }
            mayBegin = true
            condition.broadcast()
        }
    }

    /// Waits until all streams have ended.
    ///
    /// - Returns: how many tokens were sent, in what time, and how late the latest of them was, in seconds.
    func end() -> (sent: Int, seconds: Double, lag: Double) {
        condition.withLock {
            while true {
                if let outcome { return outcome }
                condition.wait()
            }
        }
    }

    private func run() {
        var connections: [Int32] = []
        while connections.count < streams {
            let connection = accept(listener, nil, nil)
            precondition(connection >= 0, "accept fails")
            var on: Int32 = 1
            setsockopt(connection, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
            Self.readRequest(connection)
            Self.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n", to: connection)
            connections.append(connection)
        }
        condition.withLock {
            asked = streams
            condition.broadcast()
            while !mayBegin { condition.wait() }
        }
        let (start, lag) = sendTokens(to: connections)
        for connection in connections {
            let usage = #"{"prompt_tokens":9,"completion_tokens":\#(tokens)}"#
            Self.send(
                Self.chunk(#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":\#(usage)}"#) + Self.chunk("[DONE]")
                    + "0\r\n\r\n", to: connection)
        }
        condition.withLock {
            outcome = (connections.count * tokens, floor_now() - start, lag)
            condition.broadcast()
        }
        for connection in connections { close(connection) }
    }

    /// - Returns: when the first was due, and how late the latest was.
    private func sendTokens(to connections: [Int32]) -> (start: Double, lag: Double) {
        let start = floor_now()
        var lag = 0.0
        for number in 0..<tokens {
            let text = String(format: "%0\(TokenReader.tokenBytes - 1)d ", number)
            let chunk = Self.chunk(
                #"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1764100000,"model":"m","choices":"#
                    + #"[{"index":0,"delta":{"content":"\#(text)"},"finish_reason":null}]}"#)
            for slot in 0..<Self.slots {
                let due = start + (Double(number) + Double(slot) / Double(Self.slots)) / Double(rate)
                let now = floor_now()
                if now < due { usleep(UInt32((due - now) * 1e6)) } else { lag = max(lag, now - due) }
                for index in stride(from: slot, to: connections.count, by: Self.slots) { Self.send(chunk, to: connections[index]) }
            }
        }
        return (start, lag)
    }

    private static func chunk(_ data: String) -> String {
        let event = "data: \(data)\n\n"
        return "\(String(event.utf8.count, radix: 16))\r\n\(event)\r\n"
    }

    private static func send(_ text: String, to connection: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var done = 0
            while done < bytes.count {
                let count = Glibc.send(connection, bytes.baseAddress?.advanced(by: done), bytes.count - done, Int32(MSG_NOSIGNAL))
                precondition(count > 0, "the program under test has closed a stream")
                done += count
            }
        }
    }

    private static func readRequest(_ connection: Int32) {
        var request: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = recv(connection, &buffer, buffer.count, 0)
            precondition(count > 0, "the program under test has closed a stream")
            request += buffer[..<count]
            guard let end = request.firstRange(of: Array("\r\n\r\n".utf8)) else { continue }
            let head = String(decoding: request[..<end.lowerBound], as: UTF8.self).lowercased()
            let length = head.split(separator: "\r\n").first { $0.hasPrefix("content-length:") }?.dropFirst(15)
            if request.count >= end.upperBound + (length.flatMap { Int($0.trimmingCharacters(in: .whitespaces)) } ?? 0) { return }
        }
    }
}
