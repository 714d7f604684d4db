import JSON
import JSONSchema
import Testing

@Suite struct ValidityTests {
    @Test(arguments: Examples.all)
    func tellsValidFromInvalid(example: Example) throws {
        let schema = try schema(example.schema)
        for value in example.valid {
            #expect(schema.violations(of: try json(value)) == [], "\(value)")
        }
        for value in example.invalid {
            #expect(!schema.violations(of: try json(value)).isEmpty, "\(value)")
        }
    }

    /// Every schema of the tables, put into others that cannot but agree with it or with its opposite, against every value of the tables.
    @Test func combinationsAgreeWithTheirParts() throws {
        let values = try Set(Examples.all.flatMap { $0.valid + $0.invalid }).sorted().map { try json($0) }
        var counts = [false: 0, true: 0]
        for example in Examples.all where !example.schema.contains("$ref") {
            let document = try json(example.schema)
            let plain = try JSONSchema(document)
            let same: [JSONValue] = [
                ["allOf": [document]], ["anyOf": [false, document]], ["oneOf": [document, false]], ["not": ["not": document]],
                ["if": document, "then": true, "else": false], ["$ref": "#/$defs/x", "$defs": ["x": document]],
                ["if": document, "else": document],
            ]
            let opposite: [JSONValue] = [["not": document], ["oneOf": [document, true]], ["if": document, "then": false]]
            var schemas: [(JSONSchema, agrees: Bool)] = []
            schemas += try same.map { (try JSONSchema($0), true) }
            schemas += try opposite.map { (try JSONSchema($0), false) }
            for value in values {
                let isValid = plain.violations(of: value).isEmpty
                counts[isValid, default: 0] += 1
                #expect(plain.violations(of: value, limit: 1).isEmpty == isValid)
                for (schema, agrees) in schemas {
                    #expect(schema.violations(of: value).isEmpty == (isValid == agrees), "\(example.schema)")
                }
            }
        }
        #expect(counts.values.allSatisfy { $0 > 2000 })
    }

    @Test func membersCountInWhateverOrder() throws {
        let one = try schema(#"{"type": "object", "properties": {"a": {"const": 1}}, "required": ["a"], "additionalProperties": false}"#)
        let other = try schema(#"{"additionalProperties": false, "required": ["a"], "properties": {"a": {"const": 1}}, "type": "object"}"#)
        for value in ["{}", #"{"a": 1}"#, #"{"a": 2, "b": 1}"#, #"{"b": 1, "a": 2}"#, "1"] {
            let value = try json(value)
            #expect(Set(one.violations(of: value).map(\.reason)) == Set(other.violations(of: value).map(\.reason)))
        }
    }
}
