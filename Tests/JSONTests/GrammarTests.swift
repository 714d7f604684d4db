import JSON
import Testing

/// What RFC 8259 lets pass and what it refuses, read in all three ways: as a value, skipped, and as a slice of a bigger buffer.
@Suite struct GrammarTests {
    @Test(arguments: [
        "null", "true", "false", "0", "-0", "-1", "12345678901234567890", "0.5", "-0.5e-7", "1E+2", "1e0010", #""""#, #""a""#,
        "[]", "{}", "[[]]", "[{}]", #"{"":{}}"#, "[1,2,3]", "[ 1 , 2 ]", #"{"a":1,"b":2}"#, #"{"a":1,"a":2}"#,
        " \t\r\n null \t\r\n ", "\n[\n]\n", "{ \"a\" :\t1\r\n}", "[null,true,false,0,\"\",[],{}]",
        #"["\"\\\/\b\f\n\r\t"]"#, #""\u0000""#, #""\uFFFF""#, #""\uD83D\uDE00""#, #""\ud83d\ude00""#, #""\\uD800""#,
        "\"\u{7F}\"", "\"\u{80}\"", "\"\u{7FF}\"", "\"\u{800}\"", "\"\u{FFFF}\"", "\"\u{10000}\"", "\"\u{10FFFF}\"",
        "\"\u{2028}\u{2029}\"", "\"\u{FEFF}\"", "\"/\"", #"{"\u0061":1}"#, "{\"\u{1F600}\":1}",
        "[[[[[[[[[[]]]]]]]]]]", #"{"a":{"b":[{"c":[]}]}}"#, "[1e400]", "[1e-400]", "[\(String(repeating: "9", count: 500))]",
    ])
    func acceptsValid(text: String) throws {
        #expect(try verdicts(Array(text.utf8)) == [nil, nil, nil])
    }

    @Test(arguments: [
        // Nothing, or too much.
        "", " ", "\n", "1 2", "null null", "[] []", "{}x", "1,", "[1],", "\"a\" \"b\"", "{}}", "[]]", "#", "1 // one", "/* */ 1", "\u{0}",
        // Literals.
        "n", "nul", "nulL", "NULL", "nullx", "tru", "True", "fals", "falsey", "undefined", "NaN", "Infinity", "-Infinity", "-NaN",
        // Numbers.
        "-", "+1", "01", "-01", "00", "1.", ".5", "-.5", "1.e5", "1e", "1e+", "1E-", "1e1.5", "0x10", "1_000", "1,000", "1.2.3", "--1",
        "0e",
        "1a", "-a", "٣", "½", "1e٣",
        // Strings.
        "\"", "\"a", "'a'", "a", #""\""#, #""\x""#, #""\a""#, #""\'""#, #""\u""#, #""\u1""#, #""\u12""#, #""\u123""#, #""\u123g""#,
        #""\u123G""#, #""\u/000""#, #""\u:000""#,
        #""\u@000""#, #""\u`000""#, #""\U0041""#,
        "\"\\", "\"\\u", "\"\\u12", "\"\\u1234", #""\u{41}""#, #""\u+123""#, #""\u 123""#, "\"\\\u{1F600}\"", "\"\\\n\"", "\"\\\u{0}\"",
        "\"\n\"", "\"\t\"", "\"\r\"", "\"\u{0}\"", "\"\u{1F}\"", "\"a long string with a raw \u{1} in it\"", "{\"a\nb\":1}",
        // Lone surrogates.
        #""\uD800""#, #""\uDBFF""#, #""\uDC00""#, #""\uDFFF""#, #""\uDE00\uD83D""#, #""\uDE00\uDE00""#, #""\uD83D\uD83D""#,
        #""\uD83D\u0041""#, #""\uD83D x""#,
        #""\uD83D\n""#, #""\uD83D\uDE0""#, #""\uD83D\"#, #""\uD83D\u"#, #"{"\uD800":1}"#,
        // Arrays.
        "[", "[1", "[1,", "[,", "[,1]", "[1,]", "[1,,2]", "[1 2]", "[1}", "]", "[\"a\"", "[1:2]", "[\"a\":1]", "[[]", "[1;2]", "[*]",
        "[1,\n", "[] ,",
        // Objects.
        "{", "{,", "{,}", "{}{", #"{"a"}"#, #"{"a""#, #"{"a":"#, #"{"a":}"#, #"{"a":1"#, #"{"a":1,"#, #"{"a":1,}"#, #"{"a":1,,"b":2}"#,
        #"{"a":1 "b":2}"#, #"{"a" 1}"#, #"{"a"::1}"#, #"{"a"=1}"#, #"{a:1}"#, #"{'a':1}"#, #"{1:1}"#, #"{null:1}"#, #"{"a":1]"#, "}",
        #"{"a":1;"b":2}"#, #"{[]:1}"#, #"{"a",1}"#, #"{"a":1,2}"#, #"{"a":1 /* */}"#,
        // White space that JSON does not know.
        "\u{B}1", "\u{C}1", "\u{A0}1", "\u{2028}1", "\u{FEFF}1", "\u{FEFF}", "[\u{A0}]", "1\u{85}", "[1\u{0}]",
    ])
    func refusesInvalid(text: String) throws {
        try expectRefusal(Array(text.utf8))
    }

    @Test(
        arguments: [
            // Overlong forms.
            [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF],
            // Surrogates, and beyond U+10FFFF.
            [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80],
            [0xFE], [0xFF],
            // Truncated, or continued without a beginning.
            [0xC3], [0xE2, 0x82], [0xE2], [0xF0, 0x9F, 0x98], [0xF0, 0x9F], [0xF0], [0x80], [0xBF], [0xC3, 0x41], [0xE2, 0x28, 0xA1],
            [0xE2, 0x82, 0x28],
            [0xF0, 0x28, 0x8C, 0xBC], [0xF0, 0x90, 0x28, 0xBC], [0xF0, 0x28, 0x8C, 0x28], [0xC3, 0xA9, 0xA9],
        ] as [[UInt8]])
    func refusesBadUTF8(sequence: [UInt8]) throws {
        let quote = UInt8(ascii: "\"")
        // At every distance from the eight bytes that are looked at together, and at the very end of the text.
        for padding in 0..<10 {
            let text = [UInt8](repeating: UInt8(ascii: "x"), count: padding)
            try expectRefusal([quote] + text + sequence + [quote])
            try expectRefusal([quote] + text + sequence + text + text + [quote])
            try expectRefusal([quote] + text + sequence)
            try expectRefusal(Array("{\"".utf8) + text + sequence + Array("\":1}".utf8))
        }
        try expectRefusal(sequence)
        try expectRefusal(Array("[1,".utf8) + sequence + Array("]".utf8))
    }

    @Test(
        arguments: [[0xEF, 0xBB, 0xBF, 0x31], [0xFF, 0xFE, 0x31, 0x00], [0xFE, 0xFF, 0x00, 0x31], [0x31, 0x00], [0x00, 0x31]] as [[UInt8]])
    func refusesOtherEncodings(bytes: [UInt8]) throws {
        try expectRefusal(bytes)
    }

    @Test func namesAByteOrderMark() {
        #expect(parseError("\u{FEFF}{}")?.reason == "expected a value, found a byte order mark")
    }

    @Test(arguments: [
        ("", "expected a value, found the end of the text", 0),
        ("[1,]", #"expected a value, found "]""#, 3),
        ("[1 2]", #"expected "," or a closing bracket, found "2""#, 3),
        (#"{"a":1,}"#, #"expected a key in double quotes, found "}""#, 7),
        (#"{"a" 1}"#, #"expected ":", found "1""#, 5),
        ("[1]x", #"expected the end of the text, found "x""#, 3),
        ("\u{1}", "expected a value, found the byte 0x01", 0),
        ("[nul]", "a literal is misspelt", 1),
        ("[012]", "a number must not begin with a superfluous zero", 1),
        ("[1.]", "a digit is missing in a number", 3),
        ("\"ab", "the text ends inside a string", 3),
        ("\"a\nb\"", "a control character must be escaped in a string", 2),
        (#"["a\x"]"#, "unknown escape in a string", 3),
        (#"["\u00g0"]"#, #"\u takes four hexadecimal digits"#, 6),
        (#"["\uDC00"]"#, "a lone surrogate is escaped in a string", 2),
    ])
    func saysWhatIsWrong(text: String, reason: String, offset: Int) {
        let error = parseError(text)
        #expect(error?.kind == .syntax)
        #expect(error?.reason == reason)
        #expect(error?.offset == offset)
    }
}

/// The errors of reading a document as a value, of skipping it, and of skipping it inside a bigger buffer; nil where it was accepted.
func verdicts(_ bytes: [UInt8]) throws -> [JSONError?] {
    let surroundings = Array("[\"\\".utf8)
    let slice = surroundings.count..<surroundings.count + bytes.count
    var readers = [JSONReader(bytes), JSONReader(surroundings + bytes + surroundings, in: slice)]
    var errors: [JSONError?] = [parseError(bytes)]
    for index in readers.indices {
        do throws(JSONError) {
            let skipped = try readers[index].skip()
            try readers[index].end()
            #expect(skipped.lowerBound >= (index == 0 ? 0 : slice.lowerBound))
            errors.append(nil)
        } catch {
            errors.append(error)
        }
    }
    return errors
}

/// The error of reading a document as a value, nil if it was accepted.
func parseError(_ bytes: [UInt8]) -> JSONError? {
    do throws(JSONError) {
        _ = try JSONReader.parse(bytes)
        return nil
    } catch {
        return error
    }
}

/// The error of reading a document as a value, nil if it was accepted.
func parseError(_ text: String) -> JSONError? {
    parseError(Array(text.utf8))
}

private func expectRefusal(_ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) throws {
    let errors = try verdicts(bytes)
    #expect(errors.allSatisfy { $0?.kind == .syntax }, "\(bytes)", sourceLocation: sourceLocation)
    #expect(Set(errors.map { $0?.offset }).count == 1, "\(bytes)", sourceLocation: sourceLocation)
    #expect(Set(errors.map { $0?.reason }).count == 1, "\(bytes)", sourceLocation: sourceLocation)
    #expect(errors.allSatisfy { 0...bytes.count ~= ($0?.offset ?? -1) }, "\(bytes)", sourceLocation: sourceLocation)
}
