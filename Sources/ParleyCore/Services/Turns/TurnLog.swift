/// A piece of what a model says, as it arrives.
struct AnswerPiece {
    /// What it is a piece of.
    enum Kind { case text, reasoning }

    let kind: Kind
    let text: String
}

/// What one running turn has produced, from which the assistant's messages and all events after any number can be made.
///
/// Text is kept once: of a delta there is only where it ends, four bytes. Adding one takes a time that depends on the delta alone, however
/// long the turn is, and makes nothing that is counted or freed by itself.
struct TurnLog {
    /// Deltas of one message and one kind, with no other event between them.
    fileprivate struct Run {
        let firstSequence: Int
        let messageID: String
        let kind: AnswerPiece.Kind
        var text = ""
        /// Where each delta ends in the text, in UTF-8 bytes.
        var ends: [UInt32] = []

        mutating func append(_ more: String) {
            text += more
            ends.append(UInt32(text.utf8.count))
        }
    }

    /// What has ended: a run, or an event that is no delta, which is large and rare and so stands apart.
    private enum Entry {
        case run(Run)
        indirect case event(sequence: Int, TurnEvent.Body)

        var firstSequence: Int {
            switch self {
            case .run(let run): run.firstSequence
            case .event(let sequence, _): sequence
            }
        }
    }

    private var entries: [Entry] = []
    /// The run that grows, in place; it comes after the entries.
    private var growing: Run?
    /// The number of the last event; 0 before the first.
    private(set) var sequence: Int
    /// Whether the last event is the terminal one.
    private(set) var isComplete = false

    /// Goes on after a number: what came before is not known.
    init(after sequence: Int = 0) {
        self.sequence = sequence
    }

    /// Adds an event that is no delta.
    ///
    /// - Returns: its number.
    mutating func append(_ body: TurnEvent.Body) -> Int {
        endRun()
        sequence += 1
        entries.append(.event(sequence: sequence, body))
        if case .completed = body { isComplete = true }
        return sequence
    }

    /// Adds a delta.
    ///
    /// - Returns: its number.
    mutating func append(_ piece: AnswerPiece, to messageID: String) -> Int {
        if growing?.kind != piece.kind || growing?.messageID != messageID {
            endRun()
            growing = Run(firstSequence: sequence + 1, messageID: messageID, kind: piece.kind)
        }
        growing?.append(piece.text)
        sequence += 1
        return sequence
    }

    private mutating func endRun() {
        guard let run = growing else { return }
        entries.append(.run(run))
        growing = nil
    }

    /// What a message says so far, part by part, in the order in which it was said.
    func parts(of messageID: String) -> [Message.Part] {
        var parts: [Message.Part] = []
        func add(_ run: Run) {
            guard run.messageID == messageID else { return }
            switch (parts.last, run.kind) {
            case (.text(let before), .text): parts[parts.count - 1] = .text(before + run.text)
            case (.reasoning(let before), .reasoning): parts[parts.count - 1] = .reasoning(before + run.text)
            case (_, .text): parts.append(.text(run.text))
            case (_, .reasoning): parts.append(.reasoning(run.text))
            }
        }
        for case .run(let run) in entries { add(run) }
        if let growing { add(growing) }
        return parts
    }

    /// The event that follows a number.
    ///
    /// - Parameters:
    ///   - sequence: a number not below 0.
    ///   - maximumBytes: how much text adjacent deltas of one message and kind may have, in UTF-8 bytes, to be returned as one; a delta that
    ///     is larger is returned all the same.
    /// - Returns: what happened, and the numbers of the first and the last of what is joined; nil when there is nothing yet.
    func event(after sequence: Int, joining maximumBytes: Int) -> (body: TurnEvent.Body, first: Int, last: Int)? {
        let wanted = sequence + 1
        guard wanted <= self.sequence, growing != nil || !entries.isEmpty else { return nil }
        if let growing, growing.firstSequence <= wanted { return growing.delta(from: wanted, joining: maximumBytes) }
        switch entries[lastEntry(beginningAtOrBefore: wanted)] {
        case .run(let run): return run.delta(from: wanted, joining: maximumBytes)
        case .event(let sequence, let body): return (body, sequence, sequence)
        }
    }

    /// The entry that holds a number, found by halving.
    private func lastEntry(beginningAtOrBefore wanted: Int) -> Int {
        var low = 0
        var high = entries.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if entries[middle].firstSequence <= wanted { low = middle } else { high = middle }
        }
        return low
    }
}

extension TurnLog.Run {
    /// The delta of a number, with as many of the next as fit.
    fileprivate func delta(from wanted: Int, joining maximumBytes: Int) -> (body: TurnEvent.Body, first: Int, last: Int) {
        let first = wanted - firstSequence
        let start = first == 0 ? 0 : Int(ends[first - 1])
        var last = first
        while last + 1 < ends.count, Int(ends[last + 1]) - start <= maximumBytes { last += 1 }
        // Both places lie between deltas, and so between characters of Unicode.
        let utf8 = text.utf8
        let from = utf8.index(utf8.startIndex, offsetBy: start)
        let said = String(text[from..<utf8.index(from, offsetBy: Int(ends[last]) - start)])
        let body: TurnEvent.Body =
            kind == .text ? .messageDelta(messageID: messageID, delta: said) : .reasoningDelta(messageID: messageID, delta: said)
        return (body, wanted, firstSequence + last)
    }
}
