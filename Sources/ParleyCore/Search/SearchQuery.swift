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
        /// The numbers of its words in the text.
        var words: Range<Int>
    }

    /// Whether all phrases stand in a text.
    package func matches(_ text: String) -> Bool {
        let words = Array(SearchWords(text))
        return phrases.allSatisfy { phrase in words.indices.contains { phrase.stands(in: words, at: $0) } }
    }

    /// All places where phrases stand among a text's words, in order.
    func occurrences(in words: [SearchWord]) -> [Occurrence] {
        words.indices.flatMap { start in
            phrases.indices.compactMap { number in
                guard phrases[number].stands(in: words, at: start) else { return Occurrence?.none }
                return Occurrence(phrase: number, words: start..<start + phrases[number].words.count)
            }
        }
    }
}

extension SearchQuery.Phrase {
    fileprivate func stands(in words: [SearchWord], at start: Int) -> Bool {
        guard start + self.words.count <= words.count else { return false }
        for (offset, word) in self.words.enumerated() {
            let found = words[start + offset].folded
            let mayGoOn = isOpen && offset == self.words.count - 1
            guard mayGoOn ? found.utf8.starts(with: word.utf8) : found == word else { return false }
        }
        return true
    }
}
