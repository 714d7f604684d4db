/// How long a server of models may be silent.
package struct ServerTimeouts: Sendable {
    /// Until the connection, TLS included, stands.
    package var connect: Duration
    /// Before the answer and between two of its bytes; comments count.
    package var idle: Duration

    /// Makes bounds; see the properties for what the parameters mean.
    package init(connect: Duration = .seconds(10), idle: Duration = .seconds(300)) {
        self.connect = connect
        self.idle = idle
    }
}
