import ParleyModels
import ParleyTestSupport
import Testing

@Suite("Server-sent events")
struct ServerSentEventTests {
    /// A stream of bytes and what it means.
    struct Fixture: Sendable, CustomTestStringConvertible {
        let name: String
        let stream: [UInt8]
        let events: [ServerSentEvent]
        let pending: ServerSentEvent?

        init(_ name: String, _ stream: String, _ events: [(String, String)], pending: (String, String)? = nil) {
            self.init(name, Array(stream.utf8), events, pending: pending)
        }

        init(_ name: String, _ stream: [UInt8], _ events: [(String, String)], pending: (String, String)? = nil) {
            self.name = name
            self.stream = stream
            self.events = events.map { ServerSentEvent(event: $0, data: Array($1.utf8)) }
            self.pending = pending.map { ServerSentEvent(event: $0, data: Array($1.utf8)) }
        }

        var testDescription: String { name }
    }

    static let fixtures = [
        Fixture("nothing", "", []),
        Fixture("LF", "data: a\n\ndata: b\n\n", [("", "a"), ("", "b")]),
        Fixture("CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", [("", "a"), ("", "b")]),
        Fixture("CR", "data: a\r\rdata: b\r\r", [("", "a"), ("", "b")]),
        Fixture("all line ends", "data: a\r\ndata: b\rdata: c\ndata: d\n\r\ndata: e\r\n\n", [("", "a\nb\nc\nd"), ("", "e")]),
        Fixture("blank lines", "\n\n\r\n\r\rdata: a\n\n\n\n", [("", "a")]),
        Fixture("byte order mark", "\u{FEFF}data:{\"a\":1}\n\n", [("", #"{"a":1}"#)]),
        Fixture("byte order mark alone", "\u{FEFF}", []),
        Fixture("byte order mark and blank line", "\u{FEFF}\n\ndata: a\n\n", [("", "a")]),
        Fixture("second byte order mark", "data: a\n\n\u{FEFF}data: b\n\ndata: c\n\n", [("", "a"), ("", "c")]),
        Fixture("half a byte order mark", [0xEF, 0xBB] + Array("data: a\n\ndata: b\n\n".utf8), [("", "b")]),
        Fixture("comments", ": OPENROUTER PROCESSING\n\n:\n:keep-alive\ndata: a\n: between\ndata: b\n\n:", [("", "a\nb")]),
        Fixture("one space is dropped", "data:a\ndata: b\ndata:  c\ndata:\td\n\n", [("", "a\nb\n c\n\td")]),
        Fixture("first colon", "data: a: b:c\n\nevent: x:y\ndata: z\n\n", [("", "a: b:c"), ("x:y", "z")]),
        Fixture("empty data", "data\n\ndata:\n\ndata: \n\ndata\ndata\n\n", [("", ""), ("", ""), ("", ""), ("", "\n")]),
        Fixture("events", "event: ping\ndata: {}\n\ndata: a\n\n", [("ping", "{}"), ("", "a")]),
        Fixture("event without data", "event: ping\n\ndata: a\n\n", [("", "a")]),
        Fixture("last event type counts", "event: one\nevent: two\ndata: a\n\nevent: one\nevent\ndata: b\n\n", [("two", "a"), ("", "b")]),
        Fixture("other fields", "id: 1\nretry: 10\nfoo: bar\nDATA: no\ndata : no\n data: no\ndataa: no\ndata: a\n\n", [("", "a")]),
        Fixture("error field of llama.cpp", "error: {\"code\":500}\n\ndata: [DONE]\n\n", [("error", #"{"code":500}"#), ("", "[DONE]")]),
        Fixture("characters of four bytes", "data: 👩‍🚀 is 🧡\n\nevent: ünï\ndata: é\n\n", [("", "👩‍🚀 is 🧡"), ("ünï", "é")]),
        Fixture("NUL", "data: a\0b\n\n", [("", "a\0b")]),
        Fixture("pending event", "data: a\n\ndata: [DONE]\n", [("", "a")], pending: ("", "[DONE]")),
        Fixture("pending line", "data: a\n\nevent: end\ndata: [DONE]", [("", "a")], pending: ("end", "[DONE]")),
        Fixture("pending line with CR", "data: [DONE]\r", [], pending: ("", "[DONE]")),
        Fixture("pending nothing", "data: a\n\nevent: end\nda", [("", "a")]),
        Fixture("pending half line", "data: {\"a\":1}\ndata: {\"b", [], pending: ("", "{\"a\":1}\n{\"b")),
    ]

    @Test("Cut at every byte, a stream means the same", arguments: fixtures)
    func everyCut(fixture: Fixture) throws {
        for cut in 0...fixture.stream.count {
            try check(fixture, parts: [Array(fixture.stream[..<cut]), Array(fixture.stream[cut...])])
        }
        try check(fixture, parts: fixture.stream.map { [$0] })
    }

    @Test("Cut at random, a stream means the same", arguments: fixtures)
    func randomCuts(fixture: Fixture) throws {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            var parts: [[UInt8]] = []
            var rest = fixture.stream[...]
            while !rest.isEmpty {
                let count = Int.random(in: 0...min(rest.count, 9), using: &random)
                parts.append(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            try check(fixture, parts: parts)
        }
    }

    @Test("Many streams in a row mean what they mean alone, cut anywhere", arguments: 0..<20)
    func randomStreams(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var stream: [UInt8] = []
        var events: [ServerSentEvent] = []
        for _ in 0..<300 {
            let end = ["\n", "\r", "\r\n"].randomElement(using: &random) ?? "\n"
            let name = ["", "ping", "content_block_delta"].randomElement(using: &random) ?? ""
            let lines = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                String(repeating: "ö", count: .random(in: 0...80, using: &random))
            }
            if Bool.random(using: &random) { stream += Array(": comment\(end)".utf8) }
            if !name.isEmpty { stream += Array("event: \(name)\(end)".utf8) }
            for line in lines { stream += Array("data: \(line)\(end)".utf8) }
            stream += Array(end.utf8)
            events.append(ServerSentEvent(event: name, data: Array(lines.joined(separator: "\n").utf8)))
        }
        var parser = ServerSentEventParser()
        var found: [ServerSentEvent] = []
        var rest = stream[...]
        while !rest.isEmpty {
            let count = Int.random(in: 1...500, using: &random)
            try parser.feed(Array(rest.prefix(count))) { found.append($0) }
            rest = rest.dropFirst(count)
        }
        #expect(found == events)
        #expect(try parser.finish() == nil)
    }

    @Test("An event beyond the bound is refused however it comes", arguments: [1, 3, 1000])
    func bound(step: Int) throws {
        let allowed = ["data: 123456\n\n", "data: 1234567890\n\n", "data: 12345\ndata: 67890\n\n", ": 123456789012\n\n"]
        let refused = [
            ": 123456789012345\n\n", "data: 12345678901234567\n\n", "data: 12345678\ndata: 90123456\ndata: 7\n\n",
            "data: 12345678901234567",
        ]
        for (streams, isAllowed) in [(allowed, true), (refused, false)] {
            for stream in streams {
                var parser = ServerSentEventParser(maximumEventBytes: 16)
                let bytes = Array(stream.utf8)
                let result = Result { () throws(HTTPFailure) in
                    for start in stride(from: 0, to: bytes.count, by: step) {
                        try parser.feed(Array(bytes[start..<min(start + step, bytes.count)])) { _ in }
                    }
                    _ = try parser.finish()
                }
                switch result {
                case .success: #expect(isAllowed, "\(stream)")
                case .failure(let failure):
                    #expect(!isAllowed, "\(stream)")
                    #expect(failure.kind == .tooLarge)
                }
            }
        }
    }

    private func check(_ fixture: Fixture, parts: [[UInt8]]) throws {
        var parser = ServerSentEventParser()
        var events: [ServerSentEvent] = []
        for part in parts { try parser.feed(part) { events.append($0) } }
        #expect(events == fixture.events)
        #expect(try parser.finish() == fixture.pending)
    }
}
