/// Version 7 UUIDs: 48 bits of time, then chance (RFC 9562, section 5.7).
package enum UUIDv7 {
    /// The canonical text of a UUIDv7, 36 lower-case characters.
    ///
    /// - Parameters:
    ///   - milliseconds: Unix time; the first 48 bits.
    ///   - high: 12 of its bits follow the version.
    ///   - low: 62 of its bits follow the variant.
    package static func text(milliseconds: Int64, random high: UInt64, _ low: UInt64) -> String {
        let first = UInt64(bitPattern: milliseconds) << 16 | 0x7000 | high & 0x0FFF
        let second = 0x8000_0000_0000_0000 | low >> 2
        return String(unsafeUninitializedCapacity: 36) { buffer in
            var position = 0
            for nibble in 0..<32 {
                if nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20 {
                    buffer[position] = UInt8(ascii: "-")
                    position += 1
                }
                let word = nibble < 16 ? first : second
                let digit = UInt8(truncatingIfNeeded: word >> UInt64(60 - nibble % 16 * 4) & 15)
                buffer[position] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
                position += 1
            }
            return position
        }
    }
}
