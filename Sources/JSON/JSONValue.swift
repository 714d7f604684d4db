package import OrderedCollections

/// Any JSON value, for what has no type of its own: metadata, tool arguments, schemas.
///
/// Two objects are equal when they have equal members, in whatever order. Numbers are equal when they are written alike: `1` and
/// `1.0` differ. Strings, keys among them, compare as Swift compares them, by canonical equivalence.
package enum JSONValue: Sendable {
    case null
    case bool(Bool)
    /// A number that is written as an integer and lies within 64 bits.
    case integer(Int64)
    /// The literal text of any other number, such as `-0`, `1.0`, `1e3` or an integer beyond 64 bits.
    case number(String)
    case string(String)
    case array([JSONValue])
    /// The members in the order of their first occurrence; of a repeated key the last value.
    case object(OrderedDictionary<String, JSONValue>)
}

extension JSONValue: JSONReadable {
    /// Reads any value.
    package init(from reader: inout JSONReader) throws(JSONError) {
        self = try reader.value()
    }

    /// Reads an object's members.
    static func members(from reader: inout JSONReader) throws(JSONError) -> OrderedDictionary<String, JSONValue> {
        var members: OrderedDictionary<String, JSONValue> = [:]
        try reader.beginObject()
        while let key = try reader.nextKey() {
            if members.isEmpty {
                // Few objects are smaller, and growing from nothing costs several allocations.
                members.reserveCapacity(4)
            }
            members.updateValue(try reader.value(), forKey: key)
        }
        return members
    }
}

extension JSONValue: JSONWritable {
    /// Writes the value, numbers as they were read.
    package func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let bool): writer.bool(bool)
        case .integer(let integer): writer.integer(Int(integer))
        case .number(let literal): writer.number(literal: literal)
        case .string(let string): writer.string(string)
        case .array(let elements): elements.write(to: &writer)
        case .object(let members):
            writer.beginObject()
            for (key, value) in members {
                writer.key(key)
                value.write(to: &writer)
            }
            writer.endObject()
        }
    }
}

extension JSONValue: Hashable {
    package static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.integer(let left), .integer(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.string(let left), .string(let right)): left == right
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)):
            left.count == right.count && left.allSatisfy { right[$0.key] == $0.value }
        default: false
        }
    }

    package func hash(into hasher: inout Hasher) {
        switch self {
        case .null:
            hasher.combine(0)
        case .bool(let bool):
            hasher.combine(1)
            hasher.combine(bool)
        case .integer(let integer):
            hasher.combine(2)
            hasher.combine(integer)
        case .number(let literal):
            hasher.combine(3)
            hasher.combine(literal)
        case .string(let string):
            hasher.combine(4)
            hasher.combine(string)
        case .array(let elements):
            hasher.combine(5)
            hasher.combine(elements)
        case .object(let members):
            hasher.combine(6)
            // The members' hashes are joined by exclusive or, which does not mind their order.
            var joined = 0
            for (key, value) in members {
                var member = hasher
                member.combine(key)
                member.combine(value)
                joined ^= member.finalize()
            }
            hasher.combine(joined)
        }
    }
}

extension JSONValue {
    /// The value of a member; nil when this is no object or has no such member.
    package subscript(key: String) -> JSONValue? {
        objectValue?[key]
    }

    /// The string, nil when this is none.
    package var stringValue: String? {
        if case .string(let string) = self { string } else { nil }
    }

    /// The integer, nil when this is none or one that is written with a fraction or exponent or lies outside 64 bits.
    package var intValue: Int? {
        if case .integer(let integer) = self { Int(integer) } else { nil }
    }

    /// The number as the nearest double, nil when this is no number or one too big for a double.
    package var doubleValue: Double? {
        switch self {
        case .integer(let integer): Double(integer)
        case .number(let literal): Double(literal).flatMap { $0.isFinite ? $0 : nil }
        default: nil
        }
    }

    /// The boolean, nil when this is none.
    package var boolValue: Bool? {
        if case .bool(let bool) = self { bool } else { nil }
    }

    /// The elements, nil when this is no array.
    package var arrayValue: [JSONValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// The members, nil when this is no object.
    package var objectValue: OrderedDictionary<String, JSONValue>? {
        if case .object(let members) = self { members } else { nil }
    }

    /// Whether this is `null`.
    package var isNull: Bool {
        if case .null = self { true } else { false }
    }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(nilLiteral: ()) {
        self = .null
    }

    package init(booleanLiteral value: Bool) {
        self = .bool(value)
    }

    package init(integerLiteral value: Int64) {
        self = .integer(value)
    }

    package init(floatLiteral value: Double) {
        self = .number("\(value)")
    }

    package init(stringLiteral value: String) {
        self = .string(value)
    }

    package init(arrayLiteral elements: JSONValue...) {
        self = .array(elements)
    }

    /// Makes an object; of a repeated key the last value counts.
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(OrderedDictionary(elements) { _, last in last })
    }
}
