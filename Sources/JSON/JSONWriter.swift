/// Writes JSON into a buffer of bytes, front to back, putting the commas by itself.
///
/// No raw newline ever stands inside a value, and U+2028 and U+2029 are escaped, so a message is one line for every reader.
/// The caller is responsible for the structure: a key before each member, an end for each beginning.
package struct JSONWriter: Sendable {
    /// What has been written so far.
    package private(set) var bytes: [UInt8]

    /// Whether something stands before the place of the next value or key that a comma must separate from it.
    private var needsComma = false

    private let reservedCapacity: Int

    /// Makes a writer.
    ///
    /// - Parameter capacity: for how many bytes to make room in advance, at the start and after each ``take()``.
    package init(reservingCapacity capacity: Int = 256) {
        reservedCapacity = capacity
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Writes one value.
    ///
    /// - Parameter value: the value.
    /// - Returns: its bytes.
    @inlinable
    package static func encode(_ value: some JSONWritable) -> [UInt8] {
        var writer = JSONWriter()
        value.write(to: &writer)
        return writer.bytes
    }

    /// Takes what has been written; the writer starts afresh with a buffer of the capacity it was made with.
    package mutating func take() -> [UInt8] {
        let taken = bytes
        self = JSONWriter(reservingCapacity: reservedCapacity)
        return taken
    }

    /// Ends a message: the line that holds the values written since the last newline is complete.
    package mutating func newline() {
        bytes.append(0x0A)
        needsComma = false
    }

    // MARK: Structure

    /// Begins an object.
    package mutating func beginObject() {
        append(1) { $0.append(UInt8(ascii: "{")) }
        needsComma = false
    }

    /// Ends the innermost object.
    package mutating func endObject() {
        bytes.append(UInt8(ascii: "}"))
        needsComma = true
    }

    /// Begins an array.
    package mutating func beginArray() {
        append(1) { $0.append(UInt8(ascii: "[")) }
        needsComma = false
    }

    /// Ends the innermost array.
    package mutating func endArray() {
        bytes.append(UInt8(ascii: "]"))
        needsComma = true
    }

    /// Writes an object.
    ///
    /// - Parameter body: writes its members.
    @inlinable
    package mutating func object(_ body: (inout JSONWriter) -> Void) {
        beginObject()
        body(&self)
        endObject()
    }

    /// Writes an array.
    ///
    /// - Parameter body: writes its elements.
    @inlinable
    package mutating func array(_ body: (inout JSONWriter) -> Void) {
        beginArray()
        body(&self)
        endArray()
    }

    /// Writes a member's key; its value must come next.
    ///
    /// - Parameter name: a name that needs no escapes; it is written as it is.
    package mutating func key(_ name: StaticString) {
        name.withUTF8Buffer { name in
            assert(Escaping.string.firstUnclean(in: name.span, from: 0) == name.count, "the name needs escapes")
            append(name.count + 3) { output in
                output.append(UInt8(ascii: "\""))
                Self.copy(name.span, to: &output)
                output.append(UInt8(ascii: "\""))
                output.append(UInt8(ascii: ":"))
            }
        }
        needsComma = false
    }

    /// Writes a member's key; its value must come next.
    ///
    /// - Parameter name: any name.
    @_disfavoredOverload
    package mutating func key(_ name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    // MARK: Values

    /// Writes a string, escaping what must be escaped.
    package mutating func string(_ string: String) {
        let text = string.utf8.span
        let unclean = Escaping.string.firstUnclean(in: text, from: 0)
        if unclean == text.count {
            append(text.count + 2) { output in
                output.append(UInt8(ascii: "\""))
                Self.copy(text, to: &output)
                output.append(UInt8(ascii: "\""))
            }
        } else {
            append(text.count + 2) { $0.append(UInt8(ascii: "\"")) }
            Escaping.string.append(text, firstUnclean: unclean, to: &bytes)
            bytes.append(UInt8(ascii: "\""))
        }
    }

    /// Writes an integer.
    package mutating func integer(_ integer: Int) {
        // Int64.min has 19 digits and a sign.
        append(20) { output in
            if integer < 0 {
                output.append(UInt8(ascii: "-"))
            }
            var low = output.count
            var rest = integer.magnitude
            repeat {
                output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
                rest /= 10
            } while rest > 0
            // The digits came lowest first.
            var high = output.count - 1
            while low < high {
                output.swapAt(low, high)
                low += 1
                high -= 1
            }
        }
    }

    /// Writes `true` or `false`.
    package mutating func bool(_ bool: Bool) {
        literal(bool ? "true" : "false")
    }

    /// Writes `null`.
    package mutating func null() {
        literal("null")
    }

    /// Writes the shortest number that reads back as the same double, or `null` when it is not finite.
    package mutating func double(_ double: Double) {
        if double.isFinite {
            number(literal: double.description)
        } else {
            null()
        }
    }

    /// Writes a number as it is spelt.
    ///
    /// - Parameter literal: a number in JSON's grammar.
    package mutating func number(literal: String) {
        let text = literal.utf8.span
        assert(!text.isEmpty && (try? NumberToken(at: 0, in: text))?.end == text.count, "the literal is not a JSON number")
        append(text.count) { Self.copy(text, to: &$0) }
    }

    /// Writes a value that is JSON already; newlines between its tokens become spaces, U+2028 and U+2029 are escaped.
    ///
    /// - Parameter json: exactly one valid JSON value.
    package mutating func raw(_ json: [UInt8]) {
        assert((try? JSONReader.parse(json)) != nil, "the bytes are not one JSON value")
        let text = json.span
        append(text.count) { _ in }
        Escaping.value.append(text, firstUnclean: Escaping.value.firstUnclean(in: text, from: 0), to: &bytes)
    }

    /// Appends bytes as they are, also a part of a value, after which no comma is due.
    ///
    /// - Parameter bytes: what another writer has written and was stopped in, so that the whole is JSON.
    package mutating func verbatim(_ bytes: [UInt8]) {
        self.bytes.append(contentsOf: bytes)
        needsComma = false
    }

    /// Writes a value.
    @inlinable
    package mutating func value(_ value: some JSONWritable) {
        value.write(to: &self)
    }

    private mutating func literal(_ name: StaticString) {
        name.withUTF8Buffer { name in
            append(name.count) { Self.copy(name.span, to: &$0) }
        }
    }

    // MARK: Bytes

    /// Appends the comma that may be due and then a token, growing the buffer at most once.
    ///
    /// - Parameters:
    ///   - count: how many bytes the token has at most.
    ///   - token: appends it.
    @inline(__always)
    private mutating func append(_ count: Int, token: (inout OutputSpan<UInt8>) -> Void) {
        bytes.append(addingCapacity: count + 1) { output in
            if needsComma {
                output.append(UInt8(ascii: ","))
            }
            token(&output)
        }
        needsComma = true
    }

    @inline(__always)
    private static func copy(_ text: Span<UInt8>, to output: inout OutputSpan<UInt8>) {
        text.withUnsafeBufferPointer { source in
            output.withUnsafeMutableBufferPointer { buffer, initializedCount in
                _ = buffer.extracting(initializedCount...).initialize(fromContentsOf: source)
                initializedCount += source.count
            }
        }
    }
}
