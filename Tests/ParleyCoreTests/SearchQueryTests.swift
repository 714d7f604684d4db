import ParleyTestSupport
import Testing

@testable import ParleyCore

@Suite struct SearchQueryTests {
    private static func phrase(_ words: String, open: Bool = false) -> SearchQuery.Phrase {
        SearchQuery.Phrase(words: words.split(separator: " ").map(String.init), isOpen: open)
    }

    @Test(
        arguments: [
            ("parrot", [phrase("parrot", open: true)]),
            ("  Two Words ", [phrase("two"), phrase("words", open: true)]),
            ("\"two words\" x", [phrase("two words"), phrase("x", open: true)]),
            ("x \"two words\"", [phrase("x"), phrase("two words")]),
            ("x “two words” ", [phrase("x"), phrase("two words")]),
            ("x \"two wor", [phrase("x"), phrase("two wor", open: true)]),
            ("x\"y\"z", [phrase("x"), phrase("y"), phrase("z", open: true)]),
            ("x \"\"", [phrase("x", open: true)]),
            ("\"x\" -", [phrase("x")]),
            ("e-mail don't", [phrase("e mail"), phrase("don t", open: true)]),
            ("a AND b OR NOT c", [phrase("a"), phrase("and"), phrase("b"), phrase("or"), phrase("not"), phrase("c", open: true)]),
            ("words:x* ^y {z} NEAR(q, 3)", [phrase("words x"), phrase("y"), phrase("z"), phrase("near q"), phrase("3", open: true)]),
            ("日本語 が", [phrase("日 本 語"), phrase("が", open: true)]),
        ] as [(String, [SearchQuery.Phrase])])
    func queriesAreRead(text: String, phrases: [SearchQuery.Phrase]) throws {
        #expect(try SearchQuery(text).phrases == phrases)
    }

    @Test(arguments: ["", " ", "\"", "\"\"", "* - ( ) :", "…", "\u{0}", "'; DROP TABLE"])
    func whatHasNoWordsIsRefused(text: String) {
        if text.contains("DROP") {
            #expect(throws: Never.self) { try SearchQuery(text) }
        } else {
            #expect(throws: Failure.invalidParams(path: "query", reason: "has no words")) { try SearchQuery(text) }
        }
    }

    @Test func lengthIsBounded() throws {
        #expect(try SearchQuery(String(repeating: "é", count: 256)).phrases.count == 1)
        for text in [String(repeating: "a", count: 257), "a" + String(repeating: "\u{301}", count: 5_000)] {
            #expect(throws: Failure.invalidParams(path: "query", reason: "longer than 256 characters")) { try SearchQuery(text) }
        }
    }

    @Test(arguments: [
        ("parrots live", "Where do parrots live?", true), ("live parr", "Where do parrots live?", true),
        ("parr live", "Where do parrots live?", false), ("\"do parrots\"", "Where do parrots live?", true),
        ("\"parrots do\"", "Where do parrots live?", false), ("\"parr\"", "Where do parrots live?", false),
        ("don't", "I don’t know", true), ("dont", "I don’t know", false), ("本語", "日本語です", true), ("日語", "日本語です", false),
        ("a b", "b", false), ("x", "", false),
    ])
    func textsAreMatched(query: String, text: String, isFound: Bool) throws {
        #expect(try SearchQuery(query).matches(text) == isFound)
    }

    /// Whatever is looked up first: each phrase stands somewhere, or it is no match.
    @Test func matchesAreThoseOfAComparisonOfEverythingWithEverything() throws {
        var chance = SeededGenerator(seed: 4)
        let pieces = ["a", "b", "ab", "\"a b\"", "\"b a b\"", "\"a\"", "abc"]
        for _ in 0..<2_000 {
            let query = try SearchQuery(
                (0..<Int.random(in: 1...5, using: &chance)).map { _ in pieces.randomElement(using: &chance) ?? "a" }
                    .joined(separator: " "))
            let words = (0..<Int.random(in: 0...6, using: &chance)).map { _ in ["a", "b", "ab", "c"].randomElement(using: &chance) ?? "a" }
            let isMatch = query.phrases.allSatisfy { phrase in
                words.indices.contains { start in
                    guard start + phrase.words.count <= words.count else { return false }
                    return phrase.words.indices.allSatisfy { offset in
                        let word = words[start + offset]
                        let mayGoOn = phrase.isOpen && offset == phrase.words.count - 1
                        return mayGoOn ? word.hasPrefix(phrase.words[offset]) : word == phrase.words[offset]
                    }
                }
            }
            #expect(query.matches(words.joined(separator: " ")) == isMatch, "\(query.phrases) in \(words)")
        }
    }
}
