/// A place where a text breaks the grammar; the reader turns it into a ``JSONError`` with a path.
struct SyntaxFault: Error {
    enum Problem {
        /// Something else should stand there; the message also says what does.
        case expected(StaticString)
        /// What stands there is wrong in itself.
        case wrong(StaticString)
    }

    var problem: Problem

    /// Index of the byte at fault; the text's count for its end.
    var index: Int

    /// Makes a fault, out of the way of the code that finds none.
    @inline(never)
    init(_ problem: Problem, at index: Int) {
        self.problem = problem
        self.index = index
    }

    /// What is wrong, for people.
    ///
    /// - Parameter text: the text with the fault, up to its end.
    func reason(in text: Span<UInt8>) -> String {
        switch problem {
        case .expected(let what): "expected \(what), found \(found(in: text))"
        case .wrong(let what): "\(what)"
        }
    }

    private func found(in text: Span<UInt8>) -> String {
        guard index < text.count else {
            return "the end of the text"
        }
        switch text[index] {
        case let byte where 0x21...0x7E ~= byte:
            return "\"\(Character(Unicode.Scalar(byte)))\""
        case 0xEF where index + 2 < text.count && text[index + 1] == 0xBB && text[index + 2] == 0xBF:
            return "a byte order mark"
        case let byte:
            return "the byte 0x\(byte < 0x10 ? "0" : "")\(String(byte, radix: 16, uppercase: true))"
        }
    }
}
