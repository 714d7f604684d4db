/// A response whose header has come and whose body is still coming.
///
/// One task at a time reads the body. A response that is dropped before its end ends its transfer.
package final class HTTPResponse: Sendable {
    /// The status code, 200 to 999.
    package let status: Int
    /// The header fields.
    package let headers: HTTPHeaders

    private let delivery: HTTPDelivery

    /// Reads the header that a delivery has brought.
    ///
    /// - Parameters:
    ///   - head: The bytes of the status line and the header fields.
    ///   - delivery: Where the body will come.
    /// - Throws: `.other` if there is no status in the first line.
    init(head: [UInt8], delivery: HTTPDelivery) throws(HTTPFailure) {
        let line = head.prefix { $0 != UInt8(ascii: "\n") }
        guard let status = Self.status(of: line) else { throw HTTPFailure(.other, "the response has no status") }
        self.status = status
        self.headers = HTTPHeaders(parsing: head[line.endIndex...])
        self.delivery = delivery
    }

    deinit {
        delivery.cancel()
    }

    /// The next part of the body: all that has come since the last call.
    ///
    /// - Returns: At least one byte, or nil at the end of a complete body.
    /// - Throws: `.closed` if the body was cut, `.timeout(.idle)`, `.cancelled` if the task, the response or the client was
    ///   cancelled, `.tooLarge` for too many trailers, `.other`.
    package nonisolated(nonsending) func next() async throws(HTTPFailure) -> [UInt8]? {
        try await delivery.next().get()
    }

    /// Ends the transfer now; a task that waits in `next()` gets `.cancelled`.
    package func cancel() {
        delivery.cancel()
    }

    /// Discards the rest of the body, which the reader knows to be nothing but its end.
    ///
    /// The transfer may still come to that end, for a second, so that its connection can be used again: one that is cancelled is closed.
    package func letEnd() {
        delivery.letEnd()
    }

    /// The rest of the body, for a response of which only the beginning matters.
    ///
    /// - Parameter limit: How many bytes are enough; at this number the transfer is ended.
    /// - Returns: At most `limit` bytes.
    /// - Throws: What `next()` throws.
    package nonisolated(nonsending) func body(limit: Int) async throws(HTTPFailure) -> [UInt8] {
        var body: [UInt8] = []
        while let bytes = try await next() {
            body += bytes.prefix(limit - body.count)
            if body.count == limit {
                cancel()
                break
            }
        }
        return body
    }

    /// The status code in a status line (RFC 9112, section 4), or nil.
    ///
    /// - Parameter line: The line's bytes.
    static func status(of line: ArraySlice<UInt8>) -> Int? {
        let digits = line.drop { $0 != UInt8(ascii: " ") }.dropFirst().prefix(3)
        guard digits.count == 3 else { return nil }
        return Int(String(decoding: digits, as: UTF8.self))
    }
}
