/// A number literal whose grammar was verified (RFC 8259, section 6).
struct NumberToken {
    /// Index of the first byte, a digit or the minus sign.
    let start: Int

    /// Index just after the last digit.
    let end: Int

    /// Whether it has neither a fraction nor an exponent.
    let isWrittenAsInteger: Bool

    /// The value, nil when it has a fraction or an exponent or lies outside 64 bits.
    let integer: Int64?

    /// Verifies a number literal.
    ///
    /// - Parameters:
    ///   - start: index of its first byte.
    ///   - text: the text, up to its end.
    /// - Throws: ``SyntaxFault`` for leading zeros and missing digits.
    init(at start: Int, in text: Span<UInt8>) throws(SyntaxFault) {
        var index = start
        let isNegative = text[index] == UInt8(ascii: "-")
        if isNegative {
            index += 1
        }
        let first = index
        let magnitude = try Self.skipDigits(from: &index, in: text)
        if text[first] == UInt8(ascii: "0"), index > first + 1 {
            throw SyntaxFault(.wrong("a number must not begin with a superfluous zero"), at: first)
        }
        var isInteger = true
        if index < text.count, text[index] == UInt8(ascii: ".") {
            isInteger = false
            index += 1
            _ = try Self.skipDigits(from: &index, in: text)
        }
        if index < text.count, text[index] == UInt8(ascii: "e") || text[index] == UInt8(ascii: "E") {
            isInteger = false
            index += 1
            if index < text.count, text[index] == UInt8(ascii: "+") || text[index] == UInt8(ascii: "-") {
                index += 1
            }
            _ = try Self.skipDigits(from: &index, in: text)
        }
        self.start = start
        end = index
        isWrittenAsInteger = isInteger
        if isInteger, let magnitude {
            if isNegative {
                integer = magnitude <= Int64.min.magnitude ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil
            } else {
                integer = Int64(exactly: magnitude)
            }
        } else {
            integer = nil
        }
    }

    /// Whether it is zero with a minus sign, which an integer cannot say.
    ///
    /// - Parameter text: the text that the token was verified in.
    func isNegativeZero(in text: Span<UInt8>) -> Bool {
        integer == 0 && text[start] == UInt8(ascii: "-")
    }

    /// The literal as it is written.
    ///
    /// - Parameter text: the text that the token was verified in.
    func literal(in text: Span<UInt8>) -> String {
        // The grammar allows ASCII only.
        String(copying: UTF8Span(unchecked: text.extracting(start..<end), isKnownASCII: true))
    }

    /// Skips one or more digits and reads them as a number, nil when they are too many for 64 bits.
    @inline(__always)
    private static func skipDigits(from index: inout Int, in text: Span<UInt8>) throws(SyntaxFault) -> UInt64? {
        var magnitude: UInt64 = 0
        let first = index
        while index < text.count, case let digit = text[index] &- UInt8(ascii: "0"), digit < 10 {
            magnitude = magnitude &* 10 &+ UInt64(digit)
            index += 1
        }
        guard index > first else {
            throw SyntaxFault(.wrong("a digit is missing in a number"), at: index)
        }
        // 19 digits always fit in 64 unsigned bits; without leading zeros, 20 never fit in 64 signed ones.
        return index - first <= 19 ? magnitude : nil
    }
}
