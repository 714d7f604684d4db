import Glibc

/// One event of a `text/event-stream`.
package struct ServerSentEvent: Sendable, Equatable {
    /// The event's type; empty for the default, which the standard calls "message".
    package var event: String
    /// The `data` lines, joined with LF.
    package var data: [UInt8]

    /// Makes an event; see the properties for what the parameters mean.
    package init(event: String = "", data: [UInt8] = []) {
        self.event = event
        self.data = data
    }
}

/// Reads server-sent events out of bytes that are cut anywhere (WHATWG HTML, section 9.2.6).
///
/// The fields `id` and `retry` are for reconnecting, which a model's stream cannot do, and are passed over like unknown ones. One
/// field beyond the standard is read: `error: {…}`, which some builds of llama.cpp send, is an event of the type "error" with
/// that data.
package struct ServerSentEventParser: Sendable {
    private let maximumEventBytes: Int
    /// The beginning of a line of which the end has not come.
    private var line: [UInt8] = []
    private var pending = ServerSentEvent()
    private var hasData = false
    private var isAtStart = true
    private var skipsLineFeed = false
    /// The last type and its bytes: a stream repeats a few types, and so seldom needs a new String.
    private var lastType: (bytes: [UInt8], text: String) = ([], "")

    /// Makes a parser at the start of a stream.
    ///
    /// - Parameter maximumEventBytes: How many bytes of data one event, or of any kind one line, may have.
    package init(maximumEventBytes: Int = 16 << 20) {
        self.maximumEventBytes = maximumEventBytes
    }

    /// Reads the next bytes of the stream.
    ///
    /// - Parameters:
    ///   - bytes: What follows the bytes of the last call.
    ///   - body: Called with each event that these bytes complete, in order.
    /// - Throws: `.tooLarge` if an event goes beyond the bound; the parser is of no further use then.
    package mutating func feed(_ bytes: [UInt8], _ body: (ServerSentEvent) -> Void) throws(HTTPFailure) {
        try bytes.withUnsafeBufferPointer { (input) throws(HTTPFailure) in try feed(input, body) }
    }

    /// Reads the end of the stream.
    ///
    /// The standard discards an event without its blank line. Servers that forget it are common enough, so that it is returned:
    /// the caller takes it if its data is complete in itself.
    ///
    /// - Returns: The unfinished event, or nil if there is no data.
    /// - Throws: `.tooLarge` if it goes beyond the bound.
    package mutating func finish() throws(HTTPFailure) -> ServerSentEvent? {
        if !line.isEmpty {
            let last = line
            line = []
            try last.withUnsafeBufferPointer { (last) throws(HTTPFailure) in try read(last) { _ in } }
        }
        return hasData ? pending : nil
    }

    private mutating func feed(_ input: UnsafeBufferPointer<UInt8>, _ body: (ServerSentEvent) -> Void) throws(HTTPFailure) {
        guard !input.isEmpty else { return }
        var position = 0
        if skipsLineFeed {
            skipsLineFeed = false
            if input[0] == lineFeed { position = 1 }
        }
        // Each is looked for again only when it has been passed, so that bytes are looked at twice at most.
        var nextLineFeed = -1
        var nextCarriageReturn = -1
        while position < input.count {
            if nextLineFeed < position { nextLineFeed = input.index(of: lineFeed, from: position) }
            if nextCarriageReturn < position { nextCarriageReturn = input.index(of: carriageReturn, from: position) }
            let end = min(nextLineFeed, nextCarriageReturn)
            let part = UnsafeBufferPointer(rebasing: input[position..<end])
            if end == input.count {
                try hold(part)
                return
            }
            if line.isEmpty {
                // As for a line that is held, so that the bound does not depend on how the stream is cut.
                try check(part.count)
                try read(part, body)
            } else {
                try hold(part)
                let whole = line
                line = []
                try whole.withUnsafeBufferPointer { (whole) throws(HTTPFailure) in try read(whole, body) }
            }
            position = end + 1
            if end == nextCarriageReturn {
                if position == input.count {
                    skipsLineFeed = true
                } else if input[position] == lineFeed {
                    position += 1
                }
            }
        }
    }

    private mutating func hold(_ part: UnsafeBufferPointer<UInt8>) throws(HTTPFailure) {
        try check(line.count + part.count)
        line.append(contentsOf: part)
    }

    /// Reads one line without its end.
    private mutating func read(_ line: UnsafeBufferPointer<UInt8>, _ body: (ServerSentEvent) -> Void) throws(HTTPFailure) {
        var line = line
        if isAtStart {
            isAtStart = false
            if line.starts(with: [0xEF, 0xBB, 0xBF]) { line = UnsafeBufferPointer(rebasing: line[3...]) }
        }
        guard !line.isEmpty else {
            if hasData { body(pending) }
            pending = ServerSentEvent()
            hasData = false
            return
        }
        let colon = line.index(of: UInt8(ascii: ":"), from: 0)
        var start = min(colon + 1, line.count)
        if start < line.count, line[start] == UInt8(ascii: " ") { start += 1 }
        let value = UnsafeBufferPointer(rebasing: line[start...])
        // A line that begins with the colon is a comment: its name is empty, and no field has that.
        let name = UnsafeBufferPointer(rebasing: line[..<colon])
        if name.equals("data") {
            try add(value)
        } else if name.equals("event") {
            pending.event = type(value)
        } else if name.equals("error") {
            pending.event = "error"
            try add(value)
        }
    }

    private mutating func add(_ value: UnsafeBufferPointer<UInt8>) throws(HTTPFailure) {
        try check(pending.data.count + value.count)
        if hasData {
            pending.data.append(lineFeed)
            pending.data.append(contentsOf: value)
        } else {
            pending.data = Array(value)
            hasData = true
        }
    }

    private mutating func type(_ value: UnsafeBufferPointer<UInt8>) -> String {
        if !value.equals(lastType.bytes) { lastType = (Array(value), String(decoding: value, as: UTF8.self)) }
        return lastType.text
    }

    private func check(_ count: Int) throws(HTTPFailure) {
        guard count <= maximumEventBytes else {
            throw HTTPFailure(.tooLarge, "an event of the stream has more than \(maximumEventBytes) bytes")
        }
    }
}

private let lineFeed = UInt8(ascii: "\n")
private let carriageReturn = UInt8(ascii: "\r")

extension UnsafeBufferPointer<UInt8> {
    /// The place of a byte's next appearance, or `count` if there is none.
    fileprivate func index(of byte: UInt8, from start: Int) -> Int {
        guard let base = baseAddress, let found = memchr(base + start, Int32(byte), count - start) else { return count }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    fileprivate func equals(_ text: StaticString) -> Bool {
        equals(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    fileprivate func equals(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBufferPointer { equals($0) }
    }

    private func equals(_ other: UnsafeBufferPointer<UInt8>) -> Bool {
        guard count == other.count else { return false }
        guard let base = baseAddress, let start = other.baseAddress else { return count == 0 }
        return memcmp(base, start, count) == 0
    }
}
