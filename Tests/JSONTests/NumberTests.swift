import JSON
import Testing

/// Numbers keep their exact value and, where a value of our own would not say it, their exact spelling.
@Suite struct NumberTests {
    @Test(
        arguments: [
            ("0", .integer(0)), ("-1", .integer(-1)), ("10", .integer(10)),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .number("9223372036854775808")), ("-9223372036854775809", .number("-9223372036854775809")),
            ("9999999999999999999", .number("9999999999999999999")), ("18446744073709551615", .number("18446744073709551615")),
            ("18446744073709551616", .number("18446744073709551616")), ("-18446744073709551616", .number("-18446744073709551616")),
            ("36893488147419103233", .number("36893488147419103233")),
            ("100000000000000000000000001", .number("100000000000000000000000001")),
            ("-0", .number("-0")), ("-0.0", .number("-0.0")), ("0.0", .number("0.0")), ("1.0", .number("1.0")), ("1e3", .number("1e3")),
            ("1E+03", .number("1E+03")), ("0.1", .number("0.1")), ("1e400", .number("1e400")),
            ("3.141592653589793238462643383279", .number("3.141592653589793238462643383279")),
        ] as [(String, JSONValue)])
    func survivesARoundTrip(text: String, expected: JSONValue) throws {
        let value = try JSONReader.parse(Array(text.utf8))
        #expect(value == expected)
        #expect(JSONWriter.encode(value) == Array(text.utf8))
    }

    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("7", 7), ("-42", -42), (" 12 ", 12), ("9223372036854775807", .max), ("-9223372036854775808", .min),
            ("1000000000000000000", 1_000_000_000_000_000_000),
        ] as [(String, Int)])
    func readsIntegers(text: String, expected: Int) throws {
        #expect(try read(Int.self, text) == expected)
    }

    @Test(arguments: [
        ("1.0", "expected an integer without fraction and exponent"), ("1e3", "expected an integer without fraction and exponent"),
        ("9223372036854775808", "the number is outside the range of 64-bit integers"),
        ("-9223372036854775809", "the number is outside the range of 64-bit integers"),
        ("18446744073709551617", "the number is outside the range of 64-bit integers"),
        ("184467440737095516160", "the number is outside the range of 64-bit integers"),
        (#""1""#, "expected a number, found a string"), ("null", "expected a number, found null"),
    ])
    func refusesWhatIsNoInteger(text: String, reason: String) {
        #expect(readError(Int.self, text) == JSONError(kind: .mismatch, reason: reason, path: "", offset: 0))
    }

    @Test(
        arguments: [
            ("0", 0), ("1", 1), ("-1.5", -1.5), ("1e3", 1000), ("0.1", 0.1), ("1E-2", 0.01),
            ("2.2250738585072014e-308", 2.2250738585072014e-308),
            ("5e-324", .leastNonzeroMagnitude), ("1.7976931348623157e308", 1.7976931348623157e308),
            ("9007199254740993", 9_007_199_254_740_992),
            ("9223372036854775807", 0x1p63), ("1e-400", 0),
            ("0.\(String(repeating: "3", count: 2000))", 1.0 / 3),
        ] as [(String, Double)])
    func readsDoubles(text: String, expected: Double) throws {
        #expect(try read(Double.self, text) == expected)
        #expect(try JSONReader.parse(Array(text.utf8)).doubleValue == expected)
    }

    @Test func keepsTheSignOfZeroInDoubles() throws {
        #expect(try read(Double.self, "-0").sign == .minus)
        #expect(try read(Double.self, "-0.0").sign == .minus)
        #expect(try JSONReader.parse(Array("-0".utf8)).doubleValue?.sign == .minus)
    }

    @Test(arguments: ["1e309", "-1e309", "1e99999999999999999999", "1\(String(repeating: "0", count: 400))"])
    func refusesDoublesThatAreNotFinite(text: String) throws {
        #expect(readError(Double.self, text)?.reason == "the number is outside the range of doubles")
        #expect(readError(Double.self, text)?.kind == .mismatch)
        #expect(try JSONReader.parse(Array(text.utf8)).doubleValue == nil)
    }

    @Test(arguments: [
        0.0, -0.0, 1, -1, 0.1, 1.0 / 3, 100, 1e15, 1e16, 1e21, 1e100, 123_456_789.125, .leastNonzeroMagnitude, 1.7976931348623157e308, .pi,
        -2.5e-10,
    ])
    func writesDoublesThatReadBackTheSame(double: Double) throws {
        let bytes = JSONWriter.encode(double)
        #expect(parseError(bytes) == nil)
        #expect(try read(Double.self, String(decoding: bytes, as: UTF8.self)).bitPattern == double.bitPattern)
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity, .signalingNaN])
    func writesNullForDoublesThatAreNotFinite(double: Double) {
        #expect(text(JSONWriter.encode(double)) == "null")
    }

    @Test(arguments: [0, 1, -1, 9, 10, -10, 99, 100, 12345, .max, .min, .max - 1, .min + 1, 1_000_000_000_000_000_000] as [Int])
    func writesIntegers(integer: Int) {
        #expect(text(JSONWriter.encode(integer)) == String(integer))
    }
}
