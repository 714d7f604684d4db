import JSON
import JSONSchema
import Testing

/// What a language model is told must be enough to mend its call.
@Suite struct ReasonTests {
    @Test(arguments: [
        (#"{"type": "string"}"#, "3", [": expected a string, found the number 3"]),
        (#"{"type": "string"}"#, "null", [": expected a string, found null"]),
        (#"{"type": "integer"}"#, "1.5", [": expected an integer, found the number 1.5"]),
        (#"{"type": "number"}"#, #""3""#, [#": expected a number, found the string "3""#]),
        (#"{"type": ["null", "array", "object"]}"#, "true", [": expected an object, an array or null, found true"]),
        (#"{"type": "boolean"}"#, "[1]", [": expected a boolean, found an array"]),
        (#"{"type": "array"}"#, "{}", [": expected an array, found an object"]),
        // Another type needs no other complaint, wherever the type stands.
        (#"{"minLength": 2, "enum": ["ab"], "type": "string"}"#, "3", [": expected a string, found the number 3"]),
        ("false", "1", [": is not allowed here"]),
        (#"{"enum": ["a", "b", 3, null]}"#, #""c""#, [#": is not one of "a", "b", 3, null"#]),
        (#"{"enum": [1]}"#, "2", [": must be 1"]),
        (#"{"enum": []}"#, "2", [": is not allowed here"]),
        (#"{"const": {"a": [1]}}"#, "2", [#": must be {"a":[1]}"#]),
        (#"{"minimum": 5}"#, "3", [": must be at least 5, found 3"]),
        (#"{"maximum": 0.5}"#, "1e3", [": must be at most 0.5, found 1e3"]),
        (#"{"exclusiveMinimum": -1.250}"#, "-2", [": must be greater than -1.25, found -2"]),
        (#"{"exclusiveMaximum": 1e3}"#, "1000", [": must be less than 1000, found 1000"]),
        (#"{"maximum": -12e300}"#, "0", [": must be at most -1.2e301, found 0"]),
        (#"{"minimum": 0}"#, "-1", [": must be at least 0, found -1"]),
        (#"{"multipleOf": 0.01}"#, "0.005", [": must be a multiple of 0.01, found 0.005"]),
        (#"{"minLength": 1}"#, #""""#, [": must have at least 1 character, has 0"]),
        (#"{"maxLength": 2}"#, #""abc""#, [": must have at most 2 characters, has 3"]),
        (#"{"pattern": "^[a-z]+$"}"#, #""A""#, [": must match the regular expression ^[a-z]+$"]),
        (#"{"minItems": 2}"#, "[1]", [": must have at least 2 elements, has 1"]),
        (#"{"maxItems": 1}"#, "[1, 2]", [": must have at most 1 element, has 2"]),
        (#"{"uniqueItems": true}"#, "[1, 2, 3, 2]", [": elements 1 and 3 are equal, but all must differ"]),
        (#"{"minProperties": 1}"#, "{}", [": must have at least 1 field, has 0"]),
        (#"{"maxProperties": 1}"#, #"{"a": 1, "b": 2}"#, [": must have at most 1 field, has 2"]),
        (#"{"required": ["a", "b c"]}"#, "{}", ["a: is required", #"["b c"]: is required"#]),
        (
            #"{"propertyNames": {"pattern": "^[a-z]$"}}"#, #"{"A": 1}"#,
            ["A: the name of this field is wrong: must match the regular expression ^[a-z]$"]
        ),
        (#"{"not": {"const": "x"}}"#, #""x""#, [#": must not fit the schema {"const":"x"}"#]),
        (
            #"{"properties": {"content": {"items": {"properties": {"text": {"type": "string"}}}}}}"#,
            #"{"content": [{"text": "a"}, {"text": 1}]}"#, ["content[1].text: expected a string, found the number 1"]
        ),
        (
            #"{"properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["a", "c"]}"#, #"{"a": 1, "b": 2}"#,
            ["c: is required", "a: expected a string, found the number 1", "b: expected a string, found the number 2"]
        ),
        (#"{"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}}"#, #"{"a": 1}"#, ["b: is required"]),
        // The same complaint from two places is one.
        (#"{"allOf": [{"minimum": 1}, {"minimum": 1}]}"#, "0", [": must be at least 1, found 0"]),
    ])
    func saysWhatIsWrong(schema: String, value: String, expected: [String]) throws {
        #expect(try complaints(schema, value) == expected)
    }

    @Test(arguments: [
        (["name", "description"], "nmae", #", did you mean "name"?"#),
        (["userId", "botId"], "user_id", #", did you mean "userId"?"#),
        (["Content-Type"], "contenttype", #", did you mean "Content-Type"?"#),
        (["startDate", "endDate"], "stratdate", #", did you mean "startDate"?"#),
        (["bot1", "bot2", "cat"], "bot", #", did you mean "bot1" or "bot2"?"#),
        (["name", "description"], "colour", #", known are "name", "description""#),
        (["a"], "b", #", known are "a""#),
        ([], "b", ", there are no known ones"),
    ])
    func namesTheNearestFields(known: [String], unknown: String, advice: String) throws {
        let schema = try JSONSchema([
            "properties": .object(.init(uniqueKeysWithValues: known.map { ($0, true) })), "additionalProperties": false,
        ])
        #expect(schema.violations(of: .object([unknown: 1])) == [.init(path: unknown, reason: "unknown field" + advice)])
    }

    /// Of several alternatives, the one that was meant is told of, where that can be seen.
    @Test(arguments: [
        // All of other types: one list of types.
        (#"{"anyOf": [{"type": "string"}, {"type": "null"}]}"#, "3", [": expected a string or null, found the number 3"]),
        (
            #"{"oneOf": [{"anyOf": [{"type": "string"}, {"type": "array"}]}, {"type": "null"}]}"#, "3",
            [": expected a string, an array or null, found the number 3"]
        ),
        // Constants with titles, as code generators write enumerations.
        (
            #"{"oneOf": [{"const": "a", "title": "A"}, {"const": "b"}, {"enum": ["c", "d"]}]}"#, #""x""#,
            [#": is not one of "a", "b", "c", "d""#]
        ),
        // Only one is of this type.
        (
            #"{"anyOf": [{"type": "object", "required": ["a"], "properties": {"b": {"type": "integer"}}}, {"type": "null"}]}"#,
            #"{"b": "x"}"#, ["a: is required", #"b: expected an integer, found the string "x""#]
        ),
        // One field tells them apart.
        (
            ##"{"oneOf": [{"properties": {"kind": {"const": "circle"}, "r": {"type": "number"}}, "required": ["kind", "r"]}, {"properties": {"kind": {"const": "square"}}, "required": ["kind", "side"]}]}"##,
            #"{"kind": "square"}"#, ["side: is required"]
        ),
        // A wrong value of several does not.
        (
            #"{"anyOf": [{"properties": {"a": {"enum": ["x", "y"]}}}, {"required": ["c"]}]}"#, #"{"a": "z"}"#,
            [#": fits none of 2 alternatives: a is not one of "x", "y"; or c is required"#]
        ),
        // Nothing tells them apart.
        (
            #"{"anyOf": [{"required": ["a"]}, {"required": ["b", "c"]}]}"#, "{}",
            [": fits none of 2 alternatives: a is required; or b is required and c is required"]
        ),
        (
            #"{"properties": {"p": {"anyOf": [{"required": ["a"]}, {"minProperties": 3}]}}}"#, #"{"p": {}}"#,
            ["p: fits none of 2 alternatives: a is required; or must have at least 3 fields, has 0"]
        ),
        (
            #"{"anyOf": [{"type": "null"}, {"enum": ["a", "b"]}]}"#, #""c""#,
            [#": fits none of 2 alternatives: expected null, found the string "c"; or is not one of "a", "b""#]
        ),
        (
            #"{"oneOf": [{"minimum": 1}, {"minimum": 5}, {"minimum": 3}]}"#, "3",
            [": fits alternatives 1 and 3, but must fit exactly one of 3"]
        ),
        (
            #"{"anyOf": [{"anyOf": [{"minimum": 1}, {"maximum": -2}]}, {"minimum": 7}]}"#, "0",
            [": fits none of 2 alternatives: fits none of 2 alternatives; or must be at least 7, found 0"]
        ),
    ])
    func tellsOfTheAlternativeThatWasMeant(schema: String, value: String, expected: [String]) throws {
        #expect(try complaints(schema, value) == expected)
    }

    @Test func stopsAtTheLimit() throws {
        let schema = try schema(#"{"items": {"type": "string"}}"#)
        let value = try json("[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]")
        #expect(schema.violations(of: value).map(\.path) == (0..<8).map { "[\($0)]" })
        #expect(schema.violations(of: value, limit: 2).map(\.path) == ["[0]", "[1]"])
        #expect(schema.violations(of: value, limit: 100).count == 10)
        #expect(schema.violations(of: value, limit: 0).count == 1)
        #expect(schema.violations(of: [], limit: 0).isEmpty)
    }

    /// Reasons go into messages: whatever schema and value bring, they stay short.
    @Test func staysShort() throws {
        let long = String(repeating: "é", count: 5000)
        let names = (0..<5000).map { "\($0)\(long.prefix(100))" }
        let schemas: [JSONValue] = [
            ["type": "null"], ["enum": [.string(long), "b"]], ["enum": .array(names.map { .string($0) })], ["const": .string(long)],
            ["const": [.string(long)]], ["pattern": .string("^" + long.prefix(1000) + "$")], ["not": ["not": ["const": .string(long)]]],
            ["anyOf": .array(names.map { ["const": .string($0)] })],
            ["anyOf": .array(names.map { ["minProperties": 9, "required": [.string($0)]] })],
            ["properties": .object(.init(uniqueKeysWithValues: names.map { ($0, true) })), "additionalProperties": false],
            ["propertyNames": ["maxLength": 3]], ["not": ["not": ["enum": .array(names.map { .string($0) })]]],
            ["maximum": 1, "minimum": .number(String(repeating: "9", count: 5000))],
            ["multipleOf": 7], ["required": [.string(long)]],
        ]
        let values: [JSONValue] = [.string(long + "x"), .object([long: 1]), .number(String(repeating: "8", count: 5000)), [.string(long)]]
        var count = 0
        for schema in schemas {
            let schema = try JSONSchema(schema)
            for value in values {
                for violation in schema.violations(of: value) {
                    #expect(violation.reason.unicodeScalars.count < 900)
                    #expect(violation.path.unicodeScalars.count < 80)
                    count += 1
                }
            }
        }
        #expect(count > 30)
    }
}
