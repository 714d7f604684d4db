import JSON

/// A number of any size and precision, in decimal: `digits` × 10^`exponent`.
///
/// There is exactly one spelling of each value: no zero begins or ends the digits, and zero itself has none, no exponent and no sign.
/// Exponents beyond ±10^15 are taken for ±10^15; numbers that differ only there count as equal.
struct ExactNumber: Sendable, Hashable {
    private static let maximumExponent = 1_000_000_000_000_000

    let isNegative: Bool

    /// Values from 0 to 9, the most significant first.
    let digits: [UInt8]

    let exponent: Int

    /// Reads a number.
    ///
    /// - Parameter literal: a number in JSON's grammar.
    init(literal: String) {
        var digits: [UInt8] = []
        var fraction = 0
        var isInFraction = false
        var bytes = literal.utf8[...]
        let isNegative = bytes.first == UInt8(ascii: "-")
        digits.reserveCapacity(bytes.count)
        while let byte = bytes.popFirst(), byte | 0x20 != UInt8(ascii: "e") {
            if byte == UInt8(ascii: ".") {
                isInFraction = true
            } else if case let digit = byte &- UInt8(ascii: "0"), digit < 10 {
                fraction += isInFraction ? 1 : 0
                if !digits.isEmpty || digit > 0 {
                    digits.append(digit)
                }
            }
        }
        var exponent = Self.clamped(bytes) - fraction
        while digits.last == 0 {
            digits.removeLast()
            exponent += 1
        }
        self.digits = digits
        self.isNegative = isNegative && !digits.isEmpty
        self.exponent = digits.isEmpty ? 0 : exponent
    }

    /// Reads a number.
    ///
    /// - Parameter value: anything.
    /// - Returns: nil when the value is no number.
    init?(_ value: JSONValue) {
        switch value {
        case .integer(let integer): self.init(literal: String(integer))
        case .number(let literal): self.init(literal: literal)
        default: return nil
        }
    }

    /// Whether nothing follows the decimal point.
    var isInteger: Bool {
        exponent >= 0
    }

    /// The number as a length; one beyond 64 bits as the biggest that there is. Nil when it is negative or has a fraction.
    var asCount: Int? {
        guard isInteger, !isNegative else { return nil }
        guard digits.count + exponent <= 18 else { return .max }
        var count = 0
        for digit in digits {
            count = count * 10 + Int(digit)
        }
        for _ in 0..<exponent {
            count *= 10
        }
        return count
    }

    /// Reads an exponent's sign and digits.
    private static func clamped(_ bytes: Substring.UTF8View) -> Int {
        var exponent = 0
        for byte in bytes {
            if case let digit = byte &- UInt8(ascii: "0"), digit < 10 {
                exponent = min(exponent * 10 + Int(digit), maximumExponent)
            }
        }
        return bytes.first == UInt8(ascii: "-") ? -exponent : exponent
    }
}

extension ExactNumber: Comparable {
    static func < (left: ExactNumber, right: ExactNumber) -> Bool {
        if left.isNegative != right.isNegative {
            return left.isNegative
        }
        return left.isNegative ? right.isSmaller(than: left) : left.isSmaller(than: right)
    }

    /// Compares without the signs.
    private func isSmaller(than other: ExactNumber) -> Bool {
        if digits.isEmpty || other.digits.isEmpty {
            return digits.isEmpty && !other.digits.isEmpty
        }
        // With one digit before the point, the exponent decides first.
        let magnitude = digits.count + exponent
        let otherMagnitude = other.digits.count + other.exponent
        return magnitude == otherMagnitude ? digits.lexicographicallyPrecedes(other.digits) : magnitude < otherMagnitude
    }
}

extension ExactNumber {
    /// What `multipleOf` divides by.
    struct Divisor: Sendable {
        /// The divisor itself.
        let number: ExactNumber

        /// The number's digits together.
        fileprivate let coefficient: UInt64

        /// Makes a divisor.
        ///
        /// - Parameter number: the divisor.
        /// - Returns: nil when it is not above zero or has more than 18 digits.
        init?(_ number: ExactNumber) {
            guard !number.isNegative, 1...18 ~= number.digits.count else { return nil }
            self.number = number
            coefficient = number.digits.reduce(0) { $0 * 10 + UInt64($1) }
        }
    }

    /// Whether the number is an integer times a divisor.
    func isMultiple(of divisor: Divisor) -> Bool {
        if digits.isEmpty {
            return true
        }
        // A multiple with a smaller exponent would end in a zero, and the digits never do.
        guard exponent >= divisor.number.exponent else {
            return false
        }
        // The coefficient is below 10^18, so its remainders times 10 fit in 64 bits.
        var remainder = digits.reduce(0) { ($0 * 10 + UInt64($1)) % divisor.coefficient }
        // Each zero to append can cancel one 2 and one 5 of the coefficient, which has fewer than 60; further ones change nothing.
        for _ in 0..<min(exponent - divisor.number.exponent, 60) where remainder != 0 {
            remainder = remainder * 10 % divisor.coefficient
        }
        return remainder == 0
    }
}
