/// Fits a conversation into what a model can read in one call.
///
/// Old outputs of tools go first, then the oldest turns, each whole: what is sent begins with a user message, every call has its result, and
/// the newest user message stays with all that follows it, whatever its size. Instructions are no part of this and stay as they are.
struct ContextWindow {
    /// What stands in the place of an output that was cleared.
    static let note = "[The tool's output was left out to save space.]"
    /// In how many of the newest turns outputs stay.
    private static let turnsWithOutputs = 2

    /// How many tokens the messages may take together; nil for any number.
    let budget: Int?
    /// How they are counted.
    let estimate: TokenEstimate

    /// Leaves out what does not fit.
    ///
    /// - Parameter messages: oldest first, with every call followed by its result (`ModelHistory.repaired`).
    /// - Returns: the rest in the same order, and how much was left out.
    func fitted(_ messages: [Message]) -> (messages: [Message], omissions: Omissions) {
        var turns = Self.turns(of: messages)
        // What begins in the middle of a turn has no question that it answers.
        if turns.count > 1, turns[0].messages.first?.role != .user { turns.removeFirst() }
        let budget = budget ?? .max
        if estimate.tokens(of: turns.bytes) > budget {
            for index in turns.indices.dropLast(Self.turnsWithOutputs) { turns[index].clearToolOutputs() }
        }
        var bytes = turns.bytes
        let first = turns.dropLast().firstIndex { turn in
            if estimate.tokens(of: bytes) <= budget { return true }
            bytes -= turn.bytes
            return false
        }
        let kept = turns[(first ?? max(0, turns.count - 1))...]
        let rest = kept.flatMap(\.messages)
        return (
            rest,
            Omissions(messagesLeftOut: messages.count - rest.count, toolOutputsCleared: kept.reduce(0) { $0 + $1.clearedOutputs })
        )
    }

    /// One user message with what follows it.
    fileprivate struct Turn {
        var messages: [Message]
        var bytes: Int
        var clearedOutputs = 0

        mutating func clearToolOutputs() {
            for index in messages.indices where messages[index].role == .tool {
                messages[index].content = messages[index].content.map { part in
                    // A short output is no longer than the note.
                    guard case .toolResult(var result) = part, result.text.utf8.count > ContextWindow.note.utf8.count else { return part }
                    bytes -= result.text.utf8.count - ContextWindow.note.utf8.count
                    clearedOutputs += 1
                    result.text = ContextWindow.note
                    result.data = nil
                    return .toolResult(result)
                }
            }
        }
    }

    private static func turns(of messages: [Message]) -> [Turn] {
        messages.reduce(into: []) { turns, message in
            if message.role == .user || turns.isEmpty { turns.append(Turn(messages: [], bytes: 0)) }
            turns[turns.count - 1].messages.append(message)
            turns[turns.count - 1].bytes += message.modelBytes
        }
    }
}

extension [ContextWindow.Turn] {
    fileprivate var bytes: Int { reduce(0) { $0 + $1.bytes } }
}
