/// A string literal whose grammar and UTF-8 were verified (RFC 8259, section 7).
struct StringToken {
    /// Index of the opening quotation mark.
    let start: Int

    /// Index just after the closing quotation mark.
    let end: Int

    /// How many bytes of UTF-8 the string has once its escapes are decoded.
    private let decodedCount: Int

    /// Whether nothing but ASCII stands between the quotation marks; a string that knows it of itself is hashed and compared by its bytes.
    private let isASCII: Bool

    /// Verifies a string literal.
    ///
    /// - Parameters:
    ///   - start: index of the opening quotation mark.
    ///   - text: the text, up to its end.
    /// - Throws: ``SyntaxFault`` for control characters, bad escapes, lone surrogates, bad UTF-8 and a missing end.
    @inline(__always)
    init(at start: Int, in text: Span<UInt8>) throws(SyntaxFault) {
        var index = start + 1
        var saved = 0
        var isASCII = true
        while index < text.count {
            let eight = EightBytes(of: text, at: index)
            let marks =
                eight.marks(equalTo: UInt8(ascii: "\"")) | eight.marks(equalTo: UInt8(ascii: "\\"))
                | eight.controlMarks | eight.nonASCIIMarks
            if marks == 0 {
                index += 8
                continue
            }
            index += EightBytes.firstMarked(marks)
            if text[index] == UInt8(ascii: "\"") {
                self.start = start
                end = index + 1
                decodedCount = index - start - 1 - saved
                self.isASCII = isASCII
                return
            }
            if text[index] >= 0x80 { isASCII = false }
            try Self.skipSpecial(at: &index, in: text, saved: &saved)
        }
        throw SyntaxFault(.wrong("the text ends inside a string"), at: text.count)
    }

    /// The string without quotation marks and with escapes decoded.
    ///
    /// - Parameter text: the text that the token was verified in.
    @inline(__always)
    func decoded(in text: Span<UInt8>) -> String {
        if decodedCount == end - start - 2 {
            // The initialiser above has proved the range to be well-formed UTF-8.
            return String(copying: UTF8Span(unchecked: text.extracting(start + 1..<end - 1), isKnownASCII: isASCII))
        }
        return unescaped(in: text)
    }

    /// Skips what is neither plain ASCII nor the end: an escape, or everything up to the next byte of ASCII.
    @inline(never)
    private static func skipSpecial(at index: inout Int, in text: Span<UInt8>, saved: inout Int) throws(SyntaxFault) {
        switch text[index] {
        case UInt8(ascii: "\\"):
            let escape = try Escape(at: index, in: text)
            index += escape.length
            saved += escape.length - escape.scalar.utf8.count
        case 0x80...:
            repeat {
                index += try sequenceLength(at: index, in: text)
            } while index < text.count && text[index] >= 0x80
        default:
            throw SyntaxFault(.wrong("a control character must be escaped in a string"), at: index)
        }
    }

    @inline(never)
    private func unescaped(in text: Span<UInt8>) -> String {
        let content = text.extracting(start + 1..<end - 1)
        return String(unsafeUninitializedCapacity: decodedCount) { decoded in
            var index = 0
            var count = 0
            while index < content.count {
                let marks = EightBytes(of: content, at: index).marks(equalTo: UInt8(ascii: "\\"))
                let clean = marks == 0 ? min(8, content.count - index) : EightBytes.firstMarked(marks)
                for offset in 0..<clean {
                    decoded[count + offset] = content[index + offset]
                }
                index += clean
                count += clean
                // The initialiser above has verified every escape, so this succeeds wherever there is one.
                if marks != 0, let escape = try? Escape(at: index, in: content) {
                    for byte in escape.scalar.utf8 {
                        decoded[count] = byte
                        count += 1
                    }
                    index += escape.length
                }
            }
            return count
        }
    }

    /// The length of the well-formed UTF-8 sequence at an index (The Unicode Standard, table 3-7).
    ///
    /// - Parameters:
    ///   - index: where a byte beyond ASCII stands.
    ///   - text: the text, up to its end.
    /// - Returns: 2, 3 or 4 bytes.
    /// - Throws: ``SyntaxFault`` for overlong forms, surrogates, values beyond U+10FFFF and truncated sequences.
    private static func sequenceLength(at index: Int, in text: Span<UInt8>) throws(SyntaxFault) -> Int {
        func isContinuation(_ offset: Int, from low: UInt8 = 0x80, to high: UInt8 = 0xBF) -> Bool {
            index + offset < text.count && text[index + offset] >= low && text[index + offset] <= high
        }
        let isWellFormed: Bool
        let length: Int
        switch text[index] {
        case 0xC2...0xDF:
            length = 2
            isWellFormed = isContinuation(1)
        case 0xE0:
            length = 3
            isWellFormed = isContinuation(1, from: 0xA0) && isContinuation(2)
        case 0xED:
            length = 3
            isWellFormed = isContinuation(1, to: 0x9F) && isContinuation(2)
        case 0xE1...0xEF:
            length = 3
            isWellFormed = isContinuation(1) && isContinuation(2)
        case 0xF0:
            length = 4
            isWellFormed = isContinuation(1, from: 0x90) && isContinuation(2) && isContinuation(3)
        case 0xF1...0xF3:
            length = 4
            isWellFormed = isContinuation(1) && isContinuation(2) && isContinuation(3)
        case 0xF4:
            length = 4
            isWellFormed = isContinuation(1, to: 0x8F) && isContinuation(2) && isContinuation(3)
        default:
            length = 1
            isWellFormed = false
        }
        guard isWellFormed else {
            throw SyntaxFault(.wrong("the text is not valid UTF-8"), at: index)
        }
        return length
    }
}
