import JSON
import Testing

@Suite struct StringTests {
    @Test(arguments: [
        (#""""#, ""), (#""a""#, "a"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u0041\u00e9\u20AC\uD834\uDD1E""#, "Aé€𝄞"),
        (#""\u0000""#, "\u{0}"), (#""\uFFFE\uffff""#, "\u{FFFE}\u{FFFF}"), (#""\\u0041""#, "\\u0041"), (#""\\\\\"""#, "\\\\\""),
        ("\"é€𝄞\"", "é€𝄞"), (#""12345678\n12345678""#, "12345678\n12345678"), (#""1234567\n""#, "1234567\n"),
        (#""\n12345678""#, "\n12345678"),
        (#""äöü\u00DFäöü""#, "äöüßäöü"), (#""\ud800\udc00\udbff\udfff""#, "\u{10000}\u{10FFFF}"),
        ("\"\u{2028}\u{FEFF}\"", "\u{2028}\u{FEFF}"),
        ("\"a fairly long string that needs an allocation\"", "a fairly long string that needs an allocation"),
        (#""e\u0301""#, "e\u{301}"),
    ])
    func decodes(json: String, expected: String) throws {
        let string = try read(String.self, json)
        #expect(Array(string.utf8) == Array(expected.utf8))
        // The same as a key, and inside a value.
        let object = try JSONReader.parse(Array("{\(json):[\(json)]}".utf8))
        #expect(object == .object([expected: .array([.string(expected)])]))
    }

    @Test func escapesControlCharactersAndLineSeparators() throws {
        let expected: [Unicode.Scalar: String] = [
            "\"": #"\""#, "\\": #"\\"#, "\u{8}": #"\b"#, "\t": #"\t"#, "\n": #"\n"#, "\u{C}": #"\f"#, "\r": #"\r"#, "\u{0}": #"\u0000"#,
            "\u{1}": #"\u0001"#, "\u{B}": #"\u000b"#, "\u{E}": #"\u000e"#, "\u{F}": #"\u000f"#, "\u{10}": #"\u0010"#, "\u{1B}": #"\u001b"#,
            "\u{1F}": #"\u001f"#, "\u{2028}": #"\u2028"#, "\u{2029}": #"\u2029"#,
        ]
        for (scalar, escape) in expected {
            #expect(text(JSONWriter.encode(String(scalar))) == "\"\(escape)\"")
        }
        for value in 0..<0x20 as Range<UInt32> {
            let scalar = try #require(Unicode.Scalar(value))
            let bytes = JSONWriter.encode(String(scalar))
            #expect(bytes.allSatisfy { $0 >= 0x20 })
            #expect(try read(String.self, text(bytes)) == String(scalar))
        }
    }

    @Test(arguments: ["/", "\u{7F}", "é", "\u{2027}", "\u{202A}", "\u{20A8}", "‘’“”—…", "日本語", "\u{1F600}", "\u{FEFF}", "<>&'", "\u{E000}"])
    func writesEverythingElseRaw(string: String) {
        #expect(text(JSONWriter.encode(string)) == "\"\(string)\"")
    }

    /// Escapes at every place relative to the eight bytes that are looked at together.
    @Test(arguments: [
        "\"", "\\", "\n", "\u{1}", "\u{2028}", "\u{2029}x", "é", "“", "\u{1F600}", "\u{E2}\u{80}", "\n\n", "\u{2028}\u{2028}",
    ])
    func escapesAtEveryPlace(special: String) throws {
        for before in 0..<18 {
            for after in 0..<18 {
                let string = String(repeating: "a", count: before) + special + String(repeating: "b", count: after)
                let bytes = JSONWriter.encode(string)
                #expect(Array(try read(String.self, text(bytes)).utf8) == Array(string.utf8))
                #expect(!bytes.contains(0x0A))
                #expect(!text(bytes).unicodeScalars.contains { $0 == "\u{2028}" || $0 == "\u{2029}" })
            }
        }
    }

    @Test func replacesOnlyNewlinesAndLineSeparatorsInRawJSON() throws {
        let raw = "{\r\n\t\"a\" : [ 1,\n\n 2 ], \"“\u{2028}\u{2029}”\": \"\\n\u{2027}\u{7F}\"\n}"
        var writer = JSONWriter()
        writer.raw(Array(raw.utf8))
        #expect(text(writer.bytes) == "{  \t\"a\" : [ 1,   2 ], \"“\\u2028\\u2029”\": \"\\n\u{2027}\u{7F}\" }")
        #expect(try JSONReader.parse(writer.bytes) == (try JSONReader.parse(Array(raw.utf8))))
    }
}
