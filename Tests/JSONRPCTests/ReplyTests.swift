import JSON
import Testing

@testable import JSONRPC

@Suite(.timeLimit(.minutes(5)))
struct ReplyTests {
    @Test func answersForAHandlerThatForgetsTo() async throws {
        let handler = RecordingHandler { _, _ in }
        let lines = await Wire.transcript(Array((ConnectionTests.ping(1) + "[\(BatchTests.two)]").utf8), handler: handler)
        #expect(try summaries(lines) == ["1 -32603 internalError", #"["2" -32603 internalError]"#])
        #expect(
            handler.events == [
                .request("ping"), .log(.unanswered(.integer("1"))), .request("ping"), .log(.unanswered(.string("2"))), .inputEnded,
            ])
    }

    #if DEBUG
        @Test func stopsADebugBuildThatAnswersTwice() async {
            await #expect(processExitsWith: .failure) {
                _ = await Wire.transcript(Array(ConnectionTests.ping(1).utf8), handler: ReplyTests.answeringTwice())
            }
        }
    #else
        @Test func ignoresASecondAnswer() async {
            let handler = Self.answeringTwice()
            let lines = await Wire.transcript(Array(ConnectionTests.ping(1).utf8), handler: handler)
            #expect(lines == [#"{"jsonrpc":"2.0","id":1,"result":"first"}"#])
            #expect(handler.events.contains(.log(.answeredTwice(.integer("1")))))
        }
    #endif

    static func answeringTwice() -> RecordingHandler {
        RecordingHandler { _, reply in
            reply.succeed { $0.string("first") }
            reply.fail(.internalError("second"))
        }
    }

    /// The rows of the protocol's table of errors that this layer fills.
    @Test(arguments: [
        (RPCError.parseError("why"), -32700, #"{"code":"parseError","httpStatus":400,"retryable":false}"#),
        (.invalidRequest("why"), -32600, #"{"code":"invalidRequest","httpStatus":400,"retryable":false}"#),
        (.inputTooLarge(limit: 8), -32600, #"{"code":"inputTooLarge","httpStatus":413,"retryable":false}"#),
        (
            .invalidParams(path: "a.b", reason: "why"), -32602,
            #"{"code":"invalidParams","httpStatus":400,"retryable":false,"path":"a.b","reason":"why"}"#
        ),
        (.internalError("why"), -32603, #"{"code":"internalError","httpStatus":500,"retryable":false}"#),
        (.overloaded("why"), -32001, #"{"code":"overloaded","httpStatus":503,"retryable":true}"#),
    ])
    func describesErrors(_ error: RPCError, code: Int, data: String) throws {
        #expect(error.code == code)
        #expect(error.data.map { String(decoding: JSONWriter.encode($0), as: UTF8.self) } == data)
        #expect(error.message.hasSuffix(error.code == -32603 || error.code == -32001 ? "why" : "."))
        let written = try JSONReader.parse(JSONWriter.encode(error))
        #expect(written == ["code": .integer(Int64(code)), "message": .string(error.message), "data": error.data ?? nil])
    }

    @Test func leavesOutAbsentData() {
        let text = String(decoding: JSONWriter.encode(RPCError(code: 1, message: "a")), as: UTF8.self)
        #expect(text == #"{"code":1,"message":"a"}"#)
    }
}
