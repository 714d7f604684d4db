import JSON
import Testing

/// Pulling: what a typed reader gets, piece by piece.
@Suite struct JSONReaderTests {
    @Test func handsOutTokensInOrder() throws {
        var reader = JSONReader(Array(#" { "a" : [ 1 , "x" , null , true , 2.5 ] , "b" : { } , "c" : [ ] } "#.utf8))
        #expect(try reader.peek() == .object)
        try reader.beginObject()
        #expect(try reader.nextKey() == "a")
        #expect(try reader.peek() == .array)
        try reader.beginArray()
        #expect(try reader.nextElement())
        #expect(try reader.peek() == .number)
        #expect(try !reader.readNull())
        #expect(try reader.integer() == 1)
        #expect(try reader.nextElement())
        #expect(try reader.peek() == .string)
        #expect(try reader.string() == "x")
        #expect(try reader.nextElement())
        #expect(try reader.peek() == .null)
        #expect(try reader.readNull())
        #expect(try reader.nextElement())
        #expect(try reader.peek() == .bool)
        #expect(try reader.bool())
        #expect(try reader.nextElement())
        #expect(try reader.double() == 2.5)
        #expect(try !reader.nextElement())
        #expect(try reader.nextKey() == "b")
        try reader.beginObject()
        #expect(try reader.nextKey() == nil)
        #expect(try reader.nextKey() == "c")
        try reader.beginArray()
        #expect(try !reader.nextElement())
        #expect(try reader.nextKey() == nil)
        try reader.end()
    }

    @Test func handsOutRepeatedKeys() throws {
        var reader = JSONReader(Array(#"{"a":1,"b":2,"a":3,"\u0061":4}"#.utf8))
        var seen: [String] = []
        var last: [String: Int] = [:]
        try reader.beginObject()
        while let key = try reader.nextKey() {
            seen.append(key)
            last[key] = try reader.integer()
        }
        #expect(seen == ["a", "b", "a", "a"])
        #expect(last == ["a": 4, "b": 2])
    }

    @Test(arguments: [
        ("null", "null"), ("  -1.5e3  ", "-1.5e3"), (#" "a\"]" "#, #""a\"]""#), (" [1, [2], {}] ", "[1, [2], {}]"),
        ("\n{\"a\": [{}]}\n", "{\"a\": [{}]}"),
    ])
    func skipsExactlyOneValue(json: String, value: String) throws {
        let bytes = Array(json.utf8)
        var reader = JSONReader(bytes)
        let range = try reader.skip()
        try reader.end()
        #expect(text(Array(bytes[range])) == value)
    }

    @Test func skipsWithinASliceInIndicesOfTheBuffer() throws {
        let bytes = Array(#"garbage{"params": {"a": [1, 2]} , "id": 7}garbage"#.utf8)
        var reader = JSONReader(bytes, in: 7..<bytes.count - 7)
        var params: Range<Int>?
        var id: Int?
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "params": params = try reader.skip()
            case "id": id = try reader.integer()
            default: throw reader.mismatch("unknown field")
            }
        }
        try reader.end()
        #expect(id == 7)
        let range = try #require(params)
        #expect(text(Array(bytes[range])) == #"{"a": [1, 2]}"#)
        // What was skipped can be read by a reader of its own.
        var inner = JSONReader(bytes, in: range)
        #expect(try inner.value() == ["a": [1, 2]])
        try inner.end()
    }

    /// Each of these would be valid, or would go on, if the reader looked beyond its slice.
    @Test(arguments: [
        ("\"ab\"", 3), ("[1]", 2), ("true", 3), ("1.5", 2), ("-1", 1), ("\"\\n\"", 2), ("\"\\u0041\"", 6), ("\"é\"", 2), ("{\"a\":1}", 4),
        ("1", 0),
    ])
    func seesNothingBeyondItsSlice(json: String, end: Int) {
        var reader = JSONReader(Array(json.utf8), in: 0..<end)
        let error = #expect(throws: JSONError.self) { _ = try reader.skip() }
        #expect(error?.kind == .syntax)
        #expect(error.map { $0.offset <= end } == true)
    }

    @Test func readsANumberAtTheEndOfItsSlice() throws {
        var reader = JSONReader(Array("9123.5".utf8), in: 1..<4)
        #expect(try reader.integer() == 123)
        try reader.end()
    }

    @Test func kindMismatchesNameBothKinds() throws {
        let names = ["null": "null", "true": "a boolean", "1": "a number", "\"\"": "a string", "[]": "an array", "{}": "an object"]
        for (json, found) in names {
            let bytes = Array(json.utf8)
            let attempts: [(String, (inout JSONReader) throws -> Void)] = [
                ("a boolean", { _ = try $0.bool() }), ("a number", { _ = try $0.integer() }), ("a number", { _ = try $0.double() }),
                ("a string", { _ = try $0.string() }), ("an array", { try $0.beginArray() }), ("an object", { try $0.beginObject() }),
            ]
            for (expected, attempt) in attempts where expected != found {
                var reader = JSONReader(bytes)
                let error = #expect(throws: JSONError.self) { try attempt(&reader) }
                #expect(error == JSONError(kind: .mismatch, reason: "expected \(expected), found \(found)", path: "", offset: 0))
            }
        }
    }

    @Test func readsArraysOfOneType() throws {
        #expect(try read([Int].self, "[1,2,3]") == [1, 2, 3])
        #expect(try read([String].self, "[]") == [])
        #expect(try read([[Bool]].self, "[[true],[],[false]]") == [[true], [], [false]])
        #expect(try read([Double].self, "[1,0.5]") == [1, 0.5])
        #expect(try read([JSONValue].self, #"[null,{"a":[]}]"#) == [nil, ["a": []]])
    }
}
