import JSON
import Testing

/// A shape with everything a path can go through.
private struct Letter: JSONReadable {
    struct Part: JSONReadable {
        var text: String
        var weight: Int?

        init(from reader: inout JSONReader) throws(JSONError) {
            var text: String?
            try reader.beginObject()
            while let key = try reader.nextKey() {
                switch key {
                case "text": text = try reader.string()
                case "weight": weight = try reader.integer()
                case "kind":
                    guard try reader.string() == "plain" else { throw reader.mismatch("is not a known kind") }
                default: throw reader.mismatch("unknown field")
                }
            }
            guard let text else { throw reader.missing("text") }
            self.text = text
        }
    }

    var title: String
    var content: [Part] = []
    var tags: [[String]] = []

    init(from reader: inout JSONReader) throws(JSONError) {
        var title: String?
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "title": title = try reader.string()
            case "content":
                content = try [Part](from: &reader)
                guard !content.isEmpty else { throw reader.mismatch("must not be empty") }
            case "tags": tags = try [[String]](from: &reader)
            case "odd key":
                _ = try reader.skip()
                throw reader.mismatch("is odd")
            case "pinned": _ = try reader.bool()
            case "part":
                let part = try Part(from: &reader)
                guard part.weight != 0 else { throw reader.mismatch("weighs nothing") }
            default: throw reader.mismatch("unknown field")
            }
        }
        guard let title else { throw reader.missing("title") }
        self.title = title
    }
}

@Suite struct ErrorPathTests {
    @Test(arguments: [
        ("7", "", "expected an object, found a number", 0),
        ("  []", "", "expected an object, found an array", 2),
        ("{}", "title", "is required", 0),
        (#" {"content":[{"text":""}]}  "#, "title", "is required", 1),
        (#"{"title":3}"#, "title", "expected a string, found a number", 9),
        (#"{"title":null}"#, "title", "expected a string, found null", 9),
        (#"{"title":"","pinned":"yes"}"#, "pinned", "expected a boolean, found a string", 21),
        (#"{"title":"","content":{}}"#, "content", "expected an array, found an object", 22),
        (#"{"title":"","content":[]}"#, "content", "must not be empty", 22),
        (#"{"content":[{"text":"a"},{"weight":1}]}"#, "content[1].text", "is required", 25),
        (#"{"content":[{"text":"a"},{"text":false}]}"#, "content[1].text", "expected a string, found a boolean", 33),
        (#"{"content":[{"text":"a","weight":1.5}]}"#, "content[0].weight", "expected an integer without fraction and exponent", 33),
        (#"{"content":[{"text":"a","kind":"bold"}]}"#, "content[0].kind", "is not a known kind", 31),
        (#"{"content":[{"text":"a","size":3}]}"#, "content[0].size", "unknown field", 24),
        (#"{"content":[{"text":"a","s\u0069ze":3}]}"#, "content[0].size", "unknown field", 24),
        (#"{"tags":[[],["a"],["b","c",4]]}"#, "tags[2][2]", "expected a string, found a number", 27),
        (#"{"tags":[[],"a"]}"#, "tags[1]", "expected an array, found a string", 12),
        (#"{"odd key":{"a":[1,2]}}"#, #"["odd key"]"#, "is odd", 11),
        (#"{"odd key":"some text"}"#, #"["odd key"]"#, "is odd", 11),
        (#"{"odd key":-12.5}"#, #"["odd key"]"#, "is odd", 11),
        (#"{"part":{"weight":0,"text":"{]"}}"#, "part", "weighs nothing", 8),
        (#"{"part":{"text":"\"}],"},"x":1}"#, "x", "unknown field", 25),
        (#"{"":1}"#, #"[""]"#, "unknown field", 1),
        (#"{"0":1}"#, #"["0"]"#, "unknown field", 1),
        (#"{"_$a0Z":1}"#, "_$a0Z", "unknown field", 1),
        (#"{"a-b":1}"#, #"["a-b"]"#, "unknown field", 1),
        (#"{"é":1}"#, #"["é"]"#, "unknown field", 1),
        (#"{"a\"b\n":1}"#, #"["a\"b\n"]"#, "unknown field", 1),
        (#"{"x":[{"y":"}"}]}"#, "x", "unknown field", 1),
    ])
    func namesThePlace(json: String, path: String, reason: String, offset: Int) {
        #expect(readError(Letter.self, json) == JSONError(kind: .mismatch, reason: reason, path: path, offset: offset))
        // The same again as a slice: paths and offsets count from the start of the slice.
        let bytes = Array(#"{"a":["#.utf8) + Array(json.utf8) + Array("]".utf8)
        var reader = JSONReader(bytes, in: 6..<bytes.count - 1)
        let error = #expect(throws: JSONError.self) { _ = try Letter(from: &reader) }
        #expect(error == JSONError(kind: .mismatch, reason: reason, path: path, offset: offset))
    }

    /// A mismatch is reported as one only when the whole text is JSON, wherever the reader has got to.
    @Test(arguments: [
        (#"{"title":3,}"#, "", 11), (#"{"title":3"#, "title", 10), (#"{"title":nul}"#, "title", 9), (#"{"x":1}}"#, "", 7),
        (#"{"x":"\uD800"}"#, "x", 6), ("{} x", "", 3), (#"{"part":{"text":"a","y":[1,{"z":-}]}}"#, "part.y[1].z", 33), ("[1,", "[1]", 3),
    ])
    func putsSyntaxFirst(json: String, path: String, offset: Int) {
        let error = readError(Letter.self, json)
        #expect(error?.kind == .syntax)
        #expect(error?.path == path)
        #expect(error?.offset == offset)
    }

    @Test(arguments: [
        ("[1,2,x]", "[2]"), (#"{"a":{"b":[0,{"c d":tru}]}}"#, #"a.b[1]["c d"]"#), (#"[{"a":1},{"b":"\q"}]"#, "[1].b"),
        ("[[1,2],[3,[4,]]]", "[1][1][1]"),
        (#"{"a":1,b:2}"#, ""), (#"{"a":1,"b"}"#, "b"), ("nope", ""), ("", ""), (#"[{"k":"unfinished"#, "[0].k"), (#"[{"unfinished"#, "[0]"),
    ])
    func namesThePlaceOfSyntaxErrors(json: String, path: String) {
        #expect(parseError(json)?.path == path)
        #expect(parseError(json)?.kind == .syntax)
    }

    @Test func missingFieldOfTheObjectThatIsBeingRead() throws {
        var reader = JSONReader(Array(#"{"a":{"b":[1,{"c":2,"d":3}],"e":4}}"#.utf8))
        try reader.beginObject()
        #expect(reader.missing("x").path == "x")
        _ = try reader.nextKey()
        #expect(reader.missing("x").path == "x")
        try reader.beginObject()
        #expect(reader.missing("x").path == "a.x")
        _ = try reader.nextKey()
        try reader.beginArray()
        _ = try reader.nextElement()
        _ = try reader.integer()
        #expect(reader.missing("x").path == "a.x")
        _ = try reader.nextElement()
        try reader.beginObject()
        _ = try reader.nextKey()
        _ = try reader.integer()
        #expect(reader.missing("x") == JSONError(kind: .mismatch, reason: "is required", path: "a.b[1].x", offset: 13))
    }

    @Test func cutsOverlongKeys() {
        let key = String(repeating: "k", count: 100_000)
        let path = readError(Letter.self, "{\"\(key)\":1}")?.path
        #expect(path == "[\"\(String(repeating: "k", count: 64))…\"]")
    }
}
