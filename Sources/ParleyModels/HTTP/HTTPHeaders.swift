/// The header fields of a request or a response, in order, looked up without regard to case (RFC 9110, section 5.1).
package struct HTTPHeaders: Sendable, Equatable {
    /// One header field.
    package struct Field: Sendable, Equatable {
        /// The field's name, in the case in which it was written.
        package let name: String
        /// The field's value without the white space round it.
        package let value: String
    }

    /// The fields in the order in which they were written; a name may stand in it more than once.
    package private(set) var fields: [Field]

    /// Makes a list without fields.
    package init() {
        fields = []
    }

    /// The value of the first field of that name, or nil.
    ///
    /// - Parameter name: A field's name in any case.
    package subscript(name: String) -> String? {
        fields.first { Self.equal($0.name, name) }?.value
    }

    /// Puts a field at the end.
    ///
    /// - Parameters:
    ///   - name: The field's name.
    ///   - value: The field's value.
    package mutating func append(name: String, value: String) {
        fields.append(Field(name: name, value: value))
    }

    /// Reads the lines of a response's header, the status line left out.
    ///
    /// A line that begins with white space goes on with the value of the line before it (RFC 9112, section 5.2); a line without
    /// a colon is no field and is passed over.
    ///
    /// - Parameter lines: The header's bytes, lines ended by LF with or without CR.
    init(parsing lines: ArraySlice<UInt8>) {
        fields = []
        for line in lines.split(separator: UInt8(ascii: "\n")) {
            if let first = line.first, first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") {
                guard let last = fields.popLast() else { continue }
                fields.append(Field(name: last.name, value: last.value + " " + Self.text(line)))
            } else if let colon = line.firstIndex(of: UInt8(ascii: ":")) {
                fields.append(Field(name: Self.text(line[..<colon]), value: Self.text(line[(colon + 1)...])))
            }
        }
    }

    private static func equal(_ left: String, _ right: String) -> Bool {
        left.utf8.count == right.utf8.count && zip(left.utf8, right.utf8).allSatisfy { lowercase($0) == lowercase($1) }
    }

    private static func lowercase(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        var bytes = bytes.drop(while: isSpace)
        while let last = bytes.last, isSpace(last) { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension HTTPHeaders: ExpressibleByDictionaryLiteral {
    /// Makes the list from a literal, in its order and with its repetitions.
    package init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { Field(name: $0, value: $1) }
    }
}

extension HTTPHeaders: CustomStringConvertible {
    /// The names alone: values are keys and tokens often enough, and a description ends in logs.
    package var description: String {
        fields.map(\.name).joined(separator: ", ")
    }
}
