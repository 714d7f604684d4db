import ParleyTestSupport
import Testing

@testable import ParleyTerminal

/// Markdown as it is shown, 40 columns wide. Styled text is written as `‹b:text›`, with a letter for each thing that is special about it.
struct MarkdownTests {
    private static let width = 40

    /// What is shown of a text that comes in pieces.
    private static func shown(_ pieces: [String], isStyled: Bool = true) -> String {
        var renderer = MarkdownRenderer(width: width, isStyled: isStyled)
        var output: [Piece] = []
        for piece in pieces.flatMap({ renderer.add($0) }) + renderer.end() {
            if case .text(let text, let style) = piece, case .text(let before, style) = output.last {
                output[output.count - 1] = .text(before + text, style)
            } else {
                output.append(piece)
            }
        }
        return output.map { written($0, isStyled) }.joined()
    }

    private static func written(_ piece: Piece, _ isStyled: Bool) -> String {
        guard case .text(let text, let style) = piece else { return "\n" }
        let marks = [
            (style.isBold, "b"), (style.isDim, "d"), (style.isItalic, "i"), (style.isUnderlined, "u"), (style.isStruck, "s"),
            (style.color != nil, "c"),
        ].filter(\.0).map(\.1).joined()
        return marks.isEmpty || !isStyled ? text : "‹\(marks):\(text)›"
    }

    @Test(arguments: Self.cases)
    func isShown(_ example: Example) {
        #expect(Self.shown([example.text]) == example.shown)
    }

    @Test("The pieces in which a text comes make no difference", arguments: Self.cases)
    func pieces(_ example: Example) {
        let scalars = Array(example.text.unicodeScalars)
        func text(_ scalars: some Sequence<Unicode.Scalar>) -> String {
            var view = String.UnicodeScalarView()
            view.append(contentsOf: scalars)
            return String(view)
        }
        for split in 0...scalars.count {
            let shown = Self.shown([text(scalars[..<split]), text(scalars[split...])])
            #expect(shown == example.shown, "after \(split)")
        }
        #expect(Self.shown(scalars.map { text([$0]) }) == example.shown, "one by one")
    }

    @Test("The same for any mixture of marks")
    func piecesOfMixtures() {
        let marks = [
            "*", "**", "***", "_", "`", "``", "```", "~~", "~~~", "[", "](", ")", "\\", "#", "# ", "- ", "+ ", "1. ", ">", "> ", "|", "|-|",
            "---", " ", "  ", "x",
            "word ", "漢", "e\u{301}", "👍🏽", "\u{1B}[", "\n", "\n", "\n\n", "\r\n", "\t",
        ]
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<2_000 {
            let text = (0..<Int.random(in: 1...24, using: &generator)).map { _ in marks.randomElement(using: &generator) ?? "" }.joined()
            var pieces: [String] = []
            for scalar in text.unicodeScalars {
                if pieces.isEmpty || Bool.random(using: &generator) { pieces.append("") }
                pieces[pieces.count - 1].unicodeScalars.append(scalar)
            }
            #expect(Self.shown(pieces) == Self.shown([text]), "\(pieces)")
            #expect(Self.shown(text.unicodeScalars.map { String($0) }) == Self.shown([text]), "\(text.debugDescription)")
        }
    }

    @Test("Without styles the marks stay, and all else is the same")
    func plain() {
        let text = "# Title\n\nSome **bold** `code` and [a link](https://x.y).\n\n- item\n\n```\na  b\n```\n"
        #expect(
            Self.shown([text], isStyled: false)
                == "# Title\n\nSome **bold** `code` and [a\nlink](https://x.y).\n\n• item\n\n    a  b\n")
    }

    @Test("Nothing that comes can be more than text, whatever it stands in")
    func hostile() {
        let attacks = [
            "\u{1B}[2J", "\u{1B}]0;title\u{07}", "\u{1B}]52;c;aGk=\u{1B}\\", "\u{9B}31m", "\u{9D}0;x\u{9C}", "\u{08}\u{08}", "\u{0E}",
            "\u{7F}", "\u{85}",
            "\u{2028}", "\u{202E}", "\u{2066}", "\r", "\u{0C}", "\u{0B}", "\u{00}",
        ]
        let places = ["@", "**@**", "`@`", "[@](@)", "# @", "- @", "1. @", "> @", "```@\n@\n```", "| @ |\n|---|\n| @ |", "    @", "\\@"]
        for attack in attacks {
            for place in places {
                let shown = Self.shown([place.replacing("@", with: attack)])
                #expect(
                    shown.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) },
                    "\(attack.debugDescription) in \(place)")
                #expect(!shown.unicodeScalars.contains { (0x2028...0x202E).contains($0.value) || $0.value == 0x2066 })
            }
        }
    }

    @Test("Long and hopeless lines take no long time")
    func longLines() {
        for text in ["*", "*a ", "`a ``", "`", "[", "_a", "**a*", "~~", "|", "> ", "[a](", "1", "\\", "-", " "].map({
            String(repeating: $0, count: 3_000)
        }) {
            #expect(Self.shown([text, "\n\nend"]).hasSuffix("end\n"))
            #expect(Self.shown(["```\n", text, "\n```\n\nend"]).hasSuffix("end\n"))
        }
    }

    struct Example: Sendable, CustomTestStringConvertible {
        var text: String
        var shown: String
        var testDescription: String { text.debugDescription }

        init(_ text: String, _ shown: String) {
            self.text = text
            self.shown = shown
        }
    }

    private static let rule = String(repeating: "─", count: 40)

    private static func fars(_ count: Int) -> String { Array(repeating: "far", count: count).joined(separator: " ") + "\n" }

    private static let cases: [Example] = [
        Example("", ""),
        Example("\n\n", ""),
        Example("Hello.", "Hello.\n"),
        Example("Hello.\n", "Hello.\n"),
        Example("One\ntwo\r\nthree", "One\ntwo\nthree\n"),
        Example("One\n\n\n\ntwo", "One\n\ntwo\n"),
        Example("one two three four five six seven eight nine ten", "one two three four five six seven eight\nnine ten\n"),
        Example(
            "See https://example.com/a/very/long/address/that/fits/nowhere here",
            "See\nhttps://example.com/a/very/long/address/that/fits/nowhere here\n"),
        Example("漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字", "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字\n漢字漢字\n"),
        Example("e\u{301}👨‍👩‍👧🇩🇪 x", "e\u{301}👨‍👩‍👧🇩🇪 x\n"),
        // Emphasis.
        Example("a **b c** d *e* _f_ ***g*** ~~h~~", "a ‹b:b c› d ‹i:e› ‹i:f› ‹bi:g› ‹s:h›\n"),
        Example("**a *b* c** **d *e***", "‹b:a ›‹bi:b›‹b: c› ‹b:d ›‹bi:e›\n"),
        Example("2 * 3 * 4, a*b, snake_case_name, __init__", "2 * 3 * 4, a*b, snake_case_name, ‹b:init›\n"),
        Example("**never closed\nnext**", "**never closed\nnext**\n"),
        Example(#"\*no\* \a"#, "*no* \\a\n"),
        Example("`a*b*` ``c`d`` `never", "‹c:a*b*› ‹c:c`d› `never\n"),
        // Marks whose other half is too far away.
        Example(
            "**" + String(repeating: "far ", count: 101) + "away**",
            "**\(fars(9))" + String(repeating: fars(10), count: 9) + "far far away**\n"),
        // Links.
        Example("[Swift](https://swift.org)", "‹u:Swift›‹d: (https://swift.org)›\n"),
        Example("[**S**](https://s.org \"t\") [x] [y](", "‹bu:S›‹d: (https://s.org)› [x] [y](\n"),
        Example("[https://s.org](https://s.org)", "‹u:https://s.org›\n"),
        // Lines.
        Example("# One\n## Two *x*\n#no\n####### no", "‹bu:One›\n‹b:Two ›‹bi:x›\n#no\n####### no\n"),
        Example("- a\n* b\n+ c\n1. d\n12) e", "• a\n• b\n• c\n1. d\n12) e\n"),
        Example(
            "- one two three four five six seven eight nine\n  - one two three four five six seven eight",
            "• one two three four five six seven\n  eight nine\n  • one two three four five six seven\n    eight\n"),
        Example("-\n- \n-a\n1.a\n1", "-\n• \n-a\n1.a\n1\n"),
        Example(
            "a\n\n---\n\n***\n_ _ _\nb",
            "a\n\n‹d:\(rule)›\n\n‹d:\(rule)›\n‹d:\(rule)›\nb\n"),
        Example("> a\n> b **c**\n>\n> > d", "‹d:│ ›‹i:a›\n‹d:│ ›‹i:b ›‹bi:c›\n‹d:│ ›\n‹d:│ │ ›‹i:d›\n"),
        Example("> - a\n> # b", "‹d:│ ›• a\n‹d:│ ›‹bu:b›\n"),
        // Code.
        Example("```swift\nlet a  = [1]\n\n  **b**\n```\nafter", "‹d:    swift›\n    let a  = [1]\n\n      **b**\nafter\n"),
        Example("- a\n  ```\n  b\n    c\n  ```", "• a\n    b\n      c\n"),
        Example("~~~\n```\n~~~", "    ```\n"),
        Example("```\nnever closed", "    never closed\n"),
        Example("```inline``` code", "‹c:inline› code\n"),
        Example("> ```\n> a\n> ```\n> b", "‹d:│ ›    a\n‹d:│ ›‹i:b›\n"),
        Example("```\n" + String(repeating: "long ", count: 12) + "\n```", "    " + String(repeating: "long ", count: 12) + "\n"),
        // Tables.
        Example(
            "| a | b |\n|---|---|\n| **c** | `d` |",
            "‹b:a›‹d: │ ›‹b:b›\n‹d:──┼──›\n‹b:c›‹d: │ ›‹c:d›\n"),
        Example(
            "x\n\n| a | bb | c |\n|:--|--:|:-:|\n| 漢字 | 1 | xxx |\n\ny",
            "x\n\n‹b:a›   ‹d: │ ›‹b:bb›‹d: │ › ‹b:c›\n‹d:─────┼────┼────›\n漢字‹d: │ › 1‹d: │ ›xxx\n\ny\n"),
        Example("| a |\n| b |", "| a |\n| b |\n"),
        Example(
            "| a | b |\n|---|---|\n| c |\n| d \\| e | `f|g` | h |",
            "‹b:a›    ‹d: │ ›‹b:b›\n‹d:──────┼────›\nc    ‹d: │ ›\nd | e‹d: │ ›‹c:f|g›\n"),
        Example(
            "| a | b |\n|---|---|\n| many words that do not fit into one line of it | few<br>words |",
            "‹b:a›\(String(repeating: " ", count: 31))‹d: │ ›‹b:b›\n‹d:\(String(repeating: "─", count: 33))┼──────›\n"
                + "many words that do not fit into ‹d: │ ›few\none line of it                  ‹d: │ ›words\n"),
    ]
}
