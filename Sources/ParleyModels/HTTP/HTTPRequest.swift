/// One HTTP request and the bounds within which its response has to come.
package struct HTTPRequest: Sendable {
    /// The method, a token of RFC 9110.
    package var method: String
    /// The absolute `https://` URL, or an `http://` URL of a host for which plain HTTP is allowed.
    package var url: String
    /// The header fields; `Accept-Encoding: identity` is added unless one is given.
    package var headers: HTTPHeaders
    /// The body, sent with `Content-Length`.
    package var body: [UInt8]
    /// How long finding the address, connecting and the TLS handshake may take together.
    package var connectTimeout: Duration
    /// How long the response's header may take once the connection stands; nil for no bound.
    package var firstByteTimeout: Duration?
    /// How long no byte at all may come once the response's header is in; nil for no bound. Time during which the reader holds
    /// the transfer up does not count.
    package var idleTimeout: Duration?
    /// How many bytes of header (status lines, informational responses and trailers included) the response may have.
    package var maximumHeaderBytes: Int

    /// Makes a request; see the properties for what the parameters mean.
    package init(
        method: String = "POST",
        url: String,
        headers: HTTPHeaders = [:],
        body: [UInt8] = [],
        connectTimeout: Duration = .seconds(10),
        firstByteTimeout: Duration? = nil,
        idleTimeout: Duration? = .seconds(300),
        maximumHeaderBytes: Int = 64 << 10
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.connectTimeout = connectTimeout
        self.firstByteTimeout = firstByteTimeout
        self.idleTimeout = idleTimeout
        self.maximumHeaderBytes = maximumHeaderBytes
    }
}
