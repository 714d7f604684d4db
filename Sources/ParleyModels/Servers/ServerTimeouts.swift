/// How long a server of models may be silent.
package struct ServerTimeouts: Sendable {
    /// Until the connection, TLS included, stands.
    package var connect: Duration
    /// From then until it begins to answer.
    package var firstByte: Duration
    /// Between two bytes of the answer; comments count.
    package var idle: Duration

    /// Makes bounds; see the properties for what the parameters mean.
    package init(connect: Duration = .seconds(10), firstByte: Duration = .seconds(300), idle: Duration = .seconds(300)) {
        self.connect = connect
        self.firstByte = firstByte
        self.idle = idle
    }
}
