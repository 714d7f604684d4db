import ParleyCore
import Testing

@Suite struct SearchWordsTests {
    @Test(
        arguments: [
            ("", []),
            ("Hello, World! x2", ["hello", "world", "x2"]),
            ("don't e-mail foo_bar a.b", ["don", "t", "e", "mail", "foo", "bar", "a", "b"]),
            ("Élan e\u{301}lan ÜBER ñandú Ångström Đà Nẵng", ["elan", "elan", "uber", "nandu", "angstrom", "đa", "nang"]),
            (
                "Straße STRASSE STRAẞE ﬁn Ａ１ ΣΊΣΥΦΟΣ σίσυφος İstanbul ısı",
                ["strasse", "strasse", "strasse", "fin", "a1", "σισυφοσ", "σισυφοσ", "istanbul", "isi"]
            ),
            ("шёл й", ["шел", "и"]),
            ("שָׁלוֹם مُحَمَّد", ["שלום", "محمد"]),
            ("हिन्दी में", ["हिन्दी", "में"]),
            ("日本語とEnglish混在。「はい」", ["日", "本", "語", "と", "english", "混", "在", "は", "い"]),
            ("ｶﾞ か\u{3099} ガーゼ", ["ガ", "が", "ガ", "ー", "ゼ"]),
            ("한국어 \u{1112}\u{1161}\u{11AB}", ["한", "국", "어", "한"]),
            ("ที่นี่", ["ท", "ี", "่", "น", "ี", "่"]),
            ("𠮷野家", ["𠮷", "野", "家"]),
            ("🦜❤️ © 👩‍🚀", ["🦜", "❤", "©", "👩", "🚀"]),
            ("soft\u{AD}hyphen می\u{200C}خواهم", ["softhyphen", "میخواهم"]),
            ("a\u{0}b\tc\u{2028}d", ["a", "b", "c", "d"]),
            ("\u{301}\u{200D}\u{FE0F} \u{FFFD} ﷺ", ["صلىاللهعليهوسلم"]),
        ] as [(String, [String])])
    func wordsOfATextAreFolded(text: String, expected: [String]) {
        #expect(SearchWords(text).map(\.folded) == expected)
    }

    @Test func wordsKnowWhereTheyStand() {
        let text = "Ünder 日本, é!"
        let pieces = SearchWords(text).map { String(decoding: Array(text.utf8)[$0.range], as: UTF8.self) }
        #expect(pieces == ["Ünder", "日", "本", "é"])
    }

    @Test func longWordsAreCut() {
        let ascii = SearchWords(String(repeating: "aB", count: 1_000)).map(\.folded)
        #expect(ascii == [String(repeating: "ab", count: 64)])
        let others = SearchWords(String(repeating: "éÉ", count: 1_000)).map(\.folded)
        #expect(others == [String(repeating: "ee", count: 64)])
    }

    /// What is a word in a text must be the same word in a query, however it is folded.
    @Test func foldingIsDoneOnce() {
        for value in UInt32(0)...0x2FFFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            for word in SearchWords(String(scalar)) {
                #expect(!word.folded.isEmpty && !word.folded.contains("\"") && !word.folded.contains(" ") && !word.folded.contains("_"))
                let again = SearchWords(word.folded).map(\.folded).joined()
                if again != word.folded { Issue.record("U+\(String(value, radix: 16)): \(word.folded) becomes \(again)") }
            }
        }
    }

    /// Common letters are folded one by one, all others with what is round them; a letter that is not common shows what the second way makes of
    /// the first.
    @Test func bothWaysOfFoldingAgree() {
        for value in UInt32(0x20)..<0x530 {
            guard let scalar = Unicode.Scalar(value) else { continue }
            for text in ["a\(scalar)", "\(scalar)b", "aΣ\(scalar)ı"] {
                let common = SearchWords(text).map(\.folded)
                let other = SearchWords(text + "\u{561}").map(\.folded)
                if common.joined() + "\u{561}" != other.joined() { Issue.record("U+\(String(value, radix: 16)): \(common), \(other)") }
            }
        }
        for value in [UInt32](0x3041...0x3096) + [0x30A1, 0x30FA, 0x4E00, 0x9FFF, 0x3400, 0xAC00, 0xD7A3] {
            guard let scalar = Unicode.Scalar(value) else { continue }
            // A selector of a variant goes the other way, and is not seen.
            #expect(SearchWords("\(scalar)").map(\.folded) == SearchWords("\(scalar)\u{FE00}").map(\.folded))
        }
    }
}
