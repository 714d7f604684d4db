/// What somebody looks for: phrases, all of which must stand in one text, in any order.
///
/// Words between quotation marks are one phrase: they follow one another. So are words that nothing but punctuation keeps apart. Of the last word
/// only the beginning is needed, unless its quotation has ended, so that results come while somebody writes. Nothing else that is written
/// has a meaning.
package struct SearchQuery: Hashable, Sendable {
    /// Words that follow one another.
    package struct Phrase: Hashable, Sendable {
        /// The folded words, at least one; see ``SearchWord``.
        package var words: [String]
        /// Whether the last one may go on.
        package var isOpen: Bool
    }

    /// The greatest query, in characters. Fixed by the protocol.
    package static let maximumCharacters = 256

    /// The phrases, at least one.
    package let phrases: [Phrase]

    /// Reads what somebody has written.
    ///
    /// - Throws: `invalidParams` (path `query`) for a text that is too long, or has no words.
    package init(_ text: String) throws(Failure) {
        guard Limits.fits(text, characters: Self.maximumCharacters) else {
            throw .invalidParams(path: "query", reason: "longer than \(Self.maximumCharacters) characters")
        }
        var phrases: [Phrase] = []
        var isQuoted = false
        var isOpen = true
        for piece in text.split(omittingEmptySubsequences: false, whereSeparator: { Self.quotationMarks.contains($0) }) {
            for chunk in isQuoted ? [piece] : piece.split(whereSeparator: \.isWhitespace) {
                let words = SearchWords(String(chunk)).map(\.folded)
                guard !words.isEmpty else { continue }
                phrases.append(Phrase(words: words, isOpen: false))
                // What follows the last mark may still be written; what stands between two of them is complete.
                isOpen = !isQuoted || piece.endIndex == text.endIndex
            }
            isQuoted.toggle()
        }
        guard !phrases.isEmpty else { throw .invalidParams(path: "query", reason: "has no words") }
        phrases[phrases.count - 1].isOpen = isOpen
        self.phrases = phrases
    }

    private static let quotationMarks: Set<Character> = ["\"", "“", "”", "„", "«", "»"]
}

extension SearchQuery {
    /// Where a phrase stands in a text.
    struct Occurrence: Hashable {
        /// The phrase's number.
        var phrase: Int
        /// Where, in UTF-8 bytes from the beginning of the text.
        var range: Range<Int>
    }

    /// Whether all phrases stand in a text.
    package func matches(_ text: String) -> Bool {
        var missing = Set(phrases.indices)
        forEachOccurrence(in: SearchWords(text)) { occurrence in
            missing.remove(occurrence.phrase)
            return !missing.isEmpty
        }
        return missing.isEmpty
    }

    /// Finds the places where phrases stand in a text, in the order in which they end. No more of the text's words are kept than a phrase has.
    ///
    /// - Parameter body: takes a place and tells whether it wants another.
    func forEachOccurrence(in words: SearchWords, _ body: (Occurrence) -> Bool) {
        let longest = phrases.map(\.words.count).max() ?? 0
        var recent: [SearchWord] = []
        for word in words {
            if recent.count >= 2 * longest { recent.removeFirst(longest) }
            recent.append(word)
            for (number, phrase) in phrases.enumerated() {
                guard let first = phrase.start(atEndOf: recent) else { continue }
                guard body(Occurrence(phrase: number, range: first.range.lowerBound..<word.range.upperBound)) else { return }
            }
        }
    }
}

extension SearchQuery.Phrase {
    /// The word with which the phrase begins, if some words end with it.
    fileprivate func start(atEndOf found: [SearchWord]) -> SearchWord? {
        let start = found.count - words.count
        guard start >= 0 else { return nil }
        for (offset, word) in words.enumerated() {
            let other = found[start + offset].folded
            let mayGoOn = isOpen && offset == words.count - 1
            guard mayGoOn ? other.utf8.starts(with: word.utf8) : other == word else { return nil }
        }
        return found[start]
    }
}
