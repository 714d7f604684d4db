/// Eight bytes of a text looked at together, so that long strings pass a word at a time.
///
/// The questions answer with a mask that has the high bit set in each byte that fits. Borrows can mark further bytes
/// above the first that fits, but never below it, so the lowest mark is always right.
/// Source: S. E. Anderson, "Bit Twiddling Hacks", determine if a word has a byte less than n.
struct EightBytes {
    private static let lowBits: UInt64 = 0x0101_0101_0101_0101
    private static let highBits: UInt64 = 0x8080_8080_8080_8080

    private let word: UInt64

    /// Loads the eight bytes that begin at an index; beyond the end of the text, spaces stand in for them.
    ///
    /// - Parameters:
    ///   - text: the bytes.
    ///   - index: the first of the eight, within the text.
    @inline(__always)
    init(of text: Span<UInt8>, at index: Int) {
        let bytes = text.bytes
        let rest = text.count - index
        if rest >= 8 {
            word = UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
            return
        }
        var end: UInt64 = 0
        if text.count >= 8 {
            end = UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: text.count - 8, as: UInt64.self))
            end >>= (8 - rest) * 8
        } else {
            for offset in 0..<rest {
                end |= UInt64(text[index + offset]) << (offset * 8)
            }
        }
        word = end | Self.lowBits &* 0x20 << (rest * 8)
    }

    /// Marks bytes that equal a byte.
    @inline(__always)
    func marks(equalTo byte: UInt8) -> UInt64 {
        let difference = word ^ (Self.lowBits &* UInt64(byte))
        return (difference &- Self.lowBits) & ~difference & Self.highBits
    }

    /// Marks control characters, U+0000 to U+001F.
    @inline(__always)
    var controlMarks: UInt64 {
        (word &- Self.lowBits &* 0x20) & ~word & Self.highBits
    }

    /// Marks bytes beyond ASCII.
    @inline(__always)
    var nonASCIIMarks: UInt64 {
        word & Self.highBits
    }

    /// Which of the eight bytes is the first one marked, 0 to 7.
    @inline(__always)
    static func firstMarked(_ marks: UInt64) -> Int {
        marks.trailingZeroBitCount / 8
    }
}
