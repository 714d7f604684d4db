import JSON
import ParleyCore
import ParleyModels
import Testing

struct ScriptTests {
    @Test(arguments: [
        ("{", "", "expected"),
        (#"{"text":"x"} x"#, "", "expected the end"),
        ("[]", "", "expected an object"),
        (#"{"text":"x","again":true}"#, "again", "is no field of an answer"),
        (#"{"text":"x","steps":[]}"#, "", "either a text or steps"),
        (#"{"text":""}"#, "text", "must not be empty"),
        (#"{"text":3}"#, "text", "expected a string"),
        (#"{"text":"x","repeat":"yes"}"#, "repeat", "expected a boolean"),
        (#"{"text":"x","expect":null}"#, "expect", "expected a string"),
        (#"{"steps":[{}]}"#, "steps[0]", "a step has one field"),
        (#"{"steps":[{"text":"x","delayMs":1}]}"#, "steps[0].delayMs", "a step has one field"),
        (#"{"steps":[{"text":"x"},{"wait":1}]}"#, "steps[1].wait", "is no step"),
        (#"{"steps":[{"delayMs":-1}]}"#, "steps[0].delayMs", "must not be negative"),
        (#"{"steps":[{"delayMs":1.5}]}"#, "steps[0].delayMs", "expected an integer"),
        (#"{"steps":[{"usage":{"inputTokens":1}}]}"#, "steps[0].usage.outputTokens", "is required"),
        (#"{"steps":[{"usage":{"inputTokens":1,"outputTokens":-1}}]}"#, "steps[0].usage.outputTokens", "must not be negative"),
        (#"{"steps":[{"usage":{"tokens":1}}]}"#, "steps[0].usage.tokens", "is no field of a usage"),
        (#"{"steps":[{"error":{"message":"x"}}]}"#, "steps[0].error.code", "is required"),
        (#"{"steps":[{"error":{"code":"modelAuth"}}]}"#, "steps[0].error.message", "is required"),
        (#"{"steps":[{"error":{"code":"notFound","message":"x"}}]}"#, "steps[0].error.code", "expected one of"),
        (#"{"steps":[{"error":{"code":"modelAuth","message":"x","why":1}}]}"#, "steps[0].error.why", "is no field of an error"),
        (#"{"steps":[{"reasoning":""}]}"#, "steps[0].reasoning", "must not be empty"),
        (#"{"steps":[{"end":"cancelled"}]}"#, "steps[0].end", "expected \"endTurn\""),
        (#"{"steps":[{"waitFor":""}]}"#, "steps[0].waitFor", "must not be empty"),
        (#"{"steps":[{"waitFor":1}]}"#, "steps[0].waitFor", "expected a string"),
        (#"{"steps":[{"hang":false}]}"#, "steps[0].hang", "expected true"),
        (#"{"steps":[{"end":"endTurn"},{"text":"x"}]}"#, "steps[1]", "nothing can follow"),
        (#"{"steps":[{"hang":true},{"text":"x"}]}"#, "steps[1]", "nothing can follow"),
    ])
    func refused(line: String, path: String, reason: String) {
        let failure = #expect(throws: Failure.self) {
            _ = try Script(Array("# A comment\n\n{\"text\":\"fine\"}\n\(line)\n".utf8), name: "test.jsonl")
        }
        #expect(failure?.code == .invalidParams)
        #expect(failure?.message.hasPrefix("The script test.jsonl is wrong in line 4: \(path)") == true, "\(failure?.message ?? "")")
        #expect(failure?.message.contains(reason) == true, "\(failure?.message ?? "")")
        #expect(failure?.details.first == .init("line", 4))
        #expect(failure?.details.dropFirst().first == .init("path", .string(path)))
    }

    @Test(arguments: ["", "\n\n", "# only a comment", "\r\n # and another\r\n"])
    func withoutAnswers(text: String) throws {
        #expect(try Script(Array(text.utf8), name: "x").answers.isEmpty)
    }

    @Test func lineEnds() throws {
        let script = try Script(Array("{\"text\":\"a\"}\r\n{\"text\":\"b\"}".utf8), name: "x")
        #expect(script.answers.count == 2)
    }
}
