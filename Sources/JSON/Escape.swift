/// One escape sequence of a string literal, a surrogate pair counting as one (RFC 8259, section 7).
struct Escape {
    /// What the escape stands for.
    let scalar: Unicode.Scalar

    /// How many bytes the escape takes in the text: 2, 6 or, for a surrogate pair, 12.
    let length: Int

    /// Verifies an escape and decodes it.
    ///
    /// - Parameters:
    ///   - index: where the backslash stands.
    ///   - text: the text, up to its end.
    /// - Throws: ``SyntaxFault`` for unknown escapes and lone surrogates.
    init(at index: Int, in text: Span<UInt8>) throws(SyntaxFault) {
        guard index + 1 < text.count else {
            throw SyntaxFault(.wrong("the text ends inside a string"), at: text.count)
        }
        if text[index + 1] == UInt8(ascii: "u") {
            (scalar, length) = try Self.unicode(at: index, in: text)
            return
        }
        length = 2
        switch text[index + 1] {
        case UInt8(ascii: "\""): scalar = "\""
        case UInt8(ascii: "\\"): scalar = "\\"
        case UInt8(ascii: "/"): scalar = "/"
        case UInt8(ascii: "b"): scalar = "\u{8}"
        case UInt8(ascii: "f"): scalar = "\u{C}"
        case UInt8(ascii: "n"): scalar = "\n"
        case UInt8(ascii: "r"): scalar = "\r"
        case UInt8(ascii: "t"): scalar = "\t"
        default: throw SyntaxFault(.wrong("unknown escape in a string"), at: index)
        }
    }

    private static func unicode(at index: Int, in text: Span<UInt8>) throws(SyntaxFault) -> (Unicode.Scalar, length: Int) {
        let first = try codeUnit(at: index, in: text)
        if let scalar = Unicode.Scalar(first) {
            return (scalar, 6)
        }
        if UTF16.isLeadSurrogate(first), index + 7 < text.count,
            text[index + 6] == UInt8(ascii: "\\"), text[index + 7] == UInt8(ascii: "u")
        {
            let second = try codeUnit(at: index + 6, in: text)
            if UTF16.isTrailSurrogate(second) {
                return (UTF16.decode(UTF16.EncodedScalar([first, second])), 12)
            }
        }
        throw SyntaxFault(.wrong("a lone surrogate is escaped in a string"), at: index)
    }

    /// The four hexadecimal digits of `\uXXXX`.
    private static func codeUnit(at index: Int, in text: Span<UInt8>) throws(SyntaxFault) -> UInt16 {
        guard index + 6 <= text.count else {
            throw SyntaxFault(.wrong("the text ends inside a string"), at: text.count)
        }
        var unit: UInt16 = 0
        for position in index + 2..<index + 6 {
            let byte = text[position]
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: throw SyntaxFault(.wrong("\\u takes four hexadecimal digits"), at: position)
            }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }
}
