import JSON

/// The types that a value may have.
struct TypeSet: OptionSet, Sendable {
    static let string = TypeSet(rawValue: 1 << 0)
    static let integer = TypeSet(rawValue: 1 << 1)
    static let number = TypeSet(rawValue: 1 << 2)
    static let boolean = TypeSet(rawValue: 1 << 3)
    static let object = TypeSet(rawValue: 1 << 4)
    static let array = TypeSet(rawValue: 1 << 5)
    static let null = TypeSet(rawValue: 1 << 6)

    /// What `type` may say, and how a reason says it.
    static let names: [(name: String, type: TypeSet, words: String)] = [
        ("string", .string, "a string"), ("integer", .integer, "an integer"), ("number", .number, "a number"),
        ("boolean", .boolean, "a boolean"), ("object", .object, "an object"), ("array", .array, "an array"), ("null", .null, "null"),
    ]

    let rawValue: UInt8

    /// Whether a value has one of the types.
    func includesType(of value: JSONValue) -> Bool {
        switch value {
        case .null: contains(.null)
        case .bool: contains(.boolean)
        case .string: contains(.string)
        case .array: contains(.array)
        case .object: contains(.object)
        case .integer: contains(.number) || contains(.integer)
        case .number(let literal): contains(.number) || (contains(.integer) && ExactNumber(literal: literal).isInteger)
        }
    }

    /// The types with their articles, such as "a string, an array or null".
    var words: String {
        Self.names.filter { contains($0.type) }.map(\.words).joined(separator: ", ", last: " or ")
    }
}

extension [String] {
    /// The elements with something between them, and something else before the last.
    func joined(separator: String, last: String) -> String {
        guard count > 1 else { return first ?? "" }
        return dropLast().joined(separator: separator) + last + self[count - 1]
    }
}
