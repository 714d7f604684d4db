/// A moment of the wall clock, in whole milliseconds since 1970-01-01T00:00:00Z.
package struct Timestamp: Hashable, Comparable, Sendable {
    /// Milliseconds since the Unix epoch.
    package var milliseconds: Int64

    /// Makes a moment from milliseconds since the Unix epoch.
    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// The moment that lies `milliseconds` later (earlier when negative).
    package func advanced(byMilliseconds milliseconds: Int64) -> Timestamp {
        Timestamp(milliseconds: self.milliseconds + milliseconds)
    }

    /// The moment as RFC 3339 text in UTC with milliseconds, for example `2026-11-23T14:45:00.250Z`.
    ///
    /// The civil date comes from Howard Hinnant's `civil_from_days` (chrono-compatible low-level date algorithms), because Foundation's
    /// formatters cost microseconds for each of the several times that a message carries.
    package var rfc3339: String {
        let (days, millisecondOfDay) = milliseconds.flooredQuotientAndRemainder(dividingBy: 86_400_000)
        let shifted = days + 719_468
        let (era, dayOfEra) = shifted.flooredQuotientAndRemainder(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let second = millisecondOfDay / 1_000

        return String(unsafeUninitializedCapacity: 32) { bytes in
            var text = TimestampText(bytes: bytes)
            text.append(year, digits: 4)
            text.append(month, digits: 2, after: "-")
            text.append(day, digits: 2, after: "-")
            text.append(second / 3_600, digits: 2, after: "T")
            text.append(second / 60 % 60, digits: 2, after: ":")
            text.append(second % 60, digits: 2, after: ":")
            text.append(millisecondOfDay % 1_000, digits: 3, after: ".")
            text.append("Z")
            return text.count
        }
    }
}

extension Int64 {
    /// Division that rounds towards negative infinity, so that moments before 1970 have a positive time of day.
    fileprivate func flooredQuotientAndRemainder(dividingBy divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

/// The text of a moment while it is written.
private struct TimestampText {
    let bytes: UnsafeMutableBufferPointer<UInt8>
    var count = 0

    mutating func append(_ character: Unicode.Scalar) {
        bytes[count] = UInt8(ascii: character)
        count += 1
    }

    /// Appends a number with at least so many digits.
    mutating func append(_ number: Int64, digits: Int, after separator: Unicode.Scalar? = nil) {
        if let separator { append(separator) }
        if number < 0 { append("-") }
        var rest = number.magnitude
        var digits = digits
        var power: UInt64 = 1
        for _ in 0..<digits { power *= 10 }
        while rest >= power { (power, digits) = (power * 10, digits + 1) }
        for place in (count..<count + digits).reversed() {
            bytes[place] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        count += digits
    }
}
