import Foundation
import Glibc

/// A request that a `LoopbackServer` has read.
package struct LoopbackRequest: Sendable {
    /// The method of the request line.
    package let method: String
    /// The path and query of the request line.
    package let path: String
    /// The header fields, names in lower case.
    package let headers: [(name: String, value: String)]
    /// The body, of `Content-Length` bytes.
    package let body: [UInt8]
    /// Which connection it came on, counted from 0.
    package let connection: Int

    /// The value of the first field of that name, or nil.
    ///
    /// - Parameter name: The name in lower case.
    package func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value
    }
}

/// One connection of a `LoopbackServer`, for its handler to send on.
///
/// Nothing here throws: when the peer has gone, sending returns false and does nothing.
///
/// `@unchecked Sendable` is right: `descriptor` and `sent` are read and written under `lock` alone, `input` belongs to the
/// connection's thread, and the rest never changes.
package final class LoopbackConnection: @unchecked Sendable {
    /// The gates of the server.
    package let gates: LoopbackGates
    /// Which of the server's connections this is, counted from 0.
    package let number: Int

    private let lock = NSLock()
    private var descriptor: Int32
    private var sent = 0
    private var input: [UInt8] = []

    init(_ descriptor: Int32, number: Int, gates: LoopbackGates) {
        self.number = number
        self.descriptor = descriptor
        self.gates = gates
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    /// How many bytes the system has taken from the handler so far.
    package var bytesSent: Int { lock.withLock { sent } }

    /// Sends bytes as they are.
    ///
    /// - Returns: False if the peer has gone.
    @discardableResult
    package func send(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = write(rest, flags: 0)
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Sends a text as it is.
    ///
    /// - Returns: False if the peer has gone.
    @discardableResult
    package func send(_ text: String) -> Bool {
        send(Array(text.utf8)[...])
    }

    /// Sends a whole response with `Content-Length`.
    ///
    /// - Returns: False if the peer has gone.
    @discardableResult
    package func respond(_ status: String = "200 OK", _ headers: KeyValuePairs<String, String> = [:], body: String = "") -> Bool {
        send(Self.head(status, headers, framing: "Content-Length: \(body.utf8.count)") + body)
    }

    /// Sends the header of a response whose body comes in chunks.
    ///
    /// - Returns: False if the peer has gone.
    @discardableResult
    package func sendHead(_ headers: KeyValuePairs<String, String> = [:]) -> Bool {
        send(Self.head("200 OK", headers, framing: "Transfer-Encoding: chunked"))
    }

    /// Sends one chunk of a body.
    ///
    /// - Returns: False if the peer has gone.
    @discardableResult
    package func sendChunk(_ text: String) -> Bool {
        send("\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n")
    }

    /// Sends the end of a body in chunks.
    ///
    /// - Returns: False if the peer has gone.
    @discardableResult
    package func endChunks() -> Bool {
        send("0\r\n\r\n")
    }

    /// Sends bytes until the peer takes no more of them.
    ///
    /// - Parameters:
    ///   - bytes: What to send.
    ///   - patience: For how many milliseconds the peer may take nothing.
    /// - Returns: How many bytes the system has taken.
    package func sendUntilStuck(_ bytes: [UInt8], patience: Int32) -> Int {
        var done = 0
        while done < bytes.count {
            let count = write(bytes[done...], flags: Int32(MSG_DONTWAIT))
            if count > 0 {
                done += count
            } else {
                var writable = pollfd(fd: lock.withLock { descriptor }, events: Int16(POLLOUT), revents: 0)
                guard errno == EAGAIN, poll(&writable, 1, patience) > 0 else { break }
            }
        }
        return done
    }

    /// Waits until the peer has closed the connection, or the server is stopped.
    package func waitForPeer() {
        while read() > 0 {}
    }

    /// Waits as long as the peer neither sends anything nor closes the connection.
    ///
    /// - Parameter milliseconds: For how long at most.
    package func wait(atMost milliseconds: Int32) {
        var readable = pollfd(fd: lock.withLock { descriptor }, events: Int16(POLLIN), revents: 0)
        poll(&readable, 1, milliseconds)
    }

    /// Closes the connection; what was sent still arrives.
    package func close() {
        lock.withLock {
            guard descriptor >= 0 else { return }
            Glibc.close(descriptor)
            descriptor = -1
        }
    }

    /// Closes the connection with RST; what was sent and not yet read by the peer is lost.
    package func reset() {
        lock.withLock {
            var option = linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        }
        close()
    }

    /// The next bytes that come, which are no request; nil at the end of the connection.
    package func receive() -> [UInt8]? {
        guard !input.isEmpty || read() > 0 else { return nil }
        defer { input = [] }
        return input
    }

    /// Passes all bytes on to a port of this machine and back, until one of the two ends is closed; for a proxy.
    ///
    /// - Parameter port: the port on 127.0.0.1.
    package func tunnel(to port: UInt16) {
        let upstream = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { Glibc.close(upstream) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(upstream, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard code == 0, send("HTTP/1.1 200 Connection established\r\n\r\n") else { return }
        let client = lock.withLock { descriptor }
        var bytes = [UInt8](repeating: 0, count: 16 << 10)
        var ends = [client, upstream].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while poll(&ends, 2, -1) > 0 {
            for (from, to) in [(ends[0], upstream), (ends[1], client)] where from.revents != 0 {
                let count = recv(from.fd, &bytes, bytes.count, 0)
                guard count > 0, Glibc.send(to, bytes, count, Int32(MSG_NOSIGNAL)) == count else { return }
            }
        }
    }

    /// Ends all waiting on the connection, from another thread than its own.
    func abandon() {
        lock.withLock { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    /// Reads the next request, or returns nil at the end of the connection.
    func readRequest() -> LoopbackRequest? {
        let blank = Array("\r\n\r\n".utf8)
        var end = input.firstRange(of: blank)
        while end == nil {
            guard read() > 0 else { return nil }
            end = input.firstRange(of: blank)
        }
        guard let end else { return nil }
        let lines = String(decoding: input[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let start = lines[0].components(separatedBy: " ")
        let headers = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return (name: parts[0].lowercased(), value: parts.dropFirst().joined().trimmingCharacters(in: .whitespaces))
        }
        let length = headers.first { $0.name == "content-length" }.flatMap { Int($0.value) } ?? 0
        while input.count < end.upperBound + length {
            guard read() > 0 else { return nil }
        }
        let body = Array(input[end.upperBound..<(end.upperBound + length)])
        input.removeSubrange(..<(end.upperBound + length))
        return LoopbackRequest(method: start[0], path: start.dropFirst().first ?? "", headers: headers, body: body, connection: number)
    }

    private static func head(_ status: String, _ headers: KeyValuePairs<String, String>, framing: String) -> String {
        "HTTP/1.1 \(status)\r\n" + headers.map { "\($0): \($1)\r\n" }.joined() + framing + "\r\n\r\n"
    }

    /// Appends what has come to `input`; only this thread closes the descriptor, so that it stays what it is meanwhile.
    private func read() -> Int {
        var bytes = [UInt8](repeating: 0, count: 16 << 10)
        let count = recv(lock.withLock { descriptor }, &bytes, bytes.count, 0)
        if count > 0 { input += bytes[..<count] }
        return count
    }

    private func write(_ bytes: ArraySlice<UInt8>, flags: Int32) -> Int {
        let descriptor = lock.withLock { self.descriptor }
        let count = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, flags | Int32(MSG_NOSIGNAL)) }
        if count > 0 { lock.withLock { sent += count } }
        return count
    }
}
