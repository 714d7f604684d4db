/// A text that comes in pieces, after a beginning that the pieces may say once more.
///
/// Anthropic begins its blocks empty. Some servers that imitate it begin a block with its first words and then repeat them as the first
/// additions, others go on behind them. A piece is held back as long as it may be such a repetition.
struct RepeatedText: Sendable {
    /// What has come, repetitions left out.
    private(set) var text: String
    /// What a repetition would still say.
    private var expected: Substring
    /// What was held back.
    private var held = ""

    /// Begins a text.
    init(_ beginning: String) {
        text = beginning
        expected = beginning[...]
    }

    /// Takes the next piece.
    ///
    /// - Returns: what is new.
    mutating func append(_ piece: String) -> String {
        guard !expected.isEmpty else {
            text += piece
            return piece
        }
        if expected.utf8.starts(with: piece.utf8) {
            expected = Substring(expected.utf8.dropFirst(piece.utf8.count))
            held = expected.isEmpty ? "" : held + piece
            return ""
        }
        // It repeats the whole beginning and goes on; or it was no repetition at all.
        let more = piece.utf8.starts(with: expected.utf8) ? String(Substring(piece.utf8.dropFirst(expected.utf8.count))) : held + piece
        expected = ""
        held = ""
        text += more
        return more
    }

    /// Takes the end: what was held back was no repetition.
    ///
    /// - Returns: what is new.
    mutating func end() -> String {
        defer { held = "" }
        expected = ""
        text += held
        return held
    }
}
