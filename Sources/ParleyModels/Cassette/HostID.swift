import ParleyCore

/// Ids that a host makes, found in texts: UUIDs, and the counted ids of a deterministic host, such as `bot-1`.
enum HostID {
    /// A text with its ids replaced.
    ///
    /// - Parameter replacement: what stands in an id's place; called for each, in order.
    static func replaced(in text: String, by replacement: (String) -> String) -> String {
        // No id lacks it, and most texts do.
        guard text.utf8.contains(UInt8(ascii: "-")) else { return text }
        let bytes = Array(text.utf8)
        var replaced: [UInt8] = []
        replaced.reserveCapacity(bytes.count)
        var position = 0
        while position < bytes.count {
            // An id begins and ends where a word does.
            let beginsWord = bytes[position].isWordByte && (position == 0 || !bytes[position - 1].isWordByte)
            if beginsWord, let end = end(ofIDAt: position, in: bytes), end == bytes.count || !bytes[end].isWordByte {
                replaced += Array(replacement(String(decoding: bytes[position..<end], as: UTF8.self)).utf8)
                position = end
            } else {
                replaced.append(bytes[position])
                position += 1
            }
        }
        return String(decoding: replaced, as: UTF8.self)
    }

    private static func end(ofIDAt start: Int, in bytes: [UInt8]) -> Int? {
        if start + 36 <= bytes.count, (0..<36).allSatisfy({ isUUIDByte(bytes[start + $0], at: $0) }) { return start + 36 }
        for kind in kinds where bytes[start...].starts(with: kind) {
            let digits = start + kind.count
            let end = bytes[digits...].firstIndex { !(48...57).contains($0) } ?? bytes.count
            if end > digits { return end }
        }
        return nil
    }

    private static func isUUIDByte(_ byte: UInt8, at place: Int) -> Bool {
        switch place {
        case 8, 13, 18, 23: byte == UInt8(ascii: "-")
        default: (48...57).contains(byte) || (97...102).contains(byte) || (65...70).contains(byte)
        }
    }

    private static let kinds = IDKind.allCases.map { Array("\($0.rawValue)-".utf8) }
}

extension UInt8 {
    /// Whether it is a letter or a digit of ASCII, or part of a character beyond it.
    fileprivate var isWordByte: Bool {
        (48...57).contains(self) || (65...90).contains(self) || (97...122).contains(self) || self >= 0x80
    }
}
