package import JSON

/// What a connection calls for what its peer sends.
///
/// The three `handle` functions and `waitUntilReadyForNextLine` are called one at a time on the reader's thread, in the order of the lines,
/// and must not block: decode, take a place in order, return. The others say themselves where they are called.
package protocol MessageHandler: Sendable {
    /// A request came in.
    /// - Parameter reply: takes the one answer, now or at any time later, from any thread.
    func handle(_ request: IncomingRequest, reply: Reply)

    /// A notification came in, which nobody can answer.
    func handle(notification: IncomingRequest)

    /// The peer answered a request of ours.
    /// - Parameters:
    ///   - id: the id that it answered, which may be one that was never used.
    ///   - result: its result, or its error; -32600 when its answer was not valid.
    func handle(response id: RequestID, result: Result<JSONValue, RPCError>)

    /// Called before each line, and before each member of a batch, is handled. A deterministic host blocks here until nothing can run; others
    /// return at once.
    ///
    /// What was sent meanwhile may still wait for the lines of the same read (see `Connection`), at most 64 KiB of it.
    func waitUntilReadyForNextLine()

    /// The input ended, or reading was stopped. Called once, after the last line was handled: on the reader's thread, or within
    /// `stopReading()` when the reader is idle.
    func inputEnded()

    /// The peer is gone or writing failed for another reason; all frames are dropped from now on. Called once, on the writer's thread.
    func outputBroken()

    /// Something happened that is odd but not an error on the wire. Called on any thread, also from within calls of the connection: it must
    /// not call back.
    func log(_ event: TransportEvent)
}
