import JSON

/// What two values have in common exactly when JSON Schema takes them for equal (draft 2020-12, core, section 4.2.2).
///
/// Numbers are spelt by their value, strings by their code points, and members are sorted by their keys.
struct CanonicalForm: Hashable, Sendable {
    /// The value, spelt so that no two different values are spelt alike.
    private(set) var bytes: [UInt8] = []

    /// Spells a value.
    ///
    /// - Parameter value: nests at most ``JSON/JSONReader/maximumDepth`` deep.
    init(_ value: JSONValue) {
        append(value)
    }

    private mutating func append(_ value: JSONValue) {
        switch value {
        case .null: bytes.append(UInt8(ascii: "n"))
        case .bool(let bool): bytes.append(bool ? UInt8(ascii: "t") : UInt8(ascii: "f"))
        case .integer(let integer): append(integer)
        case .number(let literal): append(ExactNumber(literal: literal))
        case .string(let string): append(string)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for element in elements {
                append(element)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (key, value) in members.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
                append(key)
                append(value)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    /// Appends what the same integer as an ``ExactNumber`` would be spelt as, only faster.
    private mutating func append(_ integer: Int64) {
        var digits = integer.magnitude
        var exponent = 0
        while digits != 0, digits.isMultiple(of: 10) {
            digits /= 10
            exponent += 1
        }
        bytes.append(integer < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        bytes.append(contentsOf: "\(digits == 0 ? "" : String(digits))e\(exponent);".utf8)
    }

    private mutating func append(_ number: ExactNumber) {
        bytes.append(number.isNegative ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        for digit in number.digits {
            bytes.append(UInt8(ascii: "0") + digit)
        }
        bytes.append(contentsOf: "e\(number.exponent);".utf8)
    }

    private mutating func append(_ string: String) {
        // The length comes first, so that no string can pretend to end earlier.
        bytes.append(contentsOf: "\(string.utf8.count)\"".utf8)
        bytes.append(contentsOf: string.utf8)
    }
}

extension JSONValue {
    /// Whether arrays and objects nest deeper than that.
    func nests(deeperThan depth: Int) -> Bool {
        switch self {
        case .array(let elements): depth == 0 || elements.contains { $0.nests(deeperThan: depth - 1) }
        case .object(let members): depth == 0 || members.values.contains { $0.nests(deeperThan: depth - 1) }
        default: false
        }
    }
}
