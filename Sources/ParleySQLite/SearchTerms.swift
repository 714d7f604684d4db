import ParleyCore

/// One person's words as they stand in the index of searches: each with the person's number before it.
///
/// So everybody has a dictionary of their own in the one index: what a search costs, the beginnings of words that are completed by many among it,
/// depends on what is the caller's own and on nothing that others have stored, and nothing of theirs can be found.
struct SearchTerms {
    private let prefix: String

    /// - Parameter owner: the person's key.
    init(owner: Int64) {
        // Words have no `_`, so no person's prefix begins another's.
        prefix = String(owner, radix: 36) + "_"
    }

    /// The words of a text, with spaces between them; empty when it has none.
    func text(of text: String) -> String {
        var terms = ""
        for word in SearchWords(text) {
            if !terms.isEmpty { terms += " " }
            terms += prefix
            terms += word.folded
        }
        return terms
    }

    /// A query in the language of FTS5 (https://www.sqlite.org/fts5.html#full_text_query_syntax).
    func expression(of query: SearchQuery) -> String {
        query.phrases.map { phrase in
            // Words are of letters, digits and the like, so nothing in them can end the string.
            "\"\(phrase.words.map { prefix + $0 }.joined(separator: " "))\"\(phrase.isOpen ? " *" : "")"
        }.joined(separator: " AND ")
    }
}
