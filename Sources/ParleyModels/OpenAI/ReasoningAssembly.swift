import JSON

/// What a model has thought, put together from the fields in which servers send it.
///
/// Servers send the same thought in several fields at once, or in a field and within the text; and some repeat in each piece all that came
/// before. Whatever way it comes, it is shown once.
struct ReasoningAssembly: Sendable {
    /// Where a thought came from.
    enum Source: Int, CaseIterable, Sendable {
        /// `reasoning_content`: DeepSeek, MiniMax, llama.cpp.
        case reasoningContent
        /// `reasoning`: vLLM, OpenRouter, Ollama.
        case reasoning
        /// `reasoning_details`: MiniMax, OpenRouter.
        case details
        /// Parts of the type "thinking" in `content`: Mistral.
        case parts
        /// `<think>` in `content`.
        case tags

        /// The member of a message that holds it, where it is a text of its own.
        var field: String? {
            switch self {
            case .reasoningContent: "reasoning_content"
            case .reasoning: "reasoning"
            case .details, .parts, .tags: nil
            }
        }
    }

    /// The elements of `reasoning_details`, each put together.
    private(set) var details: [ReasoningDetail] = []
    private var texts = [RunningText](repeating: RunningText(), count: Source.allCases.count)
    /// How far each source has told what was shown, in bytes.
    private var told = [Int](repeating: 0, count: Source.allCases.count)
    /// What was shown.
    private var shown: [UInt8] = []

    /// Whether nothing has come.
    var isEmpty: Bool { shown.isEmpty && details.isEmpty }

    /// All that was shown.
    var text: String { String(decoding: shown, as: UTF8.self) }

    /// All that came from one source.
    func text(from source: Source) -> String { texts[source.rawValue].text }

    /// Takes a piece of a text.
    ///
    /// - Returns: what nobody has told yet.
    mutating func take(_ piece: String, from source: Source) -> String {
        guard !piece.isEmpty else { return "" }
        return show(texts[source.rawValue].append(piece), from: source)
    }

    /// Takes pieces of `reasoning_details`.
    ///
    /// - Returns: what nobody has told yet.
    mutating func take(details pieces: [JSONValue]) -> String {
        var more = ""
        for piece in pieces {
            if let known = details.firstIndex(where: { $0.goesOn(with: piece) }) {
                more += details[known].merge(piece)
            } else if var detail = ReasoningDetail(piece) {
                more += detail.merge(piece)
                details.append(detail)
            }
        }
        return more.isEmpty ? "" : show(texts[Source.details.rawValue].append(more), from: .details)
    }

    /// Compares with what was shown; white space does not count, because servers trim it differently.
    private mutating func show(_ piece: String, from source: Source) -> String {
        let bytes = Array(piece.utf8)
        var position = 0
        var place = told[source.rawValue]
        while position < bytes.count, place < shown.count {
            if shown[place] == bytes[position] {
                place += 1
                position += 1
            } else if shown[place] <= 0x20 {
                place += 1
            } else if bytes[position] <= 0x20 {
                position += 1
            } else {
                // Something else. A character is not torn apart.
                while position > 0, bytes[position] & 0xC0 == 0x80 { position -= 1 }
                place = shown.count
            }
        }
        let news = bytes[position...]
        shown += news
        told[source.rawValue] = news.isEmpty ? place : shown.count
        return String(decoding: news, as: UTF8.self)
    }
}

/// One element of `reasoning_details`, put together from pieces.
struct ReasoningDetail: Sendable {
    private var members: JSONValue
    private var texts: [String: RunningText] = [:]

    /// The members that come in pieces; all others come whole.
    private static let running = ["text", "summary"]

    /// Begins an element.
    ///
    /// - Parameter piece: its first piece, of which the texts are still to be merged; nil when that is no object.
    init?(_ piece: JSONValue) {
        guard piece.objectValue != nil else { return nil }
        members = piece
    }

    /// The whole element.
    var value: JSONValue {
        guard case .object(var object) = members else { return members }
        for (name, text) in texts { object[name] = .string(text.text) }
        return .object(object)
    }

    /// Whether a piece belongs to this element: what is said of its place and type is the same.
    func goesOn(with piece: JSONValue) -> Bool {
        piece["type"] == members["type"] && piece["index"] == members["index"]
            && (piece["id"].isNothing || members["id"].isNothing || piece["id"] == members["id"])
    }

    /// Takes a piece.
    ///
    /// - Returns: what is new of the text.
    mutating func merge(_ piece: JSONValue) -> String {
        guard case .object(var object) = members else { return "" }
        var more = ""
        for (name, value) in piece.objectValue ?? [:] {
            if Self.running.contains(name), let text = value.stringValue {
                more += texts[name, default: RunningText()].append(text)
            } else if value != .null || object[name] == nil {
                object[name] = value
            }
        }
        members = .object(object)
        return more
    }
}

/// A text that comes in pieces, each of which is new, or each of which repeats the whole and goes on.
struct RunningText: Sendable {
    private enum Manner { case unknown, new, whole }

    /// All of it.
    private(set) var text = ""
    private var manner = Manner.unknown

    /// Takes a piece.
    ///
    /// The second piece decides how they come: one that begins with the whole first one, and goes on, repeats. A first piece without a letter
    /// does not count, because a space or a star is often followed by two of them.
    ///
    /// - Returns: what is new.
    mutating func append(_ piece: String) -> String {
        guard !text.isEmpty else {
            text = piece
            return piece
        }
        let repeats = manner != .new && piece.utf8.count > text.utf8.count && piece.utf8.starts(with: text.utf8)
        if manner == .unknown, text.contains(where: \.isLetter) { manner = repeats ? .whole : .new }
        if manner == .whole {
            if repeats {
                let more = String(decoding: piece.utf8.dropFirst(text.utf8.count), as: UTF8.self)
                text = piece
                return more
            }
            if text.utf8.starts(with: piece.utf8) { return "" }
        }
        text += piece
        return piece
    }
}

extension JSONValue? {
    fileprivate var isNothing: Bool { self == nil || self == .null }
}
