/// The spelling of a place in a document, such as `content[0].text`, made step by step from the root.
///
/// Keys that are not identifiers stand in brackets as JSON strings, `["odd key"]`; overlong keys are cut.
package struct JSONPathText: Sendable {
    /// How many scalars of a key a path shows; the rest is cut, since paths travel in error messages.
    private static let shownKeyLength = 64

    /// The path so far; empty for the whole document.
    package private(set) var text = ""

    /// The path of the whole document.
    package init() {}

    /// Goes to an element of an array.
    ///
    /// - Parameter number: its index, from 0.
    package mutating func append(element number: Int) {
        text += "[\(number)]"
    }

    /// Goes to a member of an object.
    ///
    /// - Parameter key: its key.
    package mutating func append(member key: String) {
        if key.utf8.count <= Self.shownKeyLength, Self.isIdentifier(key) {
            text += text.isEmpty ? key : ".\(key)"
            return
        }
        let shown = key.unicodeScalars.prefix(Self.shownKeyLength)
        var writer = JSONWriter()
        writer.string(shown.endIndex == key.endIndex ? key : String(shown) + "…")
        text += "[\(String(decoding: writer.bytes, as: UTF8.self))]"
    }

    /// Whether a key can stand in a path without quotation marks: ASCII letters, digits, `_` and `$`, but no digit first.
    private static func isIdentifier(_ key: String) -> Bool {
        func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        func isLetter(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$")
        }
        guard let first = key.utf8.first, isLetter(first) else {
            return false
        }
        return key.utf8.allSatisfy { isLetter($0) || isDigit($0) }
    }
}
