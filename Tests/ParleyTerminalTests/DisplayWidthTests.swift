import Testing

@testable import ParleyTerminal

struct DisplayWidthTests {
    @Test(arguments: [
        ("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("日本", 4), ("한국", 4), ("ｱ", 1), ("Ａ", 2), ("👍", 2), ("👍🏽", 2), ("👨‍👩‍👧", 2), ("🇩🇪", 2),
        ("❤", 1),
        ("❤️", 2), ("✓", 1), ("…", 1), ("─", 1), ("⠋", 1), ("\u{200B}", 0), ("ᄒ\u{1161}\u{11AB}", 2), ("क\u{94D}ष", 2), ("ไ", 1),
    ])
    func columns(text: String, width: Int) {
        #expect(DisplayWidth.of(text) == width)
    }
}
