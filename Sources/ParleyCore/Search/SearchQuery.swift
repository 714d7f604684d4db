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

    /// The numbers of the phrases by the word with which they end; the one that may go on is not among them.
    private let endings: [String: [Int]]
    /// The number of the phrase that may go on, which is the last.
    private let open: Int?

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
        let closed = isOpen ? phrases.dropLast() : phrases[...]
        endings = Dictionary(grouping: closed.indices) { closed[$0].words.last ?? "" }
        open = isOpen ? phrases.count - 1 : nil
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

    /// Whether all phrases stand in a text. A word is compared only with what ends with it and was not found before.
    package func matches(_ text: String) -> Bool {
        var missing = endings
        var open = open
        forEachWord(in: SearchWords(text)) { word, recent in
            if let numbers = missing[word.folded] {
                let left = numbers.filter { phrases[$0].start(atEndOf: recent) == nil }
                missing[word.folded] = left.isEmpty ? nil : left
            }
            if let number = open, phrases[number].start(atEndOf: recent) != nil { open = nil }
            return !missing.isEmpty || open != nil
        }
        return missing.isEmpty && open == nil
    }

    /// Finds the places where phrases stand in a text, in the order in which they end. No more of the text's words are kept than a phrase has.
    ///
    /// - Parameter body: takes a place and tells whether it wants another.
    func forEachOccurrence(in words: SearchWords, _ body: (Occurrence) -> Bool) {
        forEachWord(in: words) { word, recent in
            for number in (endings[word.folded] ?? []) + (open.map { [$0] } ?? []) {
                guard let first = phrases[number].start(atEndOf: recent) else { continue }
                guard body(Occurrence(phrase: number, range: first.range.lowerBound..<word.range.upperBound)) else { return false }
            }
            return true
        }
    }

    /// Goes through the words of a text.
    ///
    /// - Parameter body: takes a word, and with it at the end as many of the last ones as a phrase may have; tells whether it wants another.
    private func forEachWord(in words: SearchWords, _ body: (_ word: SearchWord, _ recent: [SearchWord]) -> Bool) {
        let longest = phrases.map(\.words.count).max() ?? 0
        var recent: [SearchWord] = []
        for word in words {
            if recent.count >= 2 * longest { recent.removeFirst(longest) }
            recent.append(word)
            guard body(word, recent) else { return }
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
