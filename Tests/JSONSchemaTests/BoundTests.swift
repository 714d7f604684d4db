import Foundation
import JSON
import JSONSchema
import Testing

/// No schema and no value makes a check go on for ever, deeper than the stack, or to a wrong answer.
@Suite struct BoundTests {
    private static let tooManySteps = "cannot be checked: it takes more than 1000000 steps"
    private static let tooDeep = "cannot be checked: it nests too deep"
    private static let tooLong = "cannot be checked: a text that must match a regular expression has at most 65536 bytes"

    private static func doubling(_ keyword: String) -> JSONValue {
        let definitions = (1...30).map { level -> (String, JSONValue) in
            let below: JSONValue = ["$ref": .string("#/$defs/d\(level - 1)")]
            return ("d\(level)", [keyword: [below, below]])
        }
        return ["$ref": "#/$defs/d30", "$defs": .object(.init(uniqueKeysWithValues: [("d0", ["type": "string"])] + definitions))]
    }

    @Test(arguments: [("allOf", "x" as JSONValue), ("anyOf", 1), ("oneOf", 1), ("oneOf", "x")])
    func endsDoublingSchemas(keyword: String, value: JSONValue) throws {
        let clock = ContinuousClock()
        let schema = try JSONSchema(Self.doubling(keyword))
        let duration = clock.measure {
            #expect(schema.violations(of: value).map(\.reason) == [Self.tooManySteps])
        }
        // Unoptimised and beside other tests it takes about a second; without bounds it would be an hour.
        #expect(duration < .seconds(60))
    }

    @Test(arguments: [
        ("^(a+)+$", "a", 60), ("^(a|a)*$", "a", 60), ("(x+x+)+y", "x", 60), ("a*b", "a", 65_000),
        ("^(((((a?){1000}){1000}){1000}){1000}){1000}$", "a", 60_000),
    ])
    func endsHostilePatterns(pattern: String, letter: String, count: Int) throws {
        let text = String(repeating: letter, count: count) + "!"
        for schema in [["pattern": .string(pattern)], ["not": ["pattern": .string(pattern)]]] as [JSONValue] {
            #expect(try JSONSchema(schema).violations(of: .string(text)).map(\.reason) == [Self.tooManySteps])
        }
        let names: JSONValue = ["patternProperties": .object([pattern: true]), "additionalProperties": false]
        #expect(try JSONSchema(names).violations(of: .object([text: 1])).map(\.reason) == [Self.tooManySteps])
    }

    @Test func endsHostileValues() throws {
        let numbers = JSONValue.array((0..<50_000).map { .integer($0) })
        let endless: JSONValue = [
            "$defs": ["x": ["const": 1]], "anyOf": .array(Array(repeating: ["$ref": "#/$defs/x"], count: 1000)),
        ]
        #expect(try JSONSchema(endless).violations(of: numbers).map(\.reason) == [Self.tooManySteps])
        #expect(
            try JSONSchema(["not": endless, "$defs": ["x": ["const": 1]]]).violations(of: numbers).map(\.reason) == [Self.tooManySteps])
        let everywhere: JSONValue = ["items": ["allOf": .array(Array(repeating: true, count: 1000))]]
        #expect(try JSONSchema(everywhere).violations(of: numbers).map(\.reason) == [Self.tooManySteps])
    }

    /// What is undecided is never valid, also below a `not`.
    @Test func refusesWhatItCannotDecide() throws {
        let long = JSONValue.string(String(repeating: "a", count: 65_537))
        for schema in [["pattern": "a"], ["not": ["pattern": "b"]], ["anyOf": [["pattern": "a"], true]]] as [JSONValue] {
            #expect(try JSONSchema(schema).violations(of: long).map(\.reason) == [Self.tooLong])
        }
        #expect(try JSONSchema(["pattern": "^a+$"]).violations(of: .string(String(repeating: "a", count: 65_536))) == [])
        // What was found before is still told.
        let both: JSONValue = ["properties": ["a": ["type": "null"], "b": ["pattern": "x"]]]
        #expect(try JSONSchema(both).violations(of: ["a": 1, "b": long]).map(\.path) == ["a", "b"])
    }

    private static func nested(_ depth: Int, _ wrap: (JSONValue) -> JSONValue, _ innermost: JSONValue) -> JSONValue {
        (0..<depth).reduce(innermost) { inner, _ in wrap(inner) }
    }

    @Test func boundsTheDepthOfValues() throws {
        #expect(try JSONSchema(true).violations(of: Self.nested(128, { [$0] }, 1)) == [])
        #expect(try JSONSchema(true).violations(of: Self.nested(129, { [$0] }, 1)) == [.init(path: "", reason: Self.tooDeep)])
        #expect(try JSONSchema(true).violations(of: Self.nested(129, { ["a": $0] }, 1)) == [.init(path: "", reason: Self.tooDeep)])
        let unique = Self.nested(127, { [$0] }, [1, 1])
        #expect(
            try JSONSchema(["uniqueItems": true, "items": ["$ref": "#"]]).violations(of: unique).map(\.reason) == [
                "elements 0 and 1 are equal, but all must differ"
            ])
    }

    /// As deep as rules may apply within one another, on the smallest stack that glibc gives a thread by default, without optimisation.
    @Test func fitsIntoASmallStack() async throws {
        // Three rules for each level of the value; the last level's null ends it.
        let list: JSONValue = [
            "$ref": "#/$defs/list",
            "$defs": [
                "list": [
                    "anyOf": [
                        ["type": "null"], ["properties": ["next": ["$ref": "#/$defs/list"]], "required": ["next"], "type": "object"],
                    ]
                ]
            ],
        ]
        let deep = Self.nested(128, { ["next": $0] }, nil)
        // Five for each.
        let chain: JSONValue = ["allOf": [["allOf": [["not": ["not": ["items": ["$ref": "#"]]]]]]]]
        let results = try await onASmallStack {
            [
                try JSONSchema(list).violations(of: deep).map(\.reason),
                try JSONSchema(list).violations(of: Self.nested(128, { ["next": $0] }, 1)).map(\.reason),
                try JSONSchema(chain).violations(of: Self.nested(128, { [$0] }, 1)).map(\.reason),
            ]
        }
        #expect(results[0] == [])
        #expect(results[1] == ["expected an object or null, found the number 1"])
        #expect(results[2] == [Self.tooDeep])
    }

    private func onASmallStack<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread { continuation.resume(with: Swift.Result(catching: body)) }
            thread.stackSize = 2 * 1024 * 1024
            thread.start()
        }
    }

    /// One schema checks values from many tasks at once.
    @Test func isSharedBetweenTasks() async throws {
        let schema = try JSONSchema(["items": ["pattern": "^(a|b)+$", "maxLength": 1000]])
        let results = await withTaskGroup(of: Int.self) { group in
            for count in 0..<64 {
                group.addTask {
                    schema.violations(of: .array(Array(repeating: "abab", count: 20) + Array(repeating: "abc", count: count)), limit: 100)
                        .count - count
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results == Array(repeating: 0, count: 64))
    }
}
