import JSON
import JSONSchema
import Testing

/// Whatever cannot be honoured is reported when the schema is compiled, with its place.
@Suite struct CompilationTests {
    @Test(arguments: [
        ("1", "", "expected a schema, which is an object or a boolean, found the number 1"),
        (#"{"properties": {"a": null}}"#, "/properties/a", "expected a schema, which is an object or a boolean, found null"),
        (#"{"nullable": true}"#, "/nullable", #"the keyword "nullable" is not supported: say "type": ["string", "null"] or the like"#),
        (#"{"requird": ["a"]}"#, "/requird", #"the keyword "requird" is not supported, did you mean required?"#),
        (#"{"unevaluatedProperties": false}"#, "/unevaluatedProperties", #"the keyword "unevaluatedProperties" is not supported"#),
        (#"{"items": {"contains": {}}}"#, "/items/contains", #"the keyword "contains" is not supported"#),
        (#"{"dependentRequired": {}}"#, "/dependentRequired", #"the keyword "dependentRequired" is not supported"#),
        (#"{"$dynamicRef": "\#u{23}a"}"#, "/$dynamicRef", #"the keyword "$dynamicRef" is not supported"#),
        (#"{"$defs": {"a/b": {"m~n": 1}}}"#, "/$defs/a~1b/m~0n", #"the keyword "m~n" is not supported"#),
        (#"{"definitions": {"unused": {"foo": 1}}}"#, "/definitions/unused/foo", #"the keyword "foo" is not supported"#),
        (#"{"else": {"foo": 1}}"#, "/else/foo", #"the keyword "foo" is not supported"#),
        (#"{"type": 1}"#, "/type", "expected a string, found the number 1"),
        (#"{"type": "int"}"#, "/type", #""int" is no type; the types are string, integer, number, boolean, object, array or null"#),
        (
            #"{"type": ["string", "any"]}"#, "/type/1",
            #""any" is no type; the types are string, integer, number, boolean, object, array or null"#
        ),
        (#"{"type": []}"#, "/type", "must name at least one type"),
        (#"{"enum": "a"}"#, "/enum", #"expected an array of values, found the string "a""#),
        (#"{"minimum": "1"}"#, "/minimum", #"expected a number, found the string "1""#),
        (#"{"exclusiveMinimum": true}"#, "/exclusiveMinimum", "expected a number, found true"),
        (#"{"multipleOf": 0}"#, "/multipleOf", "must be greater than 0 and have at most 18 digits"),
        (#"{"multipleOf": -1}"#, "/multipleOf", "must be greater than 0 and have at most 18 digits"),
        (#"{"multipleOf": 1234567890123456789}"#, "/multipleOf", "must be greater than 0 and have at most 18 digits"),
        (#"{"minLength": -1}"#, "/minLength", "expected an integer from 0, found the number -1"),
        (#"{"maxItems": 1.5}"#, "/maxItems", "expected an integer from 0, found the number 1.5"),
        (#"{"maxProperties": "1"}"#, "/maxProperties", #"expected a number, found the string "1""#),
        (#"{"pattern": 1}"#, "/pattern", "expected a string, found the number 1"),
        (#"{"pattern": "("}"#, "/pattern", "is not a regular expression that can be used: a parenthesis is not closed"),
        (
            #"{"patternProperties": {"[": true}}"#, "/patternProperties/[",
            "is not a regular expression that can be used: a class is not closed"
        ),
        (#"{"uniqueItems": 1}"#, "/uniqueItems", "expected a boolean, found the number 1"),
        (#"{"required": true}"#, "/required", "expected an array of strings, found true"),
        (#"{"required": ["a", 1]}"#, "/required/1", "expected a string, found the number 1"),
        (#"{"properties": []}"#, "/properties", "expected an object of schemas, found an array"),
        (#"{"$defs": 1}"#, "/$defs", "expected an object of schemas, found the number 1"),
        (#"{"items": [true]}"#, "/items", "expected one schema; a list of schemas is called prefixItems since draft 2020-12"),
        (#"{"prefixItems": {}}"#, "/prefixItems", "expected an array of schemas, found an object"),
        (#"{"anyOf": []}"#, "/anyOf", "must have at least one schema"),
        (#"{"allOf": [true, 1]}"#, "/allOf/1", "expected a schema, which is an object or a boolean, found the number 1"),
        (
            #"{"additionalProperties": "no"}"#, "/additionalProperties",
            #"expected a schema, which is an object or a boolean, found the string "no""#
        ),
        (#"{"$ref": 1}"#, "/$ref", "expected a string, found the number 1"),
    ])
    func refuses(document: String, pointer: String, reason: String) throws {
        #expect(refusal(try json(document)) == JSONSchemaError(pointer: pointer, reason: reason))
    }

    @Test(arguments: [
        "https://example.com/a.json", "a.json", "#a", "a#/b", "", "#/%zz", "#/%", "#/%ff", "#/~2", "#/~",
    ])
    func refusesReferencesThatAreNotLocal(reference: String) {
        let error = refusal(["properties": ["a": ["$ref": .string(reference)]]])
        #expect(error?.pointer == "/properties/a/$ref")
        #expect(error?.reason.contains("is not supported: a reference is #") == true)
    }

    @Test(arguments: [
        ("#/$defs/b", "leads nowhere"), ("#/$defs/a/0", "leads nowhere"), ("#/allOf/1", "leads nowhere"), ("#/allOf/00", "leads nowhere"),
        ("#/allOf/-0", "leads nowhere"), ("#/allOf/+0", "leads nowhere"), ("#/$defs/e\u{301}", "leads nowhere"), ("#/", "leads nowhere"),
        ("#/title", #"leads to the string "t", which is no schema"#), ("#/allOf", "leads to an array, which is no schema"),
        ("#/maxLength", "leads to the number 5, which is no schema"),
    ])
    func refusesReferencesThatLeadNowhere(reference: String, reason: String) {
        let error = refusal([
            "title": "t", "maxLength": 5, "allOf": [true], "$defs": ["a": true, "\u{E9}": true], "not": ["$ref": .string(reference)],
        ])
        #expect(error?.pointer == "/not/$ref")
        #expect(error?.reason.hasSuffix(reason) == true)
    }

    @Test(arguments: [
        (##"{"$ref": "#"}"##, "/$ref"),
        (##"{"allOf": [{"$ref": "#"}]}"##, "/allOf/0/$ref"),
        (##"{"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"not": {"$ref": "#/$defs/a"}}}}"##, "/$defs/b/not/$ref"),
        (##"{"$defs": {"a": {"if": {"$ref": "#/$defs/a"}, "then": true}}}"##, "/$defs/a/if/$ref"),
        (
            ##"{"properties": {"a": {"anyOf": [{"type": "null"}, {"oneOf": [{"$ref": "#/properties/a"}]}]}}}"##,
            "/properties/a/anyOf/1/oneOf/0/$ref"
        ),
    ])
    func refusesEndlessReferences(document: String, pointer: String) throws {
        let reason = "the reference leads back to itself without going deeper into the value"
        #expect(refusal(try json(document)) == JSONSchemaError(pointer: pointer, reason: reason))
    }

    @Test func refusesReferencesBelowANestedIdentifier() throws {
        let nested = #"{"$id": "https://example.com/b", "items": {"$ref": "\#u{23}"}}"#
        let error = refusal(try json(#"{"$id": "https://example.com/a", "properties": {"a": \#(nested)}}"#))
        #expect(error == JSONSchemaError(pointer: "/properties/a/items/$ref", reason: "a $ref below a nested $id is not supported"))
        // Also where another reference comes to the place first.
        let target = #"{"$id": "https://example.com/b", "items": {"items": {"$ref": "\#u{23}"}}}"#
        let around = refusal(try json(##"{"$ref": "#/properties/a/items", "properties": {"a": \##(target)}}"##))
        #expect(around?.pointer == "/properties/a/items/items/$ref")
        // It is the nested identifier that matters, not one at the root or a property of that name.
        #expect(refusal(try json(##"{"$id": "https://example.com/a", "items": {"$ref": "#"}}"##)) == nil)
        #expect(refusal(try json(##"{"properties": {"$id": {"items": {"$ref": "#"}}}}"##)) == nil)
    }

    @Test func refusesWhatNestsTooDeep() {
        func nested(_ keyword: String, _ depth: Int) -> JSONValue {
            (0..<depth).reduce(true) { inner, _ in .object([keyword: inner]) }
        }
        #expect(refusal(nested("items", 128)) == nil)
        let pointer = String(repeating: "/items", count: 129)
        #expect(refusal(nested("items", 129)) == JSONSchemaError(pointer: pointer, reason: "the schema nests deeper than 128"))
        #expect(refusal(nested("not", 63)) == nil)
        #expect(
            refusal(nested("not", 64))
                == JSONSchemaError(pointer: "", reason: "more than 64 alternatives and references apply within one another"))
        let deepValue = (0..<128).reduce(JSONValue.null) { inner, _ in [inner] }
        #expect(refusal(["const": deepValue]) == nil)
        #expect(refusal(["const": [deepValue]]) == JSONSchemaError(pointer: "/const", reason: "the value nests deeper than 128"))
        #expect(refusal(["enum": [deepValue]])?.pointer == "/enum")
    }

    /// A chain of thousands of references must not take a stack of thousands of calls.
    @Test func refusesLongChains() {
        let definitions = (0..<20_000).map { ("d\($0)", ["$ref": .string("#/$defs/d\($0 + 1)")] as JSONValue) } + [("d20000", true)]
        let error = refusal(["$defs": .object(.init(uniqueKeysWithValues: definitions))])
        #expect(error?.reason == "more than 64 alternatives and references apply within one another")
    }
}
