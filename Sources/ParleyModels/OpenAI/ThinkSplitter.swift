/// Separates what a model thinks from what it answers, where both come as one text: `<think>…</think>` and then the answer.
///
/// Tags count only before the answer's first word: what stands later is the answer's own, lest an answer about the tags be torn apart.
/// There, a `</think>` that closes nothing is dropped, because its opening stood in the prompt or the thought was empty, and so is the
/// white space round tags. The text may be cut anywhere; nothing is held back but what may still become a tag, and white space before the
/// first word.
struct ThinkSplitter: Sendable {
    /// What a piece of the text turned out to be; the reasoning comes before the answer.
    struct Pieces: Equatable {
        var reasoning = ""
        var answer = ""
    }

    private enum State {
        /// Nothing but white space and tags has come.
        case before
        case thinking
        case answering
    }

    /// All that came before the answer, tags included, as models want to read it again; empty when there was no tag.
    var thoughts: String { String(decoding: read, as: UTF8.self) }
    private var read: [UInt8] = []
    private var hasTags = false
    private var state: State
    /// What may become a tag.
    private var held: [UInt8] = []
    /// Whether the thought has not had its first word.
    private var isThoughtEmpty = true

    private static let openings = ["<think>", "<mm:think>"].map { Array($0.utf8) }
    private static let closings = ["</think>", "</mm:think>"].map { Array($0.utf8) }
    private static let marks = [UInt8(ascii: "<")]

    /// Begins with an answer.
    ///
    /// - Parameter isOn: whether there are tags at all; otherwise everything is the answer.
    init(isOn: Bool = true) {
        state = isOn ? .before : .answering
    }

    /// Takes the next piece of the text.
    mutating func split(_ piece: String) -> Pieces {
        guard state != .answering else { return Pieces(answer: piece) }
        let text = held + piece.utf8
        held = []
        var rest = text[...]
        var pieces = Pieces()
        while !rest.isEmpty {
            let next: ArraySlice<UInt8>
            switch state {
            case .before: next = readBefore(rest)
            case .thinking: next = readThought(rest, into: &pieces)
            case .answering:
                pieces.answer = String(decoding: rest, as: UTF8.self)
                return pieces
            }
            read += rest.prefix(rest.count - next.count - held.count)
            rest = next
        }
        return pieces
    }

    /// Takes the end of the text.
    ///
    /// - Returns: what was held back.
    mutating func finish() -> Pieces {
        defer {
            held = []
            state = .answering
        }
        switch state {
        case .thinking:
            read += held
            return Pieces(reasoning: String(decoding: held, as: UTF8.self))
        case .before:
            let answer = hasTags ? held.drop(while: \.isBlank) : held[...]
            read += held.prefix(held.count - answer.count)
            return Pieces(answer: String(decoding: answer, as: UTF8.self))
        case .answering: return Pieces()
        }
    }

    private mutating func readBefore(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let body = text.drop(while: \.isBlank)
        if let tag = Self.openings.first(where: { body.starts(with: $0) }) {
            hasTags = true
            isThoughtEmpty = true
            state = .thinking
            return body.dropFirst(tag.count)
        }
        if let tag = Self.closings.first(where: { body.starts(with: $0) }) {
            hasTags = true
            return body.dropFirst(tag.count)
        }
        if (Self.openings + Self.closings).contains(where: { $0.starts(with: body) }) {
            held = Array(text)
            return []
        }
        state = .answering
        return hasTags ? body : text
    }

    private mutating func readThought(_ text: ArraySlice<UInt8>, into pieces: inout Pieces) -> ArraySlice<UInt8> {
        let find = TagSearch.first(of: Self.closings, beginning: Self.marks, in: text)
        var thought = text[..<(find?.start ?? text.endIndex)]
        if isThoughtEmpty { thought = thought.drop(while: \.isBlank) }
        if !thought.isEmpty { isThoughtEmpty = false }
        pieces.reasoning += String(decoding: thought, as: UTF8.self)
        guard let find else { return [] }
        guard let tag = find.tag else {
            held = Array(text[find.start...])
            return []
        }
        state = .before
        return text[find.start...].dropFirst(Self.closings[tag].count)
    }
}

extension UInt8 {
    /// Whether this is a space, a tab or an end of a line.
    fileprivate var isBlank: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
}
