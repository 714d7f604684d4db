/// A place in a text that moves token by token through JSON's grammar (RFC 8259, section 2).
///
/// The text is handed to every call rather than kept: a cursor is a few words, so that a loop over it stays in registers.
struct Cursor {
    /// Index of the next byte to read.
    private(set) var position: Int

    /// How many arrays and objects are open.
    private(set) var depth = 0

    /// Whether the innermost array or object has just been opened, so that no comma is due.
    private var isAtFirst = false

    /// Places a cursor.
    ///
    /// - Parameter position: index where a document begins.
    init(at position: Int) {
        self.position = position
    }

    /// Skips white space and tells the kind of the value that begins there.
    ///
    /// - Returns: nil when no value begins there.
    @inline(__always)
    mutating func kind(in text: Span<UInt8>) -> JSONKind? {
        skipWhiteSpace(in: text)
        return JSONKind(first: next(in: text))
    }

    /// Consumes the bracket that the cursor stands at.
    @inline(__always)
    mutating func beginContainer() throws(SyntaxFault) {
        guard depth < JSONReader.maximumDepth else {
            throw SyntaxFault(.wrong("arrays and objects nest too deep"), at: position)
        }
        position += 1
        depth += 1
        isAtFirst = true
    }

    /// Consumes what separates the members of an array or object: nothing before the first, a comma before the others.
    ///
    /// - Parameters:
    ///   - bracket: what closes the array or object.
    ///   - text: the text, up to its end.
    /// - Returns: whether another member follows; if not, the closing bracket was consumed.
    @inline(__always)
    mutating func nextMember(before bracket: UInt8, in text: Span<UInt8>) throws(SyntaxFault) -> Bool {
        skipWhiteSpace(in: text)
        let byte = next(in: text)
        if byte == bracket {
            position += 1
            depth -= 1
            isAtFirst = false
            return false
        }
        if isAtFirst {
            isAtFirst = false
        } else {
            guard byte == UInt8(ascii: ",") else {
                throw SyntaxFault(.expected("\",\" or a closing bracket"), at: position)
            }
            position += 1
            skipWhiteSpace(in: text)
        }
        return true
    }

    /// Consumes a member's key and colon.
    ///
    /// - Returns: nil when the object's closing bracket was consumed instead.
    @inline(__always)
    mutating func key(in text: Span<UInt8>) throws(SyntaxFault) -> StringToken? {
        guard try nextMember(before: UInt8(ascii: "}"), in: text) else {
            return nil
        }
        guard next(in: text) == UInt8(ascii: "\"") else {
            throw SyntaxFault(.expected("a key in double quotes"), at: position)
        }
        let token = try string(in: text)
        skipWhiteSpace(in: text)
        guard next(in: text) == UInt8(ascii: ":") else {
            throw SyntaxFault(.expected("\":\""), at: position)
        }
        position += 1
        return token
    }

    /// Consumes the string that the cursor stands at.
    @inline(__always)
    mutating func string(in text: Span<UInt8>) throws(SyntaxFault) -> StringToken {
        let token = try StringToken(at: position, in: text)
        position = token.end
        return token
    }

    /// Consumes the number that the cursor stands at.
    @inline(__always)
    mutating func number(in text: Span<UInt8>) throws(SyntaxFault) -> NumberToken {
        let token = try NumberToken(at: position, in: text)
        position = token.end
        return token
    }

    /// Consumes the `true` or `false` that the cursor stands at.
    @inline(__always)
    mutating func bool(in text: Span<UInt8>) throws(SyntaxFault) -> Bool {
        if next(in: text) == UInt8(ascii: "t") {
            try literal("true", in: text)
            return true
        }
        try literal("false", in: text)
        return false
    }

    /// Consumes the `null` that the cursor stands at.
    @inline(__always)
    mutating func null(in text: Span<UInt8>) throws(SyntaxFault) {
        try literal("null", in: text)
    }

    /// Skips any value, verifying it.
    ///
    /// - Returns: where the value lies.
    mutating func skip(in text: Span<UInt8>) throws(SyntaxFault) -> Range<Int> {
        skipWhiteSpace(in: text)
        let start = position
        let outerDepth = depth
        // One bit for every array (0) and object (1) that is opened here, the innermost lowest.
        var objects: UInt128 = 0
        repeat {
            if depth > outerDepth {
                let hasMember = objects & 1 == 1 ? try key(in: text) != nil : try nextMember(before: UInt8(ascii: "]"), in: text)
                guard hasMember else {
                    objects >>= 1
                    continue
                }
            }
            switch kind(in: text) {
            case .string:
                _ = try string(in: text)
            case .number:
                _ = try number(in: text)
            case .bool:
                _ = try bool(in: text)
            case .null:
                try null(in: text)
            case .array:
                try beginContainer()
                objects <<= 1
            case .object:
                try beginContainer()
                objects = objects << 1 | 1
            case nil:
                throw SyntaxFault(.expected("a value"), at: position)
            }
        } while depth > outerDepth
        return start..<position
    }

    /// Makes sure that only white space follows.
    mutating func end(in text: Span<UInt8>) throws(SyntaxFault) {
        skipWhiteSpace(in: text)
        guard position == text.count else {
            throw SyntaxFault(.expected("the end of the text"), at: position)
        }
    }

    /// The byte at the position, or 0, which no token begins with, at the text's end.
    @inline(__always)
    private func next(in text: Span<UInt8>) -> UInt8 {
        position < text.count ? text[position] : 0
    }

    @inline(__always)
    private mutating func skipWhiteSpace(in text: Span<UInt8>) {
        while case let byte = next(in: text), byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            position += 1
        }
    }

    private mutating func literal(_ name: StaticString, in text: Span<UInt8>) throws(SyntaxFault) {
        for offset in 0..<name.utf8CodeUnitCount {
            guard position + offset < text.count, text[position + offset] == name.utf8Start[offset] else {
                throw SyntaxFault(.wrong("a literal is misspelt"), at: position)
            }
        }
        position += name.utf8CodeUnitCount
    }
}
