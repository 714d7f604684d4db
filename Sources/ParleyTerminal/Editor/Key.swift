/// What somebody has typed, as an editor takes it.
enum Key: Hashable, Sendable {
    case text(String)
    /// What was pasted, with its line ends; none of it is a key.
    case paste(String)
    case enter
    /// Alt-Enter: a line end within the text.
    case newline
    case tab
    case backspace
    case delete
    case left
    case right
    case up
    case down
    case wordLeft
    case wordRight
    case lineStart
    case lineEnd
    case killToLineEnd
    case killToLineStart
    case killWord
    case killNextWord
    case yank
    case clearScreen
    case interrupt
    case suspend
    /// Ctrl-D.
    case endOfInput
}

/// Makes keys of the bytes that a terminal sends (ECMA-48, and xterm's control sequences).
struct KeyDecoder {
    private static let pasteEnd = Array("\u{1B}[201~".utf8)
    /// No terminal sends a longer sequence.
    private static let maximumSequence = 64

    private var pending: [UInt8] = []
    private var paste: [UInt8]?

    init() {}

    /// Takes bytes.
    ///
    /// - Returns: the keys that are whole.
    mutating func add(_ bytes: [UInt8]) -> [Key] {
        pending += bytes
        var keys: [Key] = []
        while !pending.isEmpty {
            if paste != nil {
                guard let text = takePaste() else { break }
                keys.append(.paste(text))
                continue
            }
            guard let (key, length) = first() else { break }
            pending.removeFirst(length)
            if let key { keys.append(key) }
        }
        return keys
    }

    /// The rest of a paste; nil while it goes on.
    private mutating func takePaste() -> String? {
        guard let end = pending.firstRange(of: Self.pasteEnd) else {
            // The end's beginning may have come.
            let kept = min(pending.count, Self.pasteEnd.count - 1)
            paste? += pending.dropLast(kept)
            pending = pending.suffix(kept)
            return nil
        }
        let bytes = (paste ?? []) + pending[..<end.lowerBound]
        pending.removeFirst(end.upperBound)
        paste = nil
        let text = String(decoding: bytes, as: UTF8.self).replacing("\r\n", with: "\n").replacing("\r", with: "\n")
        var clean = String.UnicodeScalarView()
        // Terminals let control characters through that were hidden in what was copied.
        clean.append(contentsOf: text.unicodeScalars.filter { $0 == "\n" || $0 == "\t" || $0.properties.generalCategory != .control })
        return String(clean)
    }

    /// The first key and how many bytes it takes; nil while it is not whole.
    private mutating func first() -> (Key?, Int)? {
        let byte = pending[0]
        switch byte {
        case 0x1B: return escaped()
        case 0x00..<0x20, 0x7F: return (Self.control(byte), 1)
        default: return text()
        }
    }

    private static func control(_ byte: UInt8) -> Key? {
        switch byte {
        case 0x01: .lineStart
        case 0x02: .left
        case 0x03: .interrupt
        case 0x04: .endOfInput
        case 0x05: .lineEnd
        case 0x06: .right
        case 0x08, 0x7F: .backspace
        case 0x09: .tab
        case 0x0A, 0x0D: .enter
        case 0x0B: .killToLineEnd
        case 0x0C: .clearScreen
        case 0x0E: .down
        case 0x10: .up
        case 0x15: .killToLineStart
        case 0x17: .killWord
        case 0x19: .yank
        case 0x1A: .suspend
        default: nil
        }
    }

    private func text() -> (Key?, Int)? {
        // All text that is there is one key, up to a character that is not whole.
        let end = pending.firstIndex { $0 < 0x20 || $0 == 0x7F } ?? pending.count
        var whole = end
        if end == pending.count {
            // Of a character at most three bytes have come without the last one.
            let tail = pending.suffix(while: { (0x80..<0xC0).contains($0) })
            if tail.count < 3, tail.startIndex > 0 {
                let lead = pending[tail.startIndex - 1]
                let needed = (0xF0..<0xF5).contains(lead) ? 4 : (0xE0..<0xF0).contains(lead) ? 3 : (0xC2..<0xE0).contains(lead) ? 2 : 0
                if tail.count + 1 < needed { whole = tail.startIndex - 1 }
            }
        }
        guard whole > 0 else { return nil }
        let text = String(decoding: pending[..<whole], as: UTF8.self)
        var clean = String.UnicodeScalarView()
        clean.append(contentsOf: text.unicodeScalars.filter { $0.properties.generalCategory != .control })
        return (clean.isEmpty ? nil : .text(String(clean)), whole)
    }

    // MARK: Sequences

    private mutating func escaped() -> (Key?, Int)? {
        guard pending.count > 1 else { return nil }
        switch pending[1] {
        case UInt8(ascii: "["): return sequence()
        case UInt8(ascii: "O"):
            guard pending.count > 2 else { return nil }
            return (Self.movement(pending[2], isModified: false), 3)
        case 0x0A, 0x0D: return (.newline, 2)
        case 0x08, 0x7F: return (.killWord, 2)
        case UInt8(ascii: "b"): return (.wordLeft, 2)
        case UInt8(ascii: "f"): return (.wordRight, 2)
        case UInt8(ascii: "d"): return (.killNextWord, 2)
        // Escape alone does nothing; what follows is looked at by itself.
        case 0x1B, 0x00..<0x20: return (nil, 1)
        default: return (nil, 2)
        }
    }

    private mutating func sequence() -> (Key?, Int)? {
        guard let end = pending.dropFirst(2).firstIndex(where: { !(0x20..<0x40).contains($0) }) else {
            return pending.count > Self.maximumSequence ? (nil, pending.count) : nil
        }
        let length = end + 1
        guard (0x40..<0x7F).contains(pending[end]) else { return (nil, end) }
        let parameters = pending[2..<end].split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map {
            Int(String(decoding: $0, as: UTF8.self)) ?? 1
        }
        let isModified = parameters.count > 1 && parameters[1] > 1
        switch pending[end] {
        case UInt8(ascii: "~"):
            switch parameters.first {
            case 1, 7: return (.lineStart, length)
            case 4, 8: return (.lineEnd, length)
            case 3: return (isModified ? .killNextWord : .delete, length)
            case 200:
                paste = []
                return (nil, length)
            // Enter with Shift, Alt or Ctrl, where a terminal is asked to tell them apart.
            case 27 where parameters.last == 13: return (.newline, length)
            default: return (nil, length)
            }
        case UInt8(ascii: "u"): return (parameters.first == 13 ? (isModified ? .newline : .enter) : nil, length)
        default: return (Self.movement(pending[end], isModified: isModified), length)
        }
    }

    private static func movement(_ final: UInt8, isModified: Bool) -> Key? {
        switch final {
        case UInt8(ascii: "A"): .up
        case UInt8(ascii: "B"): .down
        case UInt8(ascii: "C"): isModified ? .wordRight : .right
        case UInt8(ascii: "D"): isModified ? .wordLeft : .left
        case UInt8(ascii: "H"): .lineStart
        case UInt8(ascii: "F"): .lineEnd
        default: nil
        }
    }
}

extension [UInt8] {
    /// The longest end whose bytes all fit.
    fileprivate func suffix(while fits: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        self[(lastIndex { !fits($0) } ?? -1) + 1..<count]
    }
}
