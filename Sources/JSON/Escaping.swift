/// Replaces what must not stand in the output as it is; clean runs pass a word at a time.
enum Escaping {
    /// The inside of a string: quotation marks, backslashes, control characters, U+2028 and U+2029 (RFC 8259, section 7).
    case string

    /// A whole JSON value: newlines between its tokens, U+2028 and U+2029 inside its strings.
    case value

    /// Finds the first byte, at an index or after it, of something to replace.
    ///
    /// - Returns: the text's count when there is nothing.
    @inline(__always)
    func firstUnclean(in text: Span<UInt8>, from start: Int) -> Int {
        var index = start
        while index < text.count {
            let marks = suspects(in: EightBytes(of: text, at: index))
            if marks == 0 {
                index += 8
                continue
            }
            index += EightBytes.firstMarked(marks)
            if isUnclean(at: index, in: text) {
                return index
            }
            index += 1
        }
        return text.count
    }

    /// Appends a text to a buffer with everything replaced.
    ///
    /// - Parameters:
    ///   - text: valid UTF-8.
    ///   - firstUnclean: where the first replacement is due, see ``firstUnclean(in:from:)``.
    ///   - bytes: the buffer.
    func append(_ text: Span<UInt8>, firstUnclean: Int, to bytes: inout [UInt8]) {
        var clean = 0
        var unclean = firstUnclean
        while unclean < text.count {
            text.extracting(clean..<unclean).withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
            if text[unclean] == 0xE2 {
                // U+2028 is E2 80 A8 and U+2029 is E2 80 A9.
                bytes.append(contentsOf: text[unclean + 2] == 0xA8 ? "\\u2028".utf8 : "\\u2029".utf8)
                clean = unclean + 3
            } else {
                appendReplacement(of: text[unclean], to: &bytes)
                clean = unclean + 1
            }
            unclean = self.firstUnclean(in: text, from: clean)
        }
        text.extracting(clean..<text.count).withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
    }

    @inline(__always)
    private func suspects(in eight: EightBytes) -> UInt64 {
        switch self {
        case .string:
            eight.controlMarks | eight.marks(equalTo: UInt8(ascii: "\"")) | eight.marks(equalTo: UInt8(ascii: "\\"))
                | eight.marks(equalTo: 0xE2)
        case .value:
            eight.controlMarks | eight.marks(equalTo: 0xE2)
        }
    }

    @inline(__always)
    private func isUnclean(at index: Int, in text: Span<UInt8>) -> Bool {
        switch text[index] {
        case 0x0A, 0x0D: true
        case 0x00..<0x20, UInt8(ascii: "\""), UInt8(ascii: "\\"): self == .string
        case 0xE2: index + 2 < text.count && text[index + 1] == 0x80 && (text[index + 2] == 0xA8 || text[index + 2] == 0xA9)
        default: false
        }
    }

    private func appendReplacement(of byte: UInt8, to bytes: inout [UInt8]) {
        guard self == .string else {
            // Between tokens, any white space is as good as a newline.
            bytes.append(UInt8(ascii: " "))
            return
        }
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        default:
            bytes.append(contentsOf: byte < 0x10 ? "u000".utf8 : "u001".utf8)
            bytes.append(contentsOf: String(byte & 0xF, radix: 16).utf8)
        }
    }
}
