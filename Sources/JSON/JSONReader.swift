/// A strict pull reader of one JSON document (RFC 8259) in bytes of UTF-8.
///
/// The caller asks for what it expects, in order, and gets it or a ``JSONError``. Nothing is remembered but offsets, so reading
/// costs nothing for the sake of errors: when one is made, the path is found by scanning the document again, once.
/// Keys may repeat; every occurrence is handed out, so the caller's last assignment wins (RFC 8259, section 4).
/// After an error the reader is of no further use.
package struct JSONReader: Sendable {
    /// How deep arrays and objects may nest; one more is a syntax error (RFC 8259, section 9).
    package static let maximumDepth = 128

    private let bytes: [UInt8]
    private let range: Range<Int>
    private var cursor: Cursor

    /// Index of the value, key or closing bracket that was read last or is being read.
    private var mark: Int

    /// Makes a reader of a whole buffer.
    ///
    /// - Parameter bytes: one JSON document.
    package init(_ bytes: [UInt8]) {
        self.init(bytes, in: bytes.indices)
    }

    /// Makes a reader of a slice of a bigger buffer, without copying.
    ///
    /// - Parameters:
    ///   - bytes: the buffer.
    ///   - range: where in it one JSON document lies; must be within the buffer.
    package init(_ bytes: [UInt8], in range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "the range must lie within the bytes")
        self.bytes = bytes
        self.range = range
        cursor = Cursor(at: range.lowerBound)
        mark = range.lowerBound
    }

    /// Reads a whole document as a value.
    ///
    /// - Parameter bytes: one JSON document and nothing else but white space.
    /// - Returns: the value.
    /// - Throws: ``JSONError`` of kind syntax.
    package static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        var reader = JSONReader(bytes)
        let value = try reader.value()
        try reader.end()
        return value
    }

    // MARK: Structure

    /// Tells the kind of the next value and consumes nothing but white space.
    ///
    /// - Throws: ``JSONError`` of kind syntax when no value begins here.
    package mutating func peek() throws(JSONError) -> JSONKind {
        guard let kind = nextKind() else {
            throw noValue()
        }
        return kind
    }

    /// Consumes the beginning of an object; ``nextKey()`` comes next.
    ///
    /// - Throws: ``JSONError`` when no object begins here or it nests too deep.
    package mutating func beginObject() throws(JSONError) {
        try expect(.object)
        try scan { cursor, _ throws(SyntaxFault) in try cursor.beginContainer() }
    }

    /// Consumes the next key of the object and its colon; the value must be read or skipped next.
    ///
    /// - Returns: nil when the object's end was consumed instead.
    /// - Throws: ``JSONError`` of kind syntax.
    package mutating func nextKey() throws(JSONError) -> String? {
        let key = try scan { cursor, text throws(SyntaxFault) in try cursor.key(in: text) }
        mark = key?.start ?? cursor.position - 1
        return key?.decoded(in: bytes.span)
    }

    /// Consumes the beginning of an array; ``nextElement()`` comes next.
    ///
    /// - Throws: ``JSONError`` when no array begins here or it nests too deep.
    package mutating func beginArray() throws(JSONError) {
        try expect(.array)
        try scan { cursor, _ throws(SyntaxFault) in try cursor.beginContainer() }
    }

    /// Goes to the next element of the array, which must be read or skipped next.
    ///
    /// - Returns: false when the array's end was consumed instead.
    /// - Throws: ``JSONError`` of kind syntax.
    package mutating func nextElement() throws(JSONError) -> Bool {
        let hasElement = try scan { cursor, text throws(SyntaxFault) in
            try cursor.nextMember(before: UInt8(ascii: "]"), in: text)
        }
        mark = hasElement ? cursor.position : cursor.position - 1
        return hasElement
    }

    /// Makes sure that only white space follows.
    ///
    /// - Throws: ``JSONError`` of kind syntax.
    package mutating func end() throws(JSONError) {
        try scan { cursor, text throws(SyntaxFault) in try cursor.end(in: text) }
    }

    // MARK: Values

    /// Reads a string and decodes its escapes.
    ///
    /// - Throws: ``JSONError`` when there is no string, or a malformed one.
    package mutating func string() throws(JSONError) -> String {
        try expect(.string)
        return try scan { cursor, text throws(SyntaxFault) in try cursor.string(in: text).decoded(in: text) }
    }

    /// Reads `true` or `false`.
    ///
    /// - Throws: ``JSONError`` when there is neither.
    package mutating func bool() throws(JSONError) -> Bool {
        try expect(.bool)
        return try scan { cursor, text throws(SyntaxFault) in try cursor.bool(in: text) }
    }

    /// Reads a number that is written as an integer, without fraction and exponent.
    ///
    /// - Throws: ``JSONError``, among others when the number lies outside 64 bits.
    package mutating func integer() throws(JSONError) -> Int {
        try expect(.number)
        let token = try scan { cursor, text throws(SyntaxFault) in try cursor.number(in: text) }
        guard let integer = token.integer else {
            throw mismatch(
                token.isWrittenAsInteger
                    ? "the number is outside the range of 64-bit integers" : "expected an integer without fraction and exponent")
        }
        return Int(integer)
    }

    /// Reads a number as the nearest double.
    ///
    /// - Returns: a finite number.
    /// - Throws: ``JSONError``, among others when the number is too big for a double.
    package mutating func double() throws(JSONError) -> Double {
        try expect(.number)
        let literal = try scan { cursor, text throws(SyntaxFault) in try cursor.number(in: text).literal(in: text) }
        guard let double = Double(literal), double.isFinite else {
            throw mismatch("the number is outside the range of doubles")
        }
        return double
    }

    /// Consumes `null` if it is next.
    ///
    /// - Returns: whether it was.
    /// - Throws: ``JSONError`` of kind syntax.
    package mutating func readNull() throws(JSONError) -> Bool {
        guard try peek() == .null else {
            return false
        }
        try scan { cursor, text throws(SyntaxFault) in try cursor.null(in: text) }
        return true
    }

    /// Reads any value.
    ///
    /// - Throws: ``JSONError`` of kind syntax.
    package mutating func value() throws(JSONError) -> JSONValue {
        switch try peek() {
        case .null:
            _ = try readNull()
            return .null
        case .bool:
            return .bool(try bool())
        case .string:
            return .string(try string())
        case .number:
            return try scan { cursor, text throws(SyntaxFault) in
                let token = try cursor.number(in: text)
                if let integer = token.integer, !token.isNegativeZero(in: text) {
                    return .integer(integer)
                }
                return .number(token.literal(in: text))
            }
        case .array:
            return .array(try [JSONValue](from: &self))
        case .object:
            return .object(try JSONValue.members(from: &self))
        }
    }

    /// Skips any value, verifying it as strictly as if it were read.
    ///
    /// - Returns: where the value lies, in indices of the buffer that the reader was made with.
    /// - Throws: ``JSONError`` of kind syntax.
    package mutating func skip() throws(JSONError) -> Range<Int> {
        let skipped = try scan { cursor, text throws(SyntaxFault) in try cursor.skip(in: text) }
        mark = skipped.lowerBound
        return skipped
    }

    /// Where the string, number, bool or null lies that was read last, or what was skipped last, in indices of the buffer that the reader was made
    /// with.
    package var lastValue: Range<Int> { mark..<cursor.position }

    // MARK: Errors

    /// The error for the value or key that was read last or is being read, such as an unknown field.
    ///
    /// - Parameter reason: what is wrong with it, for people.
    /// - Returns: an error of kind mismatch, or of kind syntax when the document turns out not to be JSON at all.
    package func mismatch(_ reason: String) -> JSONError {
        syntaxError() ?? JSONPath(toValueAt: mark, in: bytes, from: range.lowerBound).error(.mismatch, reason)
    }

    /// The error for a required field that is missing in the object that has just been closed or else is being read.
    ///
    /// - Parameter field: the field's name.
    /// - Returns: an error of kind mismatch, or of kind syntax when the document turns out not to be JSON at all.
    package func missing(_ field: String) -> JSONError {
        if let error = syntaxError() {
            return error
        }
        let hasClosedObject = mark < range.upperBound && bytes[mark] == UInt8(ascii: "}")
        var path = JSONPath(toFaultAt: hasClosedObject ? mark : cursor.position, in: bytes, from: range.lowerBound)
        path.descend(toField: field)
        return path.error(.mismatch, "is required")
    }

    /// What makes the whole document invalid, nil when it is JSON.
    private func syntaxError() -> JSONError? {
        var whole = JSONReader(bytes, in: range)
        do throws(JSONError) {
            _ = try whole.skip()
            try whole.end()
            return nil
        } catch {
            return error
        }
    }

    @inline(never)
    private func error(_ fault: SyntaxFault) -> JSONError {
        JSONPath(toFaultAt: fault.index, in: bytes, from: range.lowerBound)
            .error(.syntax, fault.reason(in: bytes.span.extracting(..<range.upperBound)))
    }

    @inline(never)
    private func noValue() -> JSONError {
        error(SyntaxFault(.expected("a value"), at: cursor.position))
    }

    @inline(never)
    private func expected(_ kind: JSONKind, found: JSONKind?) -> JSONError {
        found.map { mismatch("expected \(kind), found \($0)") } ?? noValue()
    }

    // MARK: Tokens

    @inline(__always)
    private mutating func nextKind() -> JSONKind? {
        var cursor = cursor
        let kind = cursor.kind(in: bytes.span.extracting(..<range.upperBound))
        self.cursor = cursor
        mark = cursor.position
        return kind
    }

    @inline(__always)
    private mutating func expect(_ kind: JSONKind) throws(JSONError) {
        let found = nextKind()
        guard found == kind else {
            throw expected(kind, found: found)
        }
    }

    /// Moves the cursor, and gives a fault its path.
    @inline(__always)
    private mutating func scan<Result>(
        _ body: (inout Cursor, Span<UInt8>) throws(SyntaxFault) -> Result
    ) throws(JSONError) -> Result {
        do throws(SyntaxFault) {
            var cursor = cursor
            let result = try body(&cursor, bytes.span.extracting(..<range.upperBound))
            self.cursor = cursor
            return result
        } catch {
            throw self.error(error)
        }
    }
}
