import ParleyModels

/// The first byte bounds the size of an event, the second says how the rest, the stream, is cut.
enum EventTarget {
    private struct Outcome: Equatable {
        var events: [ServerSentEvent] = []
        var pending: ServerSentEvent?
        var isTooLarge = false
    }

    static func check(_ input: [UInt8]) throws(BrokenPromise) {
        guard input.count >= 2 else { return }
        let stream = input[2...]
        let pieces = Cuts(input[1]).pieces(of: stream)
        let unbounded = read([stream], bound: .max)
        try expect(unbounded == reference(stream), "a stream has the events that it has")
        try expect(read(pieces, bound: .max) == unbounded, "a stream has the same events however it is cut")
        let bounded = read([stream], bound: Int(input[0]))
        try expect(read(pieces, bound: Int(input[0])) == bounded, "what is too large is so however it is cut")
        try expect(bounded == unbounded || bounded.isTooLarge, "a bound changes nothing below it")
        try expect(unbounded.events.starts(with: bounded.events), "what comes before an event that is too large is read")
    }

    private static func read(_ pieces: [ArraySlice<UInt8>], bound: Int) -> Outcome {
        var parser = ServerSentEventParser(maximumEventBytes: bound)
        var outcome = Outcome()
        do throws(HTTPFailure) {
            for piece in pieces { try parser.feed(Array(piece)) { outcome.events.append($0) } }
            outcome.pending = try parser.finish()
        } catch {
            outcome.isTooLarge = true
        }
        return outcome
    }

    /// The events as the standard defines them (WHATWG HTML, section 9.2.6), and the one field that is read beyond it.
    private static func reference(_ stream: ArraySlice<UInt8>) -> Outcome {
        var outcome = Outcome()
        var (type, data): (String, [UInt8]?) = ("", nil)
        var lines = lines(of: stream)
        if let first = lines.first, first.starts(with: [0xEF, 0xBB, 0xBF]) { lines[0] = first.dropFirst(3) }
        // What follows the last line end is a line only for the event that was not finished.
        for (index, line) in lines.enumerated() where index < lines.count - 1 || !line.isEmpty {
            if line.isEmpty {
                if let data { outcome.events.append(ServerSentEvent(event: type, data: data)) }
                (type, data) = ("", nil)
                continue
            }
            let name = line.prefix { $0 != 0x3A }
            var value = line.dropFirst(name.count + 1)
            if value.first == 0x20 { value = value.dropFirst() }
            if name.elementsEqual("event".utf8) { type = String(decoding: value, as: UTF8.self) }
            if name.elementsEqual("error".utf8) { type = "error" }
            if name.elementsEqual("data".utf8) || name.elementsEqual("error".utf8) { data = (data.map { $0 + [0x0A] } ?? []) + value }
        }
        outcome.pending = data.map { ServerSentEvent(event: type, data: $0) }
        return outcome
    }

    private static func lines(of stream: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var rest = stream
        while let end = rest.firstIndex(where: { $0 == 0x0A || $0 == 0x0D }) {
            lines.append(rest[..<end])
            let isPair = rest[end] == 0x0D && rest[(end + 1)...].first == 0x0A
            rest = rest[(end + (isPair ? 2 : 1))...]
        }
        return lines + [rest]
    }
}
