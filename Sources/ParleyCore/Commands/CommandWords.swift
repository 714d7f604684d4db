/// The words of a command line, split as a shell splits them (POSIX, Shell Command Language, section 2.2): quotes keep white space, single
/// ones keep everything, and a backslash keeps the character after it.
///
/// People are met half-way: an apostrophe between two letters (`Ada's`) is one and opens no quote; telephones write “typographic” quotes and make
/// a long dash of two hyphens, which are read as what was meant. Nothing is expanded.
enum CommandWords {
    /// `--name` or `--name=value`.
    struct Option: Hashable {
        var name: String
        var value: String?
        /// Whether it begins with a long dash, which may be one.
        var isGuess: Bool
    }

    /// One word.
    struct Word: Hashable {
        /// The word, quotes and backslashes taken out.
        var text: String
        /// What it means when it is an option; nil for a word that is a value.
        var option: Option?
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
        var followsLetter = false
        while let scalar = rest.first, !scalar.properties.isWhitespace {
            rest = rest.dropFirst()
            let mayBeApostrophe = followsLetter
            followsLetter = scalar.properties.isAlphabetic
            switch scalar {
            case "'" where mayBeApostrophe && rest.first?.properties.isAlphabetic ?? false: text.append(scalar)
            case "'", "\"", "“", "„":
                plain = plain ?? text
                guard takeQuoted(&rest, openedBy: scalar, into: &text) else { return nil }
            case "\\":
                plain = plain ?? text
                // A backslash at the end stands for itself.
                text.append(rest.popFirst() ?? "\\")
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

    /// - Parameter plain: the beginning of the word as far as nothing in it was quoted.
    private static func option(_ text: String, plain: String) -> Option? {
        let isGuess = plain.utf8.starts(with: "—".utf8)
        let dash = isGuess ? "—" : "--"
        let name = plain.utf8.dropFirst(dash.utf8.count).prefix { $0 != UInt8(ascii: "=") }
        guard plain.utf8.starts(with: dash.utf8), let first = Substring(name).unicodeScalars.first,
            first.properties.isAlphabetic || first == "_"
        else { return nil }
        // In bytes, because a character that was quoted may join the one before it.
        if name.endIndex == plain.utf8.endIndex {
            return plain.utf8.count == text.utf8.count ? Option(name: String(Substring(name)), value: nil, isGuess: isGuess) : nil
        }
        let value = text.utf8.dropFirst(dash.utf8.count + name.count + 1)
        return Option(name: String(Substring(name)), value: String(decoding: value, as: UTF8.self), isGuess: isGuess)
    }
}
