/// Fits a conversation into what a model can read in one call.
///
/// Old outputs of tools go first, then the oldest turns, each whole: what is sent begins with a user message, every call has its result, and
/// the newest user message stays with all that follows it, whatever its size. Instructions are no part of this and stay as they are.
struct ContextWindow {
    /// What stands in the place of an output that was cleared.
    static let note = "[The tool's output was left out to save space.]"
    /// In how many of the newest turns outputs stay.
    private static let turnsWithOutputs = 2

    /// What fits.
    struct Fit: Equatable {
        /// The place of the first turn that is sent.
        let first: Int
        /// The place of the first turn in which the outputs of tools stay.
        let firstWithOutputs: Int
        /// Bytes of all that is sent.
        let bytes: Int
        /// How much is left out.
        let omissions: Omissions
    }

    /// How many tokens the messages may take together; nil for any number.
    let budget: Int?
    /// How they are counted.
    let estimate: TokenEstimate

    /// Finds what fits of all turns.
    func fit(_ outline: HistoryOutline) -> Fit { fit(outline, before: outline.count - 1, and: outline.last) }

    /// Finds what fits of some turns.
    ///
    /// - Parameters:
    ///   - outline: the turns.
    ///   - place: how many of them it is about.
    ///   - last: a turn that comes after those.
    func fit(_ outline: HistoryOutline, before place: Int, and last: HistoryOutline.Size) -> Fit {
        let budget = budget ?? .max
        let cleared = max(0, place + 1 - Self.turnsWithOutputs)
        func bytes(from first: Int, clearing end: Int) -> Int {
            let middle = max(first, end)
            return outline[first..<middle].cleared.bytes + outline[middle..<place].sent.bytes + last.sent.bytes
        }
        let firstWithOutputs = estimate.tokens(of: bytes(from: 0, clearing: 0)) > budget ? cleared : 0
        // The fewer turns, the fewer bytes.
        var (first, end) = (0, place)
        while first < end {
            let middle = (first + end) / 2
            if estimate.tokens(of: bytes(from: middle, clearing: firstWithOutputs)) <= budget { end = middle } else { first = middle + 1 }
        }
        return Fit(
            first: first, firstWithOutputs: firstWithOutputs, bytes: bytes(from: first, clearing: firstWithOutputs),
            omissions: Omissions(
                messagesLeftOut: outline[0..<first].sent.messages,
                toolOutputsCleared: outline[first..<max(first, firstWithOutputs)].cleared.outputs))
    }

    /// How many bytes it saves to clear an output; nothing where the output is no longer than the note.
    static func savedByClearing(_ result: ToolResult) -> Int { max(0, result.text.utf8.count - note.utf8.count) }

    /// A turn's messages with the outputs of tools cleared.
    static func withClearedOutputs(_ messages: [Message]) -> [Message] {
        messages.map { message in
            guard message.role == .tool else { return message }
            var message = message
            message.content = message.content.map { part in
                guard case .toolResult(var result) = part, savedByClearing(result) > 0 else { return part }
                result.text = note
                return .toolResult(result)
            }
            return message
        }
    }
}
