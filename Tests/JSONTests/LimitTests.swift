import JSON
import Testing

/// Depth is limited, size is not, and no input takes more than linear time: what were quadratic here would not end within the limit.
@Suite(.timeLimit(.minutes(5))) struct LimitTests {
    @Test(arguments: [("[", "]"), (#"{"a":"#, "}"), (#"[{"a":"#, "}]")])
    func limitsDepth(begin: String, end: String) throws {
        let step = begin.utf8.count { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "{") }
        for depth in [127, 128, 129, 130, 1000] where depth % step == 0 || depth > 128 {
            let count = (depth + step - 1) / step
            let bytes = Array((String(repeating: begin, count: count) + "0" + String(repeating: end, count: count)).utf8)
            for error in try verdicts(bytes) {
                if depth <= JSONReader.maximumDepth {
                    #expect(error == nil)
                } else {
                    #expect(error?.kind == .syntax)
                    #expect(error?.reason == "arrays and objects nest too deep")
                    #expect(error?.offset == bytes.indices.filter { bytes[$0] == UInt8(ascii: "[") || bytes[$0] == UInt8(ascii: "{") }[128])
                }
            }
        }
    }

    @Test func depthIsThatOfThePlaceAndNotTheNumberOfContainers() throws {
        let deep = String(repeating: "[", count: 127) + String(repeating: "]", count: 127)
        #expect(try verdicts(Array("[\(deep),\(deep),{\"a\":[]},\(deep)]".utf8)) == [nil, nil, nil])
        #expect(try verdicts(Array("[[\(deep)]]".utf8)).allSatisfy { $0?.kind == .syntax })
    }

    @Test func depthCountsWhatTheCallerHasOpened() throws {
        var reader = JSONReader(Array((String(repeating: "[", count: 129) + String(repeating: "]", count: 129)).utf8))
        for _ in 0..<128 {
            try reader.beginArray()
            #expect(try reader.nextElement())
        }
        var skipping = reader
        var reading = reader
        #expect(throws: JSONError.self) { try reader.beginArray() }
        #expect(throws: JSONError.self) { _ = try skipping.skip() }
        #expect(throws: JSONError.self) { _ = try reading.value() }
    }

    @Test(arguments: ["[", #"{"a":"#, #"[{"":"#, "[[],", "{\"a\":{},\"b\":"])
    func survivesHostileDepth(begin: String) throws {
        let bytes = Array(String(repeating: begin, count: 100_000).utf8)
        for error in try verdicts(bytes) {
            #expect(error?.reason == "arrays and objects nest too deep")
        }
    }

    @Test func writesTheDeepestValueItReads() throws {
        let json = String(repeating: #"{"a":["#, count: 64) + String(repeating: "]}", count: 64)
        let value = try JSONReader.parse(Array(json.utf8))
        #expect(text(JSONWriter.encode(value)) == json)
        #expect(value == (try JSONReader.parse(Array(json.utf8))))
        #expect(value.hashValue == (try JSONReader.parse(Array(json.utf8))).hashValue)
    }

    @Test func readsObjectsOfManyKeys() throws {
        let json = "{" + (0..<100_000).map { "\"key\($0)\":\($0)" }.joined(separator: ",") + ",\"key7\":[]}"
        let value = try JSONReader.parse(Array(json.utf8))
        #expect(value.objectValue?.count == 100_000)
        #expect(value["key99999"] == 99_999)
        #expect(value["key7"] == [])
    }

    @Test func findsErrorsAtTheEndOfLongDocuments() {
        let elements = (0..<20_000).map { "{\"a\\u0062\":[\($0),{}]}" }.joined(separator: ",")
        #expect(parseError("[\(elements),{\"k\":[0,?]}]")?.path == "[20000].k[1]")
        #expect(parseError("[\(elements)")?.path == "[19999]")
        #expect(readError([String].self, "[\(String(repeating: "\"\",", count: 20_000))7]")?.path == "[20000]")
    }

    @Test func readsLongStringsFullOfEscapes() throws {
        let count = 100_000
        for (escape, character) in [(#"\n"#, "\n"), (#"\u00e9"#, "é"), (#"\ud83d\ude00"#, "\u{1F600}"), ("é", "é"), (#"\""#, "\"")] {
            let string = try read(String.self, "\"" + String(repeating: escape, count: count) + "\"")
            let expected = String(repeating: character, count: count)
            #expect(string == expected)
            #expect(try read(String.self, text(JSONWriter.encode(string))) == expected)
        }
        #expect(parseError("\"" + String(repeating: #"\\"#, count: count))?.reason == "the text ends inside a string")
        #expect(parseError("\"" + String(repeating: #"\ud83d"#, count: count))?.reason == "a lone surrogate is escaped in a string")
    }

    @Test func readsLongNumbersAndWhiteSpace() throws {
        let digits = String(repeating: "7", count: 100_000)
        for number in [digits, "-\(digits)", "0.\(digits)", "1e0\(digits)", "\(digits).\(digits)E+\(digits)"] {
            #expect(try JSONReader.parse(Array(number.utf8)) == .number(number))
            #expect(readError(Int.self, number)?.kind == .mismatch)
        }
        #expect(try read(Double.self, "0.\(digits)") == 7.0 / 9)
        let space = String(repeating: " \n\t\r", count: 100_000)
        #expect(try JSONReader.parse(Array("\(space)[\(space)1\(space),\(space)2\(space)]\(space)".utf8)) == [1, 2])
    }
}
