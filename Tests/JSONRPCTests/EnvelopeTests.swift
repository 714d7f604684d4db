import JSON
import ParleyTestSupport
import Testing

@testable import JSONRPC

/// What becomes of a line: which answers leave, in which order, and what the handler hears.
@Suite(.timeLimit(.minutes(5)))
struct EnvelopeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let lines: String
        let answers: [String]

        init(_ lines: String, _ answers: String...) {
            self.lines = lines
            self.answers = answers
        }

        var testDescription: String { lines }
    }

    static let nothingRead = "null -32600 invalidRequest"
    static let notJSON = "null -32700 parseError"

    @Test(arguments: [
        Case(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, "1 result"),
        Case(#" {"method" : "ping", "unknown":[{}], "params":{"a":1}, "id":"x", "jsonrpc":"2.0" } "#, #""x" result"#),
        Case(#"{"jsonrpc":"1.0","jsonrpc":"2.0","id":1,"id":2,"method":3,"method":"ping","params":4,"params":{}}"#, "2 result"),
        Case(#"{"jsonrpc":"\u0032.0","\u0069d":1,"meth\u006fd":"p\u0069ng"}"#, "1 result"),
        Case(#"{"jsonrpc":"2.0","id":1,"method":"ping","params":null}"#, "1 result"),
        Case(#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#, "1 -32602 invalidParams"),
        Case(#"{"jsonrpc":"2.0","id":1,"method":"ping","params":"a"}"#, "1 -32602 invalidParams"),
        Case(#"{"jsonrpc":"2.0","id":1,"method":"ping","result":1}"#, "1 result"),
        Case(#"{"jsonrpc":"2.0","method":"ping"}"#),
        Case(#"{"jsonrpc":"2.0","method":"ping","params":[]}"#),
        Case(#"{"jsonrpc":"2.0","id":1}"#, "1 -32600 invalidRequest"),
        Case(#"{"jsonrpc":"2.0","id":1,"method":2}"#, "1 -32600 invalidRequest"),
        Case(#"{"jsonrpc":"2.0","method":2}"#, nothingRead),
        Case(#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, "1 -32600 invalidRequest"),
        Case(#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#, "1 -32600 invalidRequest"),
        Case(#"{"id":1,"method":"ping"}"#, "1 -32600 invalidRequest"),
        Case(#"{"method":"ping"}"#, nothingRead),
        Case("{}", nothingRead),
        Case("1", nothingRead),
        Case(#""ping""#, nothingRead),
        Case("null", nothingRead),
        Case("ping", notJSON),
        Case(#"{"jsonrpc":"2.0","id":1,"method":"ping"} x"#, notJSON),
        Case(#"{"jsonrpc":"2.0","id":1,"method":"ping",}"#, notJSON),
        Case(#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":01}}"#, notJSON),
        Case(#"{"jsonrpc":"2.0","id":1,"method":"ping","unknown":"\x"}"#, notJSON),
        Case(#"{"jsonrpc":"2.0","id":true,"method":"ping","params":{"#, notJSON),
        Case("\u{FEFF}" + #"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, notJSON),
        Case("nonsense\n" + #"{"jsonrpc":"2.0","id":1,"method":"ping"}"# + "\n[", notJSON, "1 result", notJSON),
    ])
    func answers(_ test: Case) async throws {
        let lines = await Wire.transcript(Array((test.lines + "\n").utf8))
        #expect(try summaries(lines) == test.answers)
    }

    @Test(arguments: [
        #""a""#, #""""#, #""ü \" \\ 😀""#, "0", "-0", "-1", "7", "18446744073709551615", "-99999999999999999999999999999999", "null",
    ])
    func echoesIDs(_ id: String) async {
        let lines = await Wire.transcript(Array(#"{"jsonrpc":"2.0","id":\#(id),"method":"ping"}\#n"#.utf8))
        #expect(lines == [#"{"jsonrpc":"2.0","id":\#(id),"result":{}}"#])
    }

    @Test(arguments: ["1.0", "1.5", "1e2", "1E2", "-0.0", "true", "false", "[]", "[1]", "{}"])
    func refusesIDs(_ id: String) async throws {
        let lines = await Wire.transcript(Array(#"{"jsonrpc":"2.0","id":\#(id),"method":"ping"}\#n"#.utf8))
        #expect(try summaries(lines) == [Self.nothingRead])
    }

    @Test func escapesLineSeparatorsOnTheWayOut() async {
        let lines = await Wire.transcript(Array(#"{"jsonrpc":"2.0","id":"a\u2028b\u2029c\nd","method":"ping"}\#n"#.utf8))
        #expect(lines == [#"{"jsonrpc":"2.0","id":"a\u2028b\u2029c\nd","result":{}}"#])
    }

    @Test(arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82], [0xF4, 0x90, 0x80, 0x80]] as [[UInt8]])
    func refusesBadUTF8AndGoesOn(_ bytes: [UInt8]) async throws {
        let request = #"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"text":"%"}}"#
        let parts = request.utf8.split(separator: UInt8(ascii: "%"))
        let lines = await Wire.transcript(parts[0] + bytes + parts[1] + [0x0A] + request.utf8 + [0x0A])
        #expect(try summaries(lines) == [Self.notJSON, "1 result"])
    }

    @Test(arguments: [(126, "1 result"), (127, "1 result"), (128, notJSON), (100_000, notJSON)])
    func boundsNesting(depthOfParam: Int, answer: String) async throws {
        let nested = String(repeating: "[", count: depthOfParam - 1) + String(repeating: "]", count: depthOfParam - 1)
        let line = #"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":\#(nested)}}\#n"#
        let lines = await Wire.transcript(Array((line + line).utf8))
        #expect(try summaries(lines) == [answer, answer])
    }

    @Test func goesOnAfterWhateverBytes() async throws {
        let whole = Array(
            #"[{"jsonrpc":"2.0","id":"é\u0041","method":"ping","params":{"a":[1.5e3,null]}},{"jsonrpc":"2.0","id":1,"result":{}}]"#.utf8)
        let requests = [whole, Array(whole.dropFirst().dropLast(35))]
        var random = SeededGenerator(seed: 42)
        var input: [UInt8] = []
        for number in 0..<2000 {
            var line = requests[number % 2]
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<line.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: line[place] = UInt8.random(in: 0...255, using: &random)
                case 1: line.remove(at: place)
                default: line.insert(line[Int.random(in: 0..<line.count, using: &random)], at: place)
                }
            }
            input += line + [0x0A]
        }
        let lines = await Wire.transcript(input + Array(#"{"jsonrpc":"2.0","id":"last","method":"ping"}"#.utf8))
        #expect(try summaries(lines).last == #""last" result"#)
        #expect(lines.count > 1000)
    }

    @Test func handsParamsOn() async throws {
        let handler = RecordingHandler { request, reply in
            var reader = request.params.reader()
            do throws(JSONError) {
                let value = try reader.value()
                reply.succeed { value.write(to: &$0) }
            } catch {
                reply.fail(.internalError(error.reason))
            }
        }
        let params = [#"{"a":[1,{"b":"ü"}],"c":1.50}"#, "{}", "null", ""]
        let input = params.enumerated().map { index, params in
            #"{"jsonrpc":"2.0",\#(params.isEmpty ? "" : #""params":\#(params),"#)"id":\#(index),"method":"echo"}\#n"#
        }
        let lines = await Wire.transcript(Array(input.joined().utf8), handler: handler)
        let results = [params[0], "{}", "{}", "{}"]
        #expect(lines == results.enumerated().map { #"{"jsonrpc":"2.0","id":\#($0),"result":\#($1)}"# })
    }

    @Test func namesPathsRelativeToParams() async throws {
        let handler = RecordingHandler { request, reply in
            var reader = request.params.reader()
            do throws(JSONError) {
                try reader.beginObject()
                while try reader.nextKey() != nil { _ = try reader.integer() }
            } catch {
                reply.fail(.invalidParams(path: error.path, reason: error.reason))
            }
        }
        let input = #"{"jsonrpc":"2.0","id":1,"method":"sum","params":{"a":1,"b":"2"}}"#
        let answer = try JSONReader.parse(Array(try #require(await Wire.transcript(Array(input.utf8), handler: handler).first).utf8))
        #expect(answer["error"]?["data"]?["path"] == "b")
    }

    @Test func tellsTheHandlerInOrder() async {
        let handler = RecordingHandler()
        let input = """
            {"jsonrpc":"2.0","id":1,"method":"a"}
            {"jsonrpc":"2.0","method":"b"}
            {"jsonrpc":"2.0","method":"c","params":[1]}

            [{"jsonrpc":"2.0","method":"d"},{"jsonrpc":"2.0","id":2,"method":"e"}]
            nonsense
            {"jsonrpc":"2.0","method":"f","params":{}}
            """
        _ = await Wire.transcript(Array(input.utf8), handler: handler)
        #expect(
            handler.all == [
                .ready, .request("a"), .ready, .notification("b"), .ready, .log(.notificationRefused(method: "c")),
                .ready, .ready, .notification("d"), .ready, .request("e"), .ready, .ready, .notification("f"), .inputEnded,
            ])
    }

    struct Answer: Sendable, CustomTestStringConvertible {
        let line: String
        let id: RequestID?
        let result: Result<JSONValue, RPCError>?
        var isRefused = false

        var testDescription: String { line }
    }

    @Test(arguments: [
        Answer(line: #"{"jsonrpc":"2.0","id":"a","result":{"b":[1]}}"#, id: .string("a"), result: .success(["b": [1]])),
        Answer(line: #"{"id":7,"result":null,"jsonrpc":"2.0"}"#, id: .integer("7"), result: .success(nil)),
        Answer(line: #"{"jsonrpc":"2.0","id":7,"result":1,"result":2}"#, id: .integer("7"), result: .success(2)),
        Answer(
            line: #"{"jsonrpc":"2.0","id":7,"error":{"code":-1,"message":"no","data":[true],"more":1}}"#, id: .integer("7"),
            result: .failure(RPCError(code: -1, message: "no", data: [true]))),
        Answer(
            line: #"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"what?"}}"#, id: .null,
            result: .failure(RPCError(code: -32700, message: "what?"))),
        Answer(
            line: #"{"jsonrpc":"2.0","id":7,"result":1,"error":{"code":1,"message":"both"}}"#, id: .integer("7"), result: nil,
            isRefused: true),
        Answer(line: #"{"jsonrpc":"2.0","id":7,"error":"no"}"#, id: .integer("7"), result: nil, isRefused: true),
        Answer(line: #"{"jsonrpc":"2.0","id":7,"error":{"code":1.5,"message":"no"}}"#, id: .integer("7"), result: nil, isRefused: true),
        Answer(line: #"{"id":7,"result":1}"#, id: .integer("7"), result: nil, isRefused: true),
        Answer(line: #"{"jsonrpc":"2.0","result":1}"#, id: nil, result: nil, isRefused: true),
        Answer(line: #"{"jsonrpc":"2.0","id":1.5,"result":1}"#, id: nil, result: nil, isRefused: true),
    ])
    func takesAnswers(_ test: Answer) async throws {
        let handler = RecordingHandler()
        let lines = await Wire.transcript(Array(test.line.utf8), handler: handler)
        #expect(try summaries(lines) == (test.isRefused ? [Self.nothingRead] : []))
        let heard = handler.events.dropLast()
        switch (test.id, heard.first) {
        case (nil, nil): break
        case (let id?, .response(let heard, let result)) where heard == id:
            #expect(test.result == nil ? result.isInvalidRequest : result == test.result)
        case (_, let other): Issue.record("heard \(String(describing: other))")
        }
        #expect(handler.events.last == .inputEnded && heard.count <= 1)
    }
}

extension Result<JSONValue, RPCError> {
    fileprivate var isInvalidRequest: Bool {
        if case .failure(let error) = self { error.code == -32600 } else { false }
    }
}
