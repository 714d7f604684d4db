/// The six kinds of JSON value (RFC 8259, section 3; `true` and `false` are one kind here).
package enum JSONKind: Sendable, CustomStringConvertible {
    case null, bool, number, string, array, object

    /// The kind with its article, as it stands in an error's reason.
    package var description: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// Tells the kind of a value by its first byte.
    ///
    /// - Parameter first: the byte that a value begins with.
    /// - Returns: nil when no value begins with that byte.
    @inline(__always)
    init?(first: UInt8) {
        switch first {
        case UInt8(ascii: "\""): self = .string
        case UInt8(ascii: "{"): self = .object
        case UInt8(ascii: "["): self = .array
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): self = .number
        case UInt8(ascii: "t"), UInt8(ascii: "f"): self = .bool
        case UInt8(ascii: "n"): self = .null
        default: return nil
        }
    }
}
