import JSON
import JSONSchema
import Testing

/// Patterns mean what ECMA-262 says, where Foundation's regular expressions differ from it.
@Suite struct PatternTests {
    @Test(
        arguments: [
            ("^abc$", ["abc"], ["abc\n", "abc\r\n", "\nabc", "xabc", "ABC"]),
            ("b", ["abc", "b"], ["", "ac"]), ("", ["", "x"], []), ("^$", [""], ["\n", "x"]),
            (#"^\d$"#, ["7"], ["\u{663}", "x"]), (#"^\D$"#, ["\u{663}", "x"], ["7"]),
            (#"^\w$"#, ["a", "_", "9"], ["é", "-", "\u{17F}"]), (#"^\W$"#, ["é", "-"], ["a"]),
            (#"^\s$"#, [" ", "\t", "\u{B}", "\u{A0}", "\u{FEFF}", "\u{2028}"], ["\u{200B}", "x", "\u{85}"]),
            (#"^\S$"#, ["x", "\u{85}"], [" ", "\u{FEFF}"]),
            ("^.$", ["x", "é", "\u{1F600}", "\u{85}", "\u{B}", "\u{C}"], ["\n", "\r", "\u{2028}", "\u{2029}", "", "e\u{301}"]),
            (#"\bb"#, ["a b", "éb", "b"], ["ab", "_b"]), (#"a\B"#, ["ab", "a_"], ["a", "aé", "a b"]),
            ("^[[a]+$", ["[a", "["], ["]", "b"]), ("^[a&&b]+$", ["&", "a&b"], ["c"]),
            (#"^[\w-.]+$"#, ["a-b.c"], ["a b", "é"]), (#"^[^\D]$"#, ["5"], ["x"]), (#"^[\S\d]$"#, ["x", "5"], [" "]),
            (#"^[^\s,]+$"#, ["ab"], ["a b", ","]),
            (#"^[\]\\^-]+$"#, ["]", "\\", "^-"], ["["]), ("^[+--]$", ["+", ",", "-"], ["*", "."]), (#"[\b]"#, ["\u{8}"], ["b", " "]),
            ("^[]$", [], ["", "]", "x"]), ("^[]*$", [""], ["x"]), ("^[^]$", ["x", "\n", "\u{1F600}"], [""]),
            (#"^\u00e9\x41\u{1F600}\ud83d\ude00\cJ\0$"#, ["éA\u{1F600}\u{1F600}\n\0"], ["éA"]),
            (#"^\t\n\v\f\r$"#, ["\t\n\u{B}\u{C}\r"], [""]),
            ("^a{2}$", ["aa"], ["a", "aaa"]), ("^a{1,2}?$", ["a", "aa"], ["aaa"]), ("^a{2,}$", ["aa", "aaaa"], ["a"]),
            ("^a{,2}$", ["a{,2}"], ["a", ""]), ("^{a}]$", ["{a}]"], ["a"]), ("^{}$", ["{}"], [""]),
            ("^(a|b)+c??$", ["ab", "abc"], ["c"]), ("^(?:a|)$", ["a", ""], ["b"]), ("^(?<year>[0-9]{4})$", ["2024"], ["x"]),
            ("^(?=.*[0-9])(?!.*x).{2,}$", ["a1"], ["ab", "1x"]), ("(?<=a)b", ["ab"], ["b", "cb"]), ("(?<!a)b", ["b", "cb"], ["ab"]),
            (#"^\p{L}\P{L}$"#, ["é1"], ["11"]), (#"^\p{Script=Greek}+$"#, ["αβ"], ["ab"]), (#"^[\p{Lu}\d]+$"#, ["A1"], ["a"]),
            (##"^\/\-\.\@\#$"##, ["/-.@#"], [""]), ("^# x$", ["# x"], ["", "#x"]), ("^\u{1F600}+$", ["\u{1F600}\u{1F600}"], ["\u{1F601}"]),
            ("^[\u{1F600}-\u{1F602}]$", ["\u{1F601}"], ["\u{1F603}"]), ("^\u{E9}$", ["\u{E9}"], ["e\u{301}"]),
        ] as [(String, [String], [String])])
    func matches(pattern: String, found: [String], absent: [String]) throws {
        let schema = try JSONSchema(["pattern": .string(pattern)])
        for text in found {
            #expect(schema.violations(of: .string(text)) == [], "\(text.debugDescription)")
        }
        for text in absent {
            #expect(!schema.violations(of: .string(text)).isEmpty, "\(text.debugDescription)")
        }
    }

    @Test(
        arguments: [
            ("(", "a parenthesis is not closed"), (")", "a parenthesis is closed that was not opened"), ("[a", "a class is not closed"),
            ("*", #"nothing stands before "*" that could be repeated"#), ("a++", #"nothing stands before "+" that could be repeated"#),
            ("a|?", #"nothing stands before "?" that could be repeated"#), ("^*", #"nothing stands before "*" that could be repeated"#),
            ("(?=a)*", #"nothing stands before "*" that could be repeated"#),
            ("{2}", #"nothing stands before "{2}" that could be repeated"#),
            ("a{2}{3}", #"nothing stands before "{3}" that could be repeated"#),
            ("a{2,1}", "a repetition is out of order or beyond 10000 times"),
            ("a{10001}", "a repetition is out of order or beyond 10000 times"),
            ("[z-a]", "a range in a class is out of order"), (#"a\"#, "it ends with a backslash"),
            (#"\Aa\z"#, #"\A is not an escape of ECMA-262"#), (#"\Qa"#, #"\Q is not an escape of ECMA-262"#),
            (#"\a"#, #"\a is not an escape of ECMA-262"#),
            (#"\01"#, #"\0 is not an escape of ECMA-262"#), (#"(a)\1"#, "back references are not supported"),
            (#"(?<n>a)\k<n>"#, "back references are not supported"),
            ("(?i)a", #"flags and other groups that begin with "(?" are not supported"#),
            ("(?P<n>a)", #"flags and other groups that begin with "(?" are not supported"#),
            ("(?>a)", #"flags and other groups that begin with "(?" are not supported"#), ("(?<n", "a parenthesis is not closed"),
            (#"\x4"#, #"\x takes two hexadecimal digits"#), (#"\u12"#, #"\u takes a code point in hexadecimal"#),
            (#"\ud800"#, #"\u takes a code point in hexadecimal"#),
            (#"\u{110000}"#, #"\u takes a code point in hexadecimal"#), (#"\c1"#, #"\c takes a letter"#),
            (#"\p"#, #"\p takes a property's name in braces"#),
            (#"\p{No Such}"#, #"\p takes a property's name in braces"#), (#"\p{NoSuch}"#, "the engine does not support something in it"),
            ("(?<=a+)b", "the engine does not support something in it"),
            (String(repeating: "a", count: 4097), "it is longer than 4096 bytes"),
        ] as [(String, String)])
    func refuses(pattern: String, reason: String) {
        let error = refusal(["pattern": .string(pattern)])
        #expect(error == JSONSchemaError(pointer: "/pattern", reason: "is not a regular expression that can be used: \(reason)"))
    }
}
