import JSON
import OrderedCollections
import Testing

@Suite struct JSONValueTests {
    @Test func lastOfRepeatedKeysWinsAtTheFirstPlace() throws {
        let value = try JSONReader.parse(Array(#"{"a":1,"b":2,"a":3,"c":4,"\u0061":[5]}"#.utf8))
        #expect(value == ["a": [5], "b": 2, "c": 4])
        #expect(value.objectValue?.keys == ["a", "b", "c"])
        #expect(text(JSONWriter.encode(value)) == #"{"a":[5],"b":2,"c":4}"#)
    }

    @Test func keepsTheOrderOfMembers() throws {
        let json = #"{"z":1,"a":{"y":2,"b":3},"m":[]}"#
        #expect(text(JSONWriter.encode(try JSONReader.parse(Array(json.utf8)))) == json)
    }

    @Test func equalityAndHashIgnoreTheOrderOfMembers() throws {
        let one = try JSONReader.parse(Array(#"{"a":1,"b":{"c":[1,2],"d":null},"e":"x"}"#.utf8))
        let other = try JSONReader.parse(Array(#"{"e":"x","b":{"d":null,"c":[1,2]},"a":1}"#.utf8))
        #expect(one == other)
        #expect(one.hashValue == other.hashValue)
        #expect(Set([one, other]).count == 1)
    }

    @Test(arguments: [
        (#"{"a":1}"#, #"{"a":2}"#), (#"{"a":1}"#, #"{"b":1}"#), (#"{"a":1}"#, #"{"a":1,"b":1}"#), (#"{"a":1,"b":2}"#, #"{"a":2,"b":1}"#),
        ("[1,2]", "[2,1]"), ("1", "1.0"), ("1", "\"1\""), ("0", "-0"), ("0", "false"), ("null", "false"), ("[]", "{}"), ("\"\"", "null"),
        ("1.0", "1.00"), ("[]", "[[]]"), ("1e2", "\"1e2\""),
    ])
    func differs(left: String, right: String) throws {
        let left = try JSONReader.parse(Array(left.utf8))
        let right = try JSONReader.parse(Array(right.utf8))
        #expect(left != right)
        #expect(right != left)
        #expect(left.hashValue != right.hashValue)
    }

    @Test func isSpelledWithLiterals() throws {
        let value: JSONValue = [
            "null": nil, "bool": true, "integer": -3, "double": 0.5, "string": "x\(1)", "array": [1, [nil]], "object": [:],
        ]
        let json = #"{"null":null,"bool":true,"integer":-3,"double":0.5,"string":"x1","array":[1,[null]],"object":{}}"#
        #expect(text(JSONWriter.encode(value)) == json)
        #expect(try JSONReader.parse(Array(json.utf8)) == value)
        let repeated: JSONValue = ["a": 1, "b": 2, "a": 3]
        #expect(text(JSONWriter.encode(repeated)) == #"{"a":3,"b":2}"#)
    }

    @Test func givesOutWhatItHolds() {
        let value: JSONValue = ["s": "x", "i": 7, "d": 1.5, "big": .number("1e400"), "b": false, "n": nil, "a": [1], "o": ["k": "v"]]
        #expect(value["s"]?.stringValue == "x")
        #expect(value["i"]?.intValue == 7)
        #expect(value["i"]?.doubleValue == 7)
        #expect(value["d"]?.doubleValue == 1.5)
        #expect(value["d"]?.intValue == nil)
        #expect(value["big"]?.doubleValue == nil)
        #expect(value["b"]?.boolValue == false)
        #expect(value["n"]?.isNull == true)
        #expect(value["a"]?.arrayValue == [1])
        #expect(value["o"]?["k"] == "v")
        #expect(value["o"]?.objectValue == ["k": "v"])
        #expect(value["absent"] == nil)
        #expect(value["s"]?["k"] == nil)
        for key in ["s", "i", "b", "n", "a", "o"] {
            let holds = [
                value[key]?.stringValue != nil, value[key]?.intValue != nil, value[key]?.boolValue != nil, value[key]?.isNull == true,
                value[key]?.arrayValue != nil, value[key]?.objectValue != nil,
            ]
            #expect(holds.count { $0 } == 1)
        }
    }
}
