/// How much of a model's window the turns of a path take: what decides which of them it is sent, without the messages themselves.
///
/// A turn is a user's message with what follows it. Sums run from the first turn on, so that what any row of turns takes is one subtraction, and
/// a conversation of thousands of turns costs no more to fit than one of a few.
struct HistoryOutline {
    /// What some messages take.
    struct Size: Equatable {
        /// How many messages are stored, and their bytes as the bound on the history counts them.
        var stored = (messages: 0, bytes: 0)
        /// How many messages the model is sent, and their bytes.
        var sent = (messages: 0, bytes: 0)
        /// The bytes that are sent when the outputs of tools are cleared, and how many outputs that are.
        var cleared = (outputs: 0, bytes: 0)

        static func == (left: Size, right: Size) -> Bool {
            left.stored == right.stored && left.sent == right.sent && left.cleared == right.cleared
        }

        static func + (left: Size, right: Size) -> Size {
            left.combined(with: right, by: +)
        }

        static func - (left: Size, right: Size) -> Size {
            left.combined(with: right, by: -)
        }

        private func combined(with other: Size, by combine: (Int, Int) -> Int) -> Size {
            Size(
                stored: (combine(stored.messages, other.stored.messages), combine(stored.bytes, other.stored.bytes)),
                sent: (combine(sent.messages, other.sent.messages), combine(sent.bytes, other.sent.bytes)),
                cleared: (combine(cleared.outputs, other.cleared.outputs), combine(cleared.bytes, other.cleared.bytes)))
        }
    }

    /// An answer for which the model has told how many tokens it read.
    struct Counted {
        /// The place of its turn.
        fileprivate(set) var turn: Int
        /// What was said in the turn before it.
        let before: Size
        /// What the model counted.
        let tokens: Int
    }

    /// `PROVIDER:MODEL` of the model that reads it.
    let model: String
    /// What the turns before a place take, for the places of all turns; and how much was forgotten before the first.
    private var sums = [Size()]
    /// What the last turn takes.
    private(set) var last: Size
    /// The newest such answer.
    private(set) var counted: Counted?

    /// Outlines turns.
    ///
    /// - Parameters:
    ///   - turns: oldest first; at least one.
    ///   - model: `PROVIDER:MODEL`.
    init(of turns: [[Message]], for model: String) {
        self.model = model
        last = Size()
        for (place, turn) in turns.enumerated() {
            if place > 0 { sums.append(sums[place - 1] + last) }
            last = Size()
            replaceLast(turn)
        }
    }

    /// How many turns there are.
    var count: Int { sums.count }

    /// What the turns take from a place to before another one.
    subscript(range: Range<Int>) -> Size { sums[range.upperBound] - sums[range.lowerBound] }

    /// What all take as they are stored.
    var storedBytes: Int { (sums[count - 1] - sums[0] + last).stored.bytes }

    /// Goes on with another turn.
    mutating func begin(_ turn: [Message]) {
        sums.append(sums[count - 1] + last)
        replaceLast(turn)
    }

    /// Takes note that the last turn goes further.
    mutating func replaceLast(_ turn: [Message]) {
        let sent = ModelHistory.prepared(turn, for: model)
        last = Size(of: sent)
        last.stored = (turn.count, turn.reduce(0) { $0 + $1.modelBytes })
        let newest = sent.lastIndex { message in
            message.role == .assistant && message.model == model && message.usage.map { !$0.isEstimated } ?? false
        }
        guard let newest, let usage = sent[newest].usage else { return }
        counted = Counted(turn: count - 1, before: Size(of: sent[..<newest]), tokens: usage.inputTokens)
    }

    /// Forgets the oldest turns, as far as there are too many bytes; the last one stays.
    ///
    /// - Parameter maximumBytes: bound on what all take as they are stored.
    /// - Returns: how many turns, and what they took.
    mutating func trim(toBytes maximumBytes: Int) -> (turns: Int, size: Size) {
        let excess = storedBytes - maximumBytes
        guard excess > 0 else { return (0, Size()) }
        // Most often it is one turn that goes for one that has come.
        let first = sums.firstIndex { ($0 - sums[0]).stored.bytes >= excess } ?? count - 1
        let size = self[0..<first]
        sums.removeFirst(first)
        if let place = counted?.turn { if place < first { counted = nil } else { counted?.turn = place - first } }
        return (first, size)
    }
}

extension HistoryOutline.Size {
    /// What messages take that a model is sent.
    fileprivate init(of messages: some Sequence<Message>) {
        for message in messages {
            let bytes = message.modelBytes
            let outputs = message.role == .tool ? message.toolResults.map(ContextWindow.savedByClearing).filter { $0 > 0 } : []
            sent.messages += 1
            sent.bytes += bytes
            cleared.outputs += outputs.count
            cleared.bytes += bytes - outputs.reduce(0, +)
        }
    }
}
