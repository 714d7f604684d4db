import JSON
import ParleyCore

@testable import ParleyModels

/// The first byte says how the rest, a text, is cut.
enum TextTarget {
    /// What a model may call.
    static let tools: [ToolDefinition] = {
        let schema: JSONValue = [
            "type": "object", "properties": ["city": ["type": "string"], "days": ["type": "integer"]], "required": ["city"],
        ]
        // A schema that cannot be is a mistake in this very file, which the first run shows.
        guard let tool = try? ToolDefinition(name: "weather", summary: "", category: "", inputSchema: schema) else { return [] }
        return [tool]
    }()

    static func check(_ input: [UInt8]) throws(BrokenPromise) {
        guard let first = input.first else { return }
        let text = String(decoding: input.dropFirst(), as: UTF8.self)
        let pieces = Cuts(first).pieces(of: Array(text.unicodeScalars)).map { piece in
            var view = String.UnicodeScalarView()
            view.append(contentsOf: piece)
            return String(view)
        }
        let (whole, cut) = (split([text]), split(pieces))
        try expect(whole.pieces == cut.pieces, "thoughts are told from the answer however the text is cut")
        try expect(whole.thoughts.utf8.elementsEqual(cut.thoughts.utf8), "what goes back is the same however the text is cut")
        try expect(text.utf8.starts(with: whole.thoughts.utf8), "what goes back is the beginning of the text")
        try expect(text.utf8.count >= whole.thoughts.utf8.count + whole.pieces.answer.utf8.count, "nothing is said twice")
        try expect(caught([text]) == caught(pieces), "calls are told from the text however it is cut")
        let beginning = pieces.first ?? ""
        var repeated = RepeatedText(beginning)
        var said = beginning
        for piece in pieces { said += repeated.append(piece) }
        said += repeated.end()
        try expect(repeated.text.utf8.elementsEqual(said.utf8), "what was said is what is known")
        try expect(said.utf8.elementsEqual(text.utf8), "what is repeated at the beginning is said once")
    }

    private static func split(_ texts: [String]) -> (pieces: ThinkSplitter.Pieces, thoughts: String) {
        var splitter = ThinkSplitter()
        var all = ThinkSplitter.Pieces()
        for pieces in texts.map({ splitter.split($0) }) + [splitter.finish()] {
            all.reasoning += pieces.reasoning
            all.answer += pieces.answer
        }
        return (all, splitter.thoughts)
    }

    /// The text and the calls in it, the latter as texts.
    private static func caught(_ texts: [String]) -> [String] {
        var leaked = LeakedToolCalls(tools: tools)
        var said = ""
        for text in texts { said += leaked.take(text) }
        switch leaked.finish() {
        case .text(let rest): return [said + rest]
        case .calls(let pieces): return [said] + pieces.map { "\($0.name) \($0.arguments)" }
        case .broken: return [said, "broken"]
        }
    }
}
