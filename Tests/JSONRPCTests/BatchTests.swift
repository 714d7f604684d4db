import JSON
import Testing

@testable import JSONRPC

@Suite(.timeLimit(.minutes(5)))
struct BatchTests {
    typealias Case = EnvelopeTests.Case

    static let one = #"{"jsonrpc":"2.0","id":1,"method":"ping"}"#
    static let two = #"{"jsonrpc":"2.0","id":"2","method":"ping"}"#
    static let refused = "null -32600 invalidRequest"
    static let note = #"{"jsonrpc":"2.0","method":"note"}"#

    @Test(arguments: [
        Case("[\(one)]", "[1 result]"),
        Case(" [ \(one) , \(note) ,\(two)]", #"[1 result, "2" result]"#),
        Case("[\(note),\(note)]"),
        Case("[]", refused),
        Case("[1]", "[\(refused)]"),
        Case("[1,\(one),[],{},[\(two)]]", "[\(refused), 1 result, \(refused), \(refused), \(refused)]"),
        Case("[\(one),\(one),\(two)]", #"[1 result, 1 -32600 invalidRequest, "2" result]"#),
        Case("[\(one),\(two)", "null -32700 parseError"),
        Case("[\(one),\(two)] x", "null -32700 parseError"),
        Case("[\(one),\(two),]", "null -32700 parseError"),
        Case("[\(one)]\n[\(one)]", "[1 result]", "[1 result]"),
        Case(#"[{"jsonrpc":"2.0","id":5,"result":1},\#(one)]"#, "[1 result]"),
        Case(#"[{"jsonrpc":"2.0","result":1},\#(one)]"#, "[null -32600 invalidRequest, 1 result]"),
    ])
    func answers(_ test: Case) async throws {
        let lines = await Wire.transcript(Array((test.lines + "\n").utf8))
        #expect(try summaries(lines) == test.answers)
    }

    @Test func handlesNoMemberOfALineThatIsNotJSON() async {
        let handler = RecordingHandler()
        _ = await Wire.transcript(Array("[\(Self.one),\(Self.note),{]\n".utf8), handler: handler)
        #expect(handler.events == [.inputEnded])
    }

    @Test func answersAThousandMembersInTheirOrder() async throws {
        let members = (0..<1000).map { #"{"jsonrpc":"2.0","id":\#($0),"method":"ping"}"# }
        let lines = await Wire.transcript(Array("[\(members.joined(separator: ","))]\n".utf8))
        #expect(lines == ["[" + (0..<1000).map { #"{"jsonrpc":"2.0","id":\#($0),"result":{}}"# }.joined(separator: ",") + "]"])
    }

    @Test func answersOnceAllAreDoneWhileNotificationsFlow() async throws {
        let held = Guarded<[Reply]>([])
        let wire = Wire(
            handler: RecordingHandler { request, reply in
                if request.method == "hold" { held.withLock { $0.append(reply) } } else { reply.succeed { $0.integer(0) } }
            })
        let members = [1, 2, 3].map { #"{"jsonrpc":"2.0","id":\#($0),"method":"hold"}"# }
        await wire.send("[\(members.joined(separator: ",")),\(Self.note)]\n")
        await wire.handler.wait(for: .notification("note"))
        #expect(wire.connection.requestsInFlight == 3)

        let replies = held.withLock { held in
            defer { held = [] }
            return held
        }
        replies[2].succeed { $0.string("c") }
        replies[0].succeed { $0.string("a") }
        // An id of the batch stays in flight until the whole batch is answered.
        await wire.send(#"{"jsonrpc":"2.0","id":3,"method":"ping"}"# + "\n")
        wire.connection.notify("progress") { $0.object { $0.member("done", 2) } }
        let early = await wire.output.lines(2)
        #expect(early.sorted().last == #"{"jsonrpc":"2.0","method":"progress","params":{"done":2}}"#)
        #expect(early.contains { $0.contains("-32600") })
        #expect(wire.connection.requestsInFlight == 3)

        replies[1].fail(RPCError(code: 5, message: "b"))
        let answers = [
            #"{"jsonrpc":"2.0","id":1,"result":"a"}"#,
            #"{"jsonrpc":"2.0","id":2,"error":{"code":5,"message":"b"}}"#,
            #"{"jsonrpc":"2.0","id":3,"result":"c"}"#,
        ]
        #expect(await wire.output.line() == "[\(answers.joined(separator: ","))]")
        await wire.send(#"{"jsonrpc":"2.0","id":3,"method":"ping"}"# + "\n")
        #expect(await wire.finish() == [#"{"jsonrpc":"2.0","id":3,"result":0}"#])
        #expect(wire.connection.requestsInFlight == 0)
    }

    @Test func refusesABatchOfTooManyMembers() async throws {
        let handler = RecordingHandler()
        let limits = TransportLimits(maxBatchMembers: 3)
        let lines = await Wire.transcript(Array("[1,2,3,\(Self.note)]\n[1,2,3]\n".utf8), limits: limits, handler: handler)
        #expect(try summaries(lines).first == "null -32600 invalidRequest")
        #expect(lines.count == 2)
        #expect(handler.events == [.inputEnded])
    }

    @Test func refusesRequestsInBatchesWhileTheirAnswersTakeUpTooMuch() async throws {
        let held = Guarded<[Reply]>([])
        let handler = RecordingHandler { request, reply in
            if request.method == "hold" {
                held.withLock { $0.append(reply) }
            } else {
                reply.succeed { $0.string(String(repeating: "x", count: 600)) }
            }
        }
        let wire = Wire(limits: TransportLimits(maxOutboundBytes: 1000), handler: handler)
        let big = (1...4).map { #"{"jsonrpc":"2.0","id":\#($0),"method":"big"}"# }.joined(separator: ",")
        await wire.send("[\(#"{"jsonrpc":"2.0","id":0,"method":"hold"}"#),\(big)]\n")
        await wire.send("[\(#"{"jsonrpc":"2.0","id":5,"method":"big"}"#),\(Self.note)]\n")
        #expect(try summaries(await wire.output.lines(1)) == ["[5 -32001 overloaded]"])
        held.withLock { $0.removeFirst() }.succeed { $0.null() }
        #expect(
            try summaries(await wire.output.lines(1)) == ["[0 result, 1 result, 2 result, 3 -32001 overloaded, 4 -32001 overloaded]"])
        await wire.send("[\(Self.one)]\n")
        #expect(try summaries(await wire.finish()) == ["[1 result]"])
        #expect(handler.events.contains(.notification("note")))
    }
}
