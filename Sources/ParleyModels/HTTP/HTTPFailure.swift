/// Why a request has no response, or a response no end.
package struct HTTPFailure: Error, Sendable, Equatable {
    /// What kind of thing went wrong, for the caller to decide by.
    package enum Kind: Sendable, Equatable {
        /// The host's name has no address.
        case resolve
        /// No connection came about.
        case connect
        /// The TLS handshake failed or the certificate is not trusted.
        case tls
        /// One of the request's bounds of time was reached.
        case timeout(Phase)
        /// The peer closed or reset the connection before the response had come to its end.
        case closed
        /// The response's header, or one event of its body, is larger than allowed.
        case tooLarge
        /// The URL is malformed, or not one that may be asked.
        case badURL
        /// The task, the response or the client was cancelled.
        case cancelled
        /// Anything else; the message says what.
        case other
    }

    /// The part of an exchange that took too long.
    package enum Phase: Sendable, Equatable {
        /// Until the connection, TLS included, stood.
        case connect
        /// From then until the response's header had come.
        case firstByte
        /// Between two bytes of the body.
        case idle
    }

    /// What kind of thing went wrong.
    package let kind: Kind
    /// One line for a developer; it may name the host, and never holds credentials, a path, a query or a header.
    package let message: String

    /// Makes a failure; see the properties for what the parameters mean.
    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
}
