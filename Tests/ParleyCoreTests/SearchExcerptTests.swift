import ParleyCore
import ParleyTestSupport
import Testing

@Suite struct SearchExcerptTests {
    /// The excerpt with brackets round what is highlighted.
    private func excerpt(_ text: String, _ query: String) throws -> String {
        let excerpt = SearchExcerpt(of: text, for: try SearchQuery(query))
        var units = Array(excerpt.text.utf16)
        for highlight in excerpt.highlights.reversed() {
            units.insert(contentsOf: "]".utf16, at: highlight.start + highlight.length)
            units.insert(contentsOf: "[".utf16, at: highlight.start)
        }
        return String(decoding: units, as: UTF16.self)
    }

    @Test(arguments: [
        ("Where do parrots live?", "parrots", "Where do [parrots] live?"),
        ("Where do parrots live?", "do liv", "Where [do] parrots [live]?"),
        ("Where do parrots live?", "\"do parrots\"", "Where [do parrots] live?"),
        ("parrots, parrots\n\n  and\tparrots ", "parrot", "[parrots], [parrots] and [parrots]"),
        ("日本語の本", "本", "日[本]語の[本]"),
        ("日本語の本", "日本 本語", "[日本語]の本"),
        ("🦜🦜 𝒫arrots", "parrots", "🦜🦜 [𝒫arrots]"),
        ("🦜🦜 x", "🦜", "[🦜🦜] x"),
        ("Ma\u{301}s e\u{301}lan", "elan", "Ma\u{301}s [e\u{301}lan]"),
        ("  \u{0}\n x ", "x", "[x]"),
    ])
    func shortTextsAreShownWhole(text: String, query: String, expected: String) throws {
        #expect(try excerpt(text, query) == expected)
    }

    @Test func longTextsAreCutBetweenWords() throws {
        let words = (1...400).map { "w\($0)" }
        let text = words.joined(separator: " ")
        let found = try excerpt(text, "\"w200\"")
        #expect(found.hasPrefix("…w19") && found.contains(" w199 [w200] w201 ") && found.hasSuffix("…"))
        #expect(found.unicodeScalars.count <= SearchExcerpt.maximumScalars + 4)
        #expect(words.contains(String(found.dropFirst().prefix { $0 != " " })))
        #expect(words.contains(String(found.dropLast().reversed().prefix { $0 != " " }.reversed())))
        #expect(try excerpt(text, "\"w1\"").hasPrefix("[w1] w2"))
        #expect(try excerpt(text, "\"w400\"").hasSuffix("w399 [w400]"))
    }

    @Test func thePlaceWithMostOfTheQueryIsShown() throws {
        let filler = String(repeating: "and so on ", count: 60)
        #expect(try excerpt("one " + filler + "one two " + filler + "two", "one \"two\"").contains("[one] [two]"))
    }

    @Test func whatHasNoGapsIsCutAnywhere() throws {
        let found = try excerpt(String(repeating: "é", count: 10_000), "éé")
        #expect(found.hasSuffix("é]…") && found.unicodeScalars.count == SearchExcerpt.maximumScalars + 3)
        let end = try excerpt("x " + String(repeating: "(", count: 10_000) + " y", "y")
        #expect(end.hasPrefix("…") && end.hasSuffix("[y]"))
    }

    /// Whatever is said and looked for, the excerpt is a piece of it, and what is highlighted is in it.
    @Test func highlightsAreInTheExcerpt() throws {
        var chance = SeededGenerator(seed: 3)
        let alphabet: [String] = ["a", "b", "é", "e\u{301}", "日", "🦜", " ", "\n", "-", "\u{200D}", "ﬁ", "ß", "\u{0}", "0", "กี"]
        for _ in 0..<2_000 {
            let text = (0..<Int.random(in: 1...400, using: &chance)).map { _ in alphabet.randomElement(using: &chance) ?? "" }.joined()
            let asked = (0..<Int.random(in: 1...4, using: &chance)).map { _ in alphabet.randomElement(using: &chance) ?? "" }.joined()
            guard let query = try? SearchQuery(asked) else { continue }
            let excerpt = SearchExcerpt(of: text, for: query)
            #expect(excerpt.text.unicodeScalars.count <= SearchExcerpt.maximumScalars + 2)
            #expect(excerpt.highlights.isEmpty != query.matches(text) || query.phrases.count > 1)
            let units = Array(excerpt.text.utf16)
            var end = -1
            for highlight in excerpt.highlights {
                #expect(highlight.start > end && highlight.length > 0)
                end = highlight.start + highlight.length
                try #require(end <= units.count)
                let piece = String(decoding: units[highlight.start..<end], as: UTF16.self)
                #expect(!piece.contains("\u{FFFD}") && !piece.contains("…") && SearchWords(piece).contains { _ in true })
            }
        }
    }
}
