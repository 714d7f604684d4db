/// The path that a turn goes on, from message to message, as far as models are told of it: what lies before the turn, and what the turn adds.
///
/// It can be taken up by the next turn, because what is stored of a path never changes: messages have ids that no other ever has, and a turn that
/// has ended says no more.
final class ConversationPath: Sendable {
    private struct State {
        /// The messages of the turns before the last; nil when they are only stored.
        var before: [[Message]]?
        /// The messages of the last turn.
        var last: [Message]
        /// How many messages come before all these.
        var earlierCount: Int
        /// What they take; nil until it is known which model reads them.
        var outline: HistoryOutline?
    }

    private let state: Locked<State>

    /// The path that ends with a message. What comes before it must be read, unless it is a conversation's first.
    init(endingWith question: Message) {
        state = Locked(State(before: question.parentID == nil ? [] : nil, last: [question.asModelsReadIt], earlierCount: 0))
    }

    /// The message with which it ends.
    var lastMessageID: String { state.withLock { $0.last.last?.id ?? "" } }

    /// Goes on with a message.
    ///
    /// - Parameters:
    ///   - message: as it is stored, and no part of a command; it follows the last one.
    ///   - maximumBytes: bound on all messages, as that of `Store.history`: turns that do not fit any more are left behind.
    func append(_ message: Message, maximumBytes: Int) {
        let message = message.asModelsReadIt
        state.withLock { state in
            if message.role == .user {
                state.before?.append(state.last)
                state.last = [message]
                state.outline?.begin(state.last)
            } else {
                state.last.append(message)
                state.outline?.replaceLast(state.last)
            }
            guard let (turns, size) = state.outline?.trim(toBytes: maximumBytes), turns > 0 else { return }
            state.before?.removeFirst(turns)
            state.earlierCount += size.stored.messages
        }
    }

    /// Makes ready for a model what is known.
    ///
    /// - Parameters:
    ///   - model: `PROVIDER:MODEL`.
    ///   - readsHistory: whether it reads more than the last turn; what it does not read is not kept.
    /// - Returns: what the turns take, and how many messages come before them; nil when it takes a look into the store to know.
    func outline(for model: String, readsHistory: Bool) -> (turns: HistoryOutline, earlierCount: Int)? {
        state.withLock { state in
            if state.outline?.model != model {
                state.outline = state.before.map { HistoryOutline(of: $0 + [state.last], for: model) }
            }
            guard let outline = state.outline, state.before != nil || !readsHistory else { return nil }
            if !readsHistory { state.before = nil }
            return (outline, state.earlierCount)
        }
    }

    /// Takes over what is stored of it.
    func take(_ history: History) {
        let turns = history.messages.reduce(into: [[Message]]()) { turns, message in
            if message.role == .user || turns.isEmpty { turns.append([]) }
            turns[turns.count - 1].append(message.asModelsReadIt)
        }
        state.withLock { state in
            state = State(before: turns.dropLast(), last: turns.last ?? state.last, earlierCount: history.earlierCount)
        }
    }

    /// The messages that a model is sent; where those before the last turn are only stored, the last turn's.
    ///
    /// - Parameters:
    ///   - fit: what fits.
    ///   - model: `PROVIDER:MODEL`.
    func messages(_ fit: ContextWindow.Fit, for model: String) -> [Message] {
        let (before, last) = state.withLock { ($0.before, $0.last) }
        var messages: [Message] = []
        for (place, turn) in (before ?? []).enumerated().dropFirst(fit.first) {
            let sent = ModelHistory.prepared(turn, for: model)
            messages += place < fit.firstWithOutputs ? ContextWindow.withClearedOutputs(sent) : sent
        }
        return messages + ModelHistory.prepared(last, for: model)
    }

    // MARK: Keeping it

    /// Whether it is known what it takes, because a model was to be asked. Only then is it bounded.
    var isOutlined: Bool { state.withLock { $0.outline != nil } }

    /// How much memory it takes, roughly, in bytes, once a model has been asked.
    var memory: Int {
        state.withLock { state in
            func memory(_ messages: Int, _ bytes: Int) -> Int { messages * Self.bytesAroundMessage + bytes }
            let last = memory(state.last.count, state.last.reduce(0) { $0 + $1.modelBytes })
            guard let outline = state.outline else { return last }
            let before = outline[0..<outline.count - 1].stored
            return last + outline.count * MemoryLayout<HistoryOutline.Size>.stride
                + (state.before == nil ? 0 : memory(before.messages, before.bytes))
        }
    }

    /// Forgets the messages that can be read again.
    func forgetMessages() {
        state.withLock { $0.before = nil }
    }

    /// What a message takes beside its text, in bytes: its fields, its ids, and what surrounds them in memory.
    private static let bytesAroundMessage = 640
}

extension Message {
    /// Without what no model reads: thoughts, and what a tool has for clients alone. Either may be many times as large as the rest.
    fileprivate var asModelsReadIt: Message {
        var message = self
        message.content = content.compactMap { part in
            switch part {
            case .reasoning: return nil
            case .toolResult(var result):
                result.data = nil
                return .toolResult(result)
            case .text, .toolCall: return part
            }
        }
        return message
    }
}
