package import ParleyCore

/// A model that needs no network and no key: it says that it is a demonstration and shows what it knows of the conversation.
///
/// It is deterministic and streams word by word. It never repeats its instructions, because those of a published bot are hidden. When it is
/// plainly asked, in English, to create, list or choose a bot, it calls the tool for that (see `DemoRequest`).
package struct DemoProvider: ModelProvider {
    package let name = "demo"
    package let models = [ModelDescription(model: "demo", demonstration: true)]

    /// Makes the demonstration; there is nothing to set.
    package init() {}

    package func stream(_ request: ModelRequest) async throws(Failure) -> any ModelStream {
        try check(request)
        let call = DemoRequest.toolCall(in: request)
        return DemoStream(
            words: call == nil ? Self.answer(to: request).split(separator: " ", omittingEmptySubsequences: false) : [], toolCall: call,
            inputTokens: request.messages.reduce(Self.wordCount(request.instructions)) { $0 + Self.wordCount($1.text) },
            maxOutputTokens: request.maxOutputTokens)
    }

    private static func answer(to request: ModelRequest) -> String {
        if let results = request.messages.last?.toolResults, !results.isEmpty { return results.map(\.text).joined(separator: " ") }
        let introduction = "I am a demonstration, not a language model: set MINIMAX_API_KEY or OPENAI_API_KEY to connect one."
        let sent = request.messages.filter { $0.role == .user }.map(\.text)
        guard let first = sent.first, let last = sent.last else { return introduction }
        if sent.count == 1 { return "\(introduction) Your message was “\(shortened(last))”." }
        return "\(introduction) Of your \(sent.count) messages, the first was “\(shortened(first))” and the last “\(shortened(last))”."
    }

    /// A text on one line, of at most 60 characters.
    private static func shortened(_ text: String) -> String {
        let limit = 60
        // More words than that never fit, so that a long text is not split to its end.
        let line = text.split(maxSplits: limit, whereSeparator: \.isWhitespace).joined(separator: " ")
        let beginning = line.prefix(limit)
        return beginning.endIndex == line.endIndex ? line : beginning + "…"
    }

    /// How many runs of printing characters a text has: the demonstration's tokens.
    private static func wordCount(_ text: String) -> Int {
        var count = 0
        var isInWord = false
        for byte in text.utf8 {
            let isPrinting = byte > 0x20
            if isPrinting, !isInWord { count += 1 }
            isInWord = isPrinting
        }
        return count
    }
}

/// The words of a demonstration's answer, one a batch.
private struct DemoStream: ModelStream {
    let words: [Substring]
    let toolCall: ToolCall?
    let inputTokens: Int
    let maxOutputTokens: Int?
    private var spoken = 0
    private var hasFinished = false

    init(words: [Substring], toolCall: ToolCall?, inputTokens: Int, maxOutputTokens: Int?) {
        self.words = words
        self.toolCall = toolCall
        self.inputTokens = inputTokens
        self.maxOutputTokens = maxOutputTokens
    }

    mutating func next() async throws(Failure) -> [ModelEvent]? {
        guard !hasFinished else { return nil }
        guard !Task.isCancelled else { throw .cancelledCall() }
        let count = min(words.count, maxOutputTokens ?? .max)
        guard spoken < count else {
            hasFinished = true
            return (toolCall.map { [.toolCall($0)] } ?? []) + [
                .usage(Usage(inputTokens: inputTokens, outputTokens: spoken)), .finished(count < words.count ? .maxTokens : .endTurn),
            ]
        }
        defer { spoken += 1 }
        return [.textDelta(spoken == 0 ? String(words[0]) : " " + words[spoken])]
    }
}
