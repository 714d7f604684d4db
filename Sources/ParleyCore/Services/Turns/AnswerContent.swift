/// A piece of what a model says, as it arrives.
struct AnswerPiece {
    /// What it is a piece of.
    enum Kind { case text, reasoning }

    let kind: Kind
    let text: String
}

/// What one message of the assistant says while it grows: pieces of one kind join, and another kind begins another part.
///
/// Adding a piece takes a time that depends on the piece alone, however long the answer is.
struct AnswerContent {
    /// The parts that have ended.
    private var ended: [Message.Part] = []
    /// The kind of the part that grows.
    private var kind = AnswerPiece.Kind.text
    /// The part that grows, in place.
    private var growing = ""

    /// Adds a piece.
    mutating func append(_ piece: AnswerPiece) {
        if piece.kind != kind {
            if let part { ended.append(part) }
            growing = ""
            kind = piece.kind
        }
        growing += piece.text
    }

    /// The parts in the order in which they were said.
    var parts: [Message.Part] { ended + (part.map { [$0] } ?? []) }

    private var part: Message.Part? {
        guard !growing.isEmpty else { return nil }
        return kind == .text ? .text(growing) : .reasoning(growing)
    }
}
