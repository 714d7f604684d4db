import Glibc
package import JSON

/// One JSON-RPC connection: lines of JSON over a pair of descriptors, requests in both directions.
///
/// **In.** One thread reads and calls the handler for each line in order; the bytes of one read are one array that all its lines share.
///
/// **Out.** Any thread sends whole frames, which leave in the order of the calls. Whoever finds nobody writing writes, without ever
/// blocking; when the peer does not keep up, a second thread, started then, takes over. While the lines of one read are handled, frames
/// gather up to 64 KiB, so that the answers of pipelined requests leave in one write.
///
/// **When the peer reads slowly**, nothing is dropped here. The sender of deltas looks at `isCongested` before each; while it holds, it
/// joins deltas instead of sending them and pauses their source, until the body of `onceWritable` is called. All else is sent regardless,
/// and when more than `maxOutboundBytes` wait, the reader handles no further line until less do.
///
/// **Memory** is bounded by: one line of `maxLineBytes` and one read, twice while the line is handled; `maxOutboundBytes` for what waits to
/// be written, and as much for answers that wait for others of their batch; and beyond that by what one line asks for and what the requests
/// in flight, whose number the handler bounds, still send.
///
/// The connection keeps its handler, and closes neither of the two descriptors.
package final class Connection: Sendable {
    private let outbox: Outbox
    private let ledger: RequestLedger
    private let input: InputLoop

    /// Makes a connection that does nothing until `start()`, except that it can already send.
    /// - Parameters:
    ///   - input: a descriptor to read from.
    ///   - output: a descriptor to write to; a pipe is reopened, see `OutputDescriptor`.
    ///   - limits: what bounds its memory.
    ///   - handler: what to call; kept as long as the connection.
    package convenience init(input: Int32, output: Int32, limits: TransportLimits = TransportLimits(), handler: any MessageHandler) {
        self.init(input: input, output: OutputDescriptor(output), limits: limits, handler: handler)
    }

    init(input: Int32, output: OutputDescriptor, limits: TransportLimits, handler: any MessageHandler) {
        outbox = Outbox(descriptor: output, limits: limits) { code in
            handler.log(.outputFailed(code: code))
            handler.outputBroken()
        }
        ledger = RequestLedger(outbox: outbox, handler: handler)
        self.input = InputLoop(
            descriptor: input, outbox: outbox, dispatcher: Dispatcher(handler: handler, ledger: ledger, limits: limits))
    }

    /// Starts the reader's thread; to be called once. It makes this process ignore SIGPIPE, which would otherwise end it when the peer
    /// goes.
    package func start() {
        signal(SIGPIPE, SIG_IGN)
        input.start()
    }

    /// Lets no further line be handled and waits for nothing; the thread may stay in read(2), where it does no harm. Leads to
    /// `inputEnded()`.
    package func stopReading() {
        input.stop()
    }

    /// How many requests, not notifications, were received and are not answered; those of a batch count until the batch is answered.
    package var requestsInFlight: Int { ledger.count }

    /// Sends a notification.
    /// - Parameters:
    ///   - method: a name that needs no escapes.
    ///   - params: writes one object.
    package func notify(_ method: StaticString, _ params: (inout JSONWriter) -> Void) {
        var writer = JSONWriter()
        writer.notification(method, params)
        outbox.send(writer.bytes)
    }

    /// Sends a request, whose answer comes to the handler's `handle(response:result:)`.
    /// - Parameters:
    ///   - method: a name that needs no escapes.
    ///   - id: an id that no other request of ours on this connection has.
    ///   - params: writes one object.
    package func request(_ method: StaticString, id: RequestID, _ params: (inout JSONWriter) -> Void) {
        var writer = JSONWriter()
        writer.request(method, id: id, params)
        outbox.send(writer.bytes)
    }

    /// Sends frames that the caller has encoded, as with `JSONWriter.notification`: one or many whole lines, each ended by a newline.
    package func send(_ frames: [UInt8]) {
        guard !frames.isEmpty else { return }
        assert(frames.last == 0x0A, "a frame ends with a newline")
        outbox.send(frames)
    }

    /// From now on small frames wait for one another, up to what one write takes, until `uncork()`.
    package func cork() {
        outbox.cork()
    }

    /// Lets what the cork held back leave, also what others have corked; to be called once for each `cork()`.
    package func uncork() {
        outbox.uncork()
    }

    /// Whether more than `congestionBytes` wait to be written.
    package var isCongested: Bool { outbox.isCongested }

    /// Whether nobody reads any more what is written. Looked at with a system call: who writes learns it without.
    package var isAbandoned: Bool { outbox.isAbandoned }

    /// Calls the body once: at once and on this thread when the connection is not congested, otherwise on the writer's thread, which it
    /// must not block, as soon as less than half of `congestionBytes` wait or the output is broken.
    package func onceWritable(_ body: @escaping @Sendable () -> Void) {
        outbox.onceWritable(body)
    }

    /// Returns when all that was sent before is written, or the output is broken, or this task is cancelled.
    package func flush() async {
        await outbox.flush()
    }

    /// Flushes, then ends the writer's thread; what is sent later is dropped. Where the task is cancelled before the peer has read
    /// everything, the thread lasts until the peer has or is gone.
    package func close() async {
        await outbox.close()
    }
}
