import JSON
import ParleyTestSupport
import Testing

@testable import ParleyModels

/// What is read by its likeness to a piece before is what would be read without one.
struct PieceReaderTests {
    /// What a piece says, without where its text lies.
    private static func meaning(_ piece: some ServerPiece) -> String {
        String(reflecting: piece).replacing(#/Literal: (nil|Optional\(Range\(\d+\.\.<\d+\)\))/#, with: "")
    }

    private static func read<Piece: ServerPiece>(
        _ data: String, with pieces: inout PieceReader<Piece>, as type: Piece.Type = Piece.self,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let bytes = Array(data.utf8)
        let plain = Result { () throws(JSONError) in try Piece(bytes) }
        let alike = Result { () throws(JSONError) in try pieces.read(bytes) }
        switch (plain, alike) {
        case (.success(let plain), .success(let alike)):
            #expect(meaning(alike) == meaning(plain), "\(data)", sourceLocation: sourceLocation)
        case (.failure(let plain), .failure(let alike)):
            #expect(alike == plain, "\(data)", sourceLocation: sourceLocation)
        default:
            Issue.record("\(data): \(plain) and \(alike)", sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>) func piecesOfChats(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        var pieces = PieceReader<ChatChunk>()
        for _ in 0..<400 { Self.read(Self.chunk(&chance), with: &pieces) }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>) func piecesOfMessages(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        var pieces = PieceReader<MessagesEvent>()
        for _ in 0..<400 { Self.read(Self.event(&chance), with: &pieces) }
    }

    @Test func whatIsAlikeIsNotParsed() throws {
        var pieces = PieceReader<ChatChunk>()
        // Only what was parsed lies somewhere.
        let first = try pieces.read(Array(#"{"choices":[{"delta":{"content":"a"}}]}"#.utf8))
        #expect(first.text == "a" && first.textLiteral == 32..<35)
        let second = try pieces.read(Array(#"{"choices":[{"delta":{"content":"bc"}}]}"#.utf8))
        #expect(second.text == "bc" && second.textLiteral == nil)
        let third = try pieces.read(Array(#"{"choices":[{"delta":{"content": "bc"}}]}"#.utf8))
        #expect(third.text == "bc" && third.textLiteral == 33..<37)
    }

    /// What lies between two equal ends need not be one string.
    @Test func whatLooksAlikeIsNot() {
        var pieces = PieceReader<ChatChunk>()
        for content in [
            #""a""#, #""b""#, #""a","content":"b""#, #""a"},"finish_reason":"stop","delta":{"content":"b""#, #""a"#, #"a""#, "null",
            #" "c" "#,
            #""\u00e9\n\"""#, #""\""#, #""a" "b""#, "[]", #""""#, "\"\u{1}\"", #""d""#,
        ] {
            Self.read(#"{"id":"1","choices":[{"index":0,"delta":{"content":"# + content + "}}]}", with: &pieces)
        }
        // The ends of a short one overlap in a long one.
        for data in [
            #"{"choices":[{"delta":{"content":"aa"}}]}"#, #"{"choices":[{"delta":{"content":"}}]}"#, #"{"choices":[{"delta":{"content":"#,
        ] {
            Self.read(data, with: &pieces)
        }
    }

    // MARK: Pieces

    private static func text(_ chance: inout SeededGenerator) -> String {
        let texts = ["", " the", "é", #"\n"#, #"\"}}]}"#, #"\u2028"#, "}", #"{\"a\":1}"#, "🎈", "long long long long long long text"]
        return texts.randomElement(using: &chance) ?? ""
    }

    private static func chunk(_ chance: inout SeededGenerator) -> String {
        let content = Bool.random(using: &chance) ? #""content":"\#(text(&chance))""# : #""content":"\#(text(&chance))","role":"assistant""#
        let delta =
            switch Int.random(in: 0..<12, using: &chance) {
            case 0: #""reasoning_content":"\#(text(&chance))""#
            case 1: content + "," + content
            case 2: content + #","tool_calls":[{"index":0,"function":{"name":"f","arguments":"\#(text(&chance))"}}]"#
            case 3: #""content":[{"type":"text","text":"\#(text(&chance))"}]"#
            case 4: #""content":null"#
            default: content
            }
        let end = ["null", #""stop""#, #""length""#].randomElement(using: &chance) ?? ""
        let usage = Int.random(in: 0..<8, using: &chance) == 0 ? #","usage":{"prompt_tokens":3,"completion_tokens":1}"# : ""
        let other = Int.random(in: 0..<8, using: &chance) == 0 ? #""delta":{\#(content)},"# : ""
        let message = Int.random(in: 0..<8, using: &chance) == 0 ? #","message":{\#(content)}"# : ""
        let second = Int.random(in: 0..<8, using: &chance) == 0 ? #",{"delta":{\#(content)}}"# : ""
        let text = #"{"id":"1","choices":[{\#(other)"delta":{\#(delta)}\#(message),"finish_reason":\#(end)}\#(second)]\#(usage)}"#
        return Int.random(in: 0..<12, using: &chance) == 0 ? String(text.prefix(Int.random(in: 0..<text.count, using: &chance))) : text
    }

    private static func event(_ chance: inout SeededGenerator) -> String {
        let delta =
            switch Int.random(in: 0..<8, using: &chance) {
            case 0: #"{"type":"thinking_delta","thinking":"\#(text(&chance))"}"#
            case 1: #"{"type":"text_delta","text":"\#(text(&chance))","text":"\#(text(&chance))"}"#
            case 2: #"{"type":"text_delta","text":7}"#
            case 3: #"{"text":"\#(text(&chance))","type":"text_delta"},"delta":{"type":"text_delta"}"#
            default: #"{"type":"text_delta","text":"\#(text(&chance))"}"#
            }
        let text = #"{"type":"content_block_delta","index":\#(Int.random(in: 0..<2, using: &chance)),"delta":\#(delta)}"#
        return Int.random(in: 0..<12, using: &chance) == 0 ? String(text.prefix(Int.random(in: 0..<text.count, using: &chance))) : text
    }
}
