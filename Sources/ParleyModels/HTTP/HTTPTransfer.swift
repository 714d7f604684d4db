import CCurl

/// One request on its way: libcurl's handle for it, and what has come and not been handed over.
///
/// It is made, used and dropped by the engine's thread alone, and is therefore not Sendable.
final class HTTPTransfer {
    /// Where what comes goes.
    let delivery: HTTPDelivery
    /// libcurl's handle; the transfer owns it.
    let easy: UnsafeMutableRawPointer

    /// When the transfer has taken too long, in nanoseconds; `.max` for never.
    var deadline = UInt64.max
    /// Up to when the engine does not look at `deadline`, in nanoseconds; `.max` if it does not at all.
    var nextLook = UInt64.max
    /// Whether it stands in the engine's list of transfers with something to hand over.
    var isDirty = false
    /// How it ended, or nil while it goes on.
    var ending: HTTPDelivery.Ending?
    /// Whether libcurl holds it still because the reader is slow.
    private(set) var isPaused = false
    /// Whether the response's header is complete.
    private(set) var hasHead = false

    private unowned let engine: HTTPEngine
    let target: HTTPTarget
    private let firstByteTimeout: UInt64
    private let idleTimeout: UInt64
    /// When the transfer is ended whatever comes, in nanoseconds, because nobody waits for it any more; `.max` while somebody does.
    private var lastMoment = UInt64.max
    private let maximumHeaderBytes: Int
    let errorBuffer: UnsafeMutablePointer<CChar>
    var headerList: UnsafeMutablePointer<curl_slist>?

    private var head: [UInt8] = []
    private var headerBytes = 0
    private var arrived: [UInt8] = []
    private var lastBatch = 0
    private var undelivered = 0
    private var refusal: HTTPFailure?

    /// Prepares a request without sending anything.
    ///
    /// - Throws: `.badURL`, or `.other` if a header or the method has characters that do not belong there.
    init(_ request: HTTPRequest, delivery: HTTPDelivery, configuration: HTTPClientConfiguration, engine: HTTPEngine) throws(HTTPFailure) {
        target = try HTTPTarget(request.url, allowingInsecureHTTPTo: configuration.allowInsecureHTTPHosts)
        guard let easy = curl_easy_init() else { throw HTTPFailure(.other, "out of memory") }
        self.easy = easy
        self.delivery = delivery
        self.engine = engine
        firstByteTimeout = request.firstByteTimeout.map(Self.nanoseconds) ?? .max
        idleTimeout = request.idleTimeout.map(Self.nanoseconds) ?? .max
        maximumHeaderBytes = request.maximumHeaderBytes
        errorBuffer = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorBuffer.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        try setUp(request, configuration)
    }

    /// The engine has taken the handle out of libcurl's set before it drops the transfer, so that nothing calls back any more.
    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(headerList)
        errorBuffer.deallocate()
    }

    // MARK: From libcurl

    /// Begins to count the time until the first byte: the connection stands and the request is about to be sent.
    func begin() {
        deadline = Self.sum(engine.now, firstByteTimeout)
        engine.watch(self)
    }

    /// Takes a line of a header.
    ///
    /// - Returns: False to end the transfer.
    func receive(headerLine line: UnsafeRawBufferPointer) -> Bool {
        headerBytes += line.count
        guard headerBytes <= maximumHeaderBytes else {
            refusal = HTTPFailure(.tooLarge, "the response's header has more than \(maximumHeaderBytes) bytes")
            return false
        }
        // What comes after the body is a trailer, and nobody needs one.
        guard !hasHead else { return true }
        head.append(contentsOf: line)
        guard line.first == UInt8(ascii: "\r") || line.first == UInt8(ascii: "\n") else { return true }
        if let status = HTTPResponse.status(of: head[...]), status / 100 == 1 {
            // An informational response (RFC 9110, section 15.2) comes before the real one.
            head = []
        } else {
            hasHead = true
            markDirty()
        }
        return true
    }

    /// Takes a part of the body.
    ///
    /// - Returns: False if there is no room for it: then the transfer is paused, and the same bytes come again later.
    func receive(body bytes: UnsafeRawBufferPointer) -> Bool {
        guard undelivered + arrived.count < HTTPDelivery.highWater else {
            isPaused = true
            markDirty()
            return false
        }
        if arrived.isEmpty { arrived.reserveCapacity(max(lastBatch, bytes.count)) }
        arrived.append(contentsOf: bytes)
        markDirty()
        return true
    }

    // MARK: From the engine

    /// Notes how libcurl says that the transfer ended.
    func end(_ code: CURLcode) {
        if let refusal {
            ending = .failed(refusal)
        } else if code == CURLE_OK {
            ending = .complete
        } else {
            let detail = String(cString: errorBuffer)
            ending = .failed(HTTPFailure(code, of: easy, at: target.place, detail: detail, hasHead: hasHead))
        }
    }

    /// Notes that one of the request's bounds of time was reached.
    func endByDeadline() {
        ending = .failed(
            hasHead
                ? HTTPFailure(.timeout(.idle), "\(target.place) sent nothing for \(Self.text(idleTimeout)) in the middle of the response")
                : HTTPFailure(.timeout(.firstByte), "\(target.place) did not begin to respond within \(Self.text(firstByteTimeout))"))
    }

    /// Hands over what has arrived, and begins to count the time until the next byte.
    func handOver() {
        isDirty = false
        lastBatch = min(arrived.count, HTTPDelivery.highWater)
        undelivered = delivery.deliver(head: hasHead && !head.isEmpty ? head : nil, bytes: arrived, ending: ending, paused: isPaused)
        if hasHead {
            head = []
            deadline = isPaused ? .max : nextDeadline
        }
        arrived = []
    }

    /// Whether it is paused although there is room again.
    var canGoOn: Bool {
        isPaused && undelivered < HTTPDelivery.lowWater
    }

    /// Lets a paused transfer go on; libcurl may bring the bytes that it held back at once.
    func goOn() {
        guard isPaused else { return }
        isPaused = false
        undelivered = 0
        deadline = nextDeadline
        engine.watch(self)
        let code = curl_easy_pause(easy, CURLPAUSE_CONT)
        if code != CURLE_OK {
            end(code)
            markDirty()
        }
    }

    /// Gives the transfer a second to come to its end.
    func letEnd() {
        lastMoment = Self.sum(engine.now, 1_000_000_000)
        goOn()
        deadline = min(deadline, lastMoment)
        engine.watch(self)
    }

    /// When it is too late for the next byte.
    private var nextDeadline: UInt64 {
        min(lastMoment, Self.sum(engine.now, idleTimeout))
    }

    private func markDirty() {
        if !isDirty { engine.markDirty(self) }
    }

    private static func nanoseconds(_ duration: Duration) -> UInt64 {
        let (seconds, attoseconds) = duration.components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : sum(product, UInt64(attoseconds / 1_000_000_000))
    }

    private static func sum(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }

    private static func text(_ nanoseconds: UInt64) -> String {
        "\(Double(nanoseconds) / 1_000_000_000) s"
    }
}
