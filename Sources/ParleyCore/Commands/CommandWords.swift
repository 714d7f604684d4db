/// The words of a command line, split as a shell splits them (POSIX, Shell Command Language, section 2.2): quotes keep white space, single
/// ones keep everything, and a backslash keeps the character after it.
///
/// Telephones write “typographic” quotes and make a long dash of two hyphens; both are read as what was meant. Nothing is expanded.
enum CommandWords {
    /// One word.
    struct Word: Hashable {
        /// The word, quotes and backslashes taken out.
        var text: String
        /// The name and the value of `--name` and `--name=value`; nil for a word that is a value.
        var option: (name: String, value: String?)?

        static func == (left: Word, right: Word) -> Bool {
            left.text == right.text && left.option?.name == right.option?.name && left.option?.value == right.option?.value
        }

        func hash(into hasher: inout Hasher) { hasher.combine(text) }
    }

    /// Splits a line, by Unicode scalars: an accent after a quote does not hide the quote.
    ///
    /// - Returns: nil when a quote is not closed.
    static func split(_ line: String) -> [Word]? {
        var words: [Word] = []
        var optionsEnded = false
        var rest = Substring(line).unicodeScalars
        while true {
            rest = rest.drop { $0.properties.isWhitespace }
            guard !rest.isEmpty else { return words }
            guard let (text, plain) = takeWord(&rest) else { return nil }
            if plain == "--", text == "--", !optionsEnded {
                optionsEnded = true
                continue
            }
            words.append(Word(text: text, option: optionsEnded ? nil : option(text, plain: plain)))
        }
    }

    /// Takes the next word.
    ///
    /// - Returns: the word, and its beginning as far as nothing in it was quoted; nil when a quote is not closed.
    private static func takeWord(_ rest: inout Substring.UnicodeScalarView) -> (text: String, plain: String)? {
        var text = String.UnicodeScalarView()
        var plain: String.UnicodeScalarView?
        while let scalar = rest.first, !scalar.properties.isWhitespace {
            rest = rest.dropFirst()
            switch scalar {
            case "'", "\"", "“", "„":
                plain = plain ?? text
                guard takeQuoted(&rest, openedBy: scalar, into: &text) else { return nil }
            case "\\":
                plain = plain ?? text
                // A backslash at the end stands for itself.
                text.append(rest.popFirst() ?? "\\")
            case "—" where text.isEmpty && plain == nil: text.append(contentsOf: "--".unicodeScalars)
            default: text.append(scalar)
            }
        }
        return (String(text), String(plain ?? text))
    }

    private static func takeQuoted(
        _ rest: inout Substring.UnicodeScalarView, openedBy opening: Unicode.Scalar, into text: inout String.UnicodeScalarView
    ) -> Bool {
        let closings: [Unicode.Scalar] = opening == "'" || opening == "\"" ? [opening] : ["”", "“"]
        while let scalar = rest.popFirst() {
            if closings.contains(scalar) { return true }
            if opening != "'", scalar == "\\", let next = rest.first, closings.contains(next) || next == "\\" {
                text.append(next)
                rest = rest.dropFirst()
            } else {
                text.append(scalar)
            }
        }
        return false
    }

    private static func option(_ text: String, plain: String) -> (name: String, value: String?)? {
        guard plain.hasPrefix("--"), let first = plain.dropFirst(2).first, first.isLetter || first == "_" else { return nil }
        // In bytes, because a character that was quoted may join the one before it.
        guard let name = plain.utf8.firstIndex(of: UInt8(ascii: "=")).map({ plain.utf8[..<$0] }) else {
            return plain == text ? (String(text.dropFirst(2)), nil) : nil
        }
        let value = text.utf8.dropFirst(name.count + 1)
        return (String(decoding: name.dropFirst(2), as: UTF8.self), String(decoding: value, as: UTF8.self))
    }
}
