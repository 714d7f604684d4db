import ParleyTestSupport
import Testing

@testable import ParleyModels

@Suite("Thoughts in tags")
struct ThinkSplitterTests {
    /// A text and what it means.
    struct Case: Sendable, CustomTestStringConvertible {
        let text: String
        let reasoning: String
        let answer: String
        /// What goes back before the answer.
        let thoughts: String

        init(_ text: String, thinks reasoning: String = "", says answer: String = "", thoughts: String = "") {
            self.text = text
            self.reasoning = reasoning
            self.answer = answer
            self.thoughts = thoughts
        }

        var testDescription: String { text.debugDescription }
    }

    static let cases = [
        Case(""),
        Case("Hello.", says: "Hello."),
        Case("\n Hello.", says: "\n Hello."),
        Case("  \n", says: "  \n"),
        Case("<think>Hm.</think>Yes.", thinks: "Hm.", says: "Yes.", thoughts: "<think>Hm.</think>"),
        Case("\n<think>\nHm.\n</think>\n\nYes.\n", thinks: "Hm.\n", says: "Yes.\n", thoughts: "\n<think>\nHm.\n</think>\n\n"),
        Case("<think>Hm.</mm:think>Yes.", thinks: "Hm.", says: "Yes.", thoughts: "<think>Hm.</mm:think>"),
        Case("<mm:think>Hm.</mm:think>Yes.", thinks: "Hm.", says: "Yes.", thoughts: "<mm:think>Hm.</mm:think>"),
        Case(
            "<think>a</think> <think>b</think> c", thinks: "ab", says: "c", thoughts: "<think>a</think> <think>b</think> "),
        Case("<think></think>\n\nYes.", says: "Yes.", thoughts: "<think></think>\n\n"),
        Case("</think>\n\nYes.", says: "Yes.", thoughts: "</think>\n\n"),
        Case("<think>Hm.</think></think>Yes.", thinks: "Hm.", says: "Yes.", thoughts: "<think>Hm.</think></think>"),
        Case(
            "<think>1 < 2 </ 3 </thin </b></think>4 < 5", thinks: "1 < 2 </ 3 </thin </b>", says: "4 < 5",
            thoughts: "<think>1 < 2 </ 3 </thin </b></think>"),
        Case(
            "<think>Write <think> first.</think>So.", thinks: "Write <think> first.", says: "So.",
            thoughts: "<think>Write <think> first.</think>"),
        Case("The tag </think> closes <think>.", says: "The tag </think> closes <think>."),
        Case("<b>Bold</b>", says: "<b>Bold</b>"),
        Case("<", says: "<"),
        Case("<thin", says: "<thin"),
        Case("<thinker>", says: "<thinker>"),
        Case("<think>cut", thinks: "cut", thoughts: "<think>cut"),
        Case("<think>cut</thi", thinks: "cut</thi", thoughts: "<think>cut</thi"),
        Case("<think>👩‍🚀 é</think>🧡", thinks: "👩‍🚀 é", says: "🧡", thoughts: "<think>👩‍🚀 é</think>"),
    ]

    @Test("Cut at every character, a text means the same", arguments: cases)
    func everyCut(item: Case) {
        let scalars = Array(item.text.unicodeScalars)
        for cut in 0...scalars.count { check(item, in: [scalars[..<cut], scalars[cut...]]) }
        check(item, in: scalars.indices.map { scalars[$0...$0] })
    }

    @Test("Cut at random, texts of tags, their halves and words mean the same", arguments: 0..<100)
    func randomTexts(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let words = ["<think>", "</think>", "<mm:think>", "</mm:think>", "<", "</", "<thi", "nk>", "word", " ", "\n", "é🧡", ">", "think"]
        for _ in 0..<20 {
            let text = (0..<Int.random(in: 0...12, using: &random)).map { _ in words.randomElement(using: &random) ?? "" }.joined()
            let whole = Self.read([text])
            let scalars = Array(text.unicodeScalars)
            for _ in 0..<5 {
                var parts: [String] = []
                var rest = scalars[...]
                while !rest.isEmpty {
                    let part = rest.prefix(.random(in: 1...4, using: &random))
                    parts.append(String(String.UnicodeScalarView(part)))
                    rest = rest.dropFirst(part.count)
                }
                let found = Self.read(parts)
                #expect(found.pieces == whole.pieces && found.thoughts == whole.thoughts, "\(parts)")
            }
            // Nothing is lost: what goes back is the text as it was.
            #expect(whole.thoughts + whole.pieces.answer == text, "\(text.debugDescription)")
        }
    }

    @Test("Nothing is held back but what may become a tag")
    func nothingWaits() {
        var splitter = ThinkSplitter()
        #expect(splitter.split("<") == ThinkSplitter.Pieces())
        #expect(splitter.split("b") == ThinkSplitter.Pieces(answer: "<b"))
        #expect(splitter.split("<") == ThinkSplitter.Pieces(answer: "<"))
        splitter = ThinkSplitter()
        #expect(splitter.split("<think>Hm <") == ThinkSplitter.Pieces(reasoning: "Hm "))
        #expect(splitter.split("3") == ThinkSplitter.Pieces(reasoning: "<3"))
        #expect(splitter.split("</think>A") == ThinkSplitter.Pieces(answer: "A"))
    }

    @Test("Where there are no tags, everything is the answer")
    func switchedOff() {
        var splitter = ThinkSplitter(isOn: false)
        #expect(splitter.split("<think>a</think>") == ThinkSplitter.Pieces(answer: "<think>a</think>"))
        #expect(splitter.finish() == ThinkSplitter.Pieces() && splitter.thoughts.isEmpty)
    }

    private func check(_ item: Case, in parts: [ArraySlice<Unicode.Scalar>]) {
        let texts = parts.map { String(String.UnicodeScalarView($0)) }
        let (pieces, thoughts) = Self.read(texts)
        #expect(pieces == ThinkSplitter.Pieces(reasoning: item.reasoning, answer: item.answer), "\(texts)")
        #expect(thoughts == item.thoughts, "\(texts)")
    }

    private static func read(_ parts: [String]) -> (pieces: ThinkSplitter.Pieces, thoughts: String) {
        var splitter = ThinkSplitter()
        var all = ThinkSplitter.Pieces()
        for pieces in parts.map({ splitter.split($0) }) + [splitter.finish()] {
            all.reasoning += pieces.reasoning
            all.answer += pieces.answer
        }
        return (all, splitter.thoughts)
    }
}
