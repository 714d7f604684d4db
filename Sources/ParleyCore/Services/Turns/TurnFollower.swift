/// Whoever follows a turn that another request began, at its own speed: it takes what the turn has produced, instead of being given it, so that
/// a slow one costs no memory and holds nobody up.
///
/// Of a turn that another process runs it is told as any observer: what is stored, and the end.
package protocol TurnFollower: TurnObserver {
    /// Takes a turn of this process: all that the cursor gives, now and whenever `moved` is called, and the end among it. Must not block.
    ///
    /// - Parameter whenFull: to be called once when it takes no more.
    func follow(_ cursor: TurnCursor, whenFull: @escaping @Sendable () -> Void)

    /// Whether it takes no more, although the end has not been passed on; what it was given last, it has not taken.
    var isFull: Bool { get }

    /// Says that the turn has produced more; called by one task at a time, but also before `follow`. Must not block.
    func moved()

    /// Returns when the end has been passed on, or it takes no more.
    ///
    /// - Returns: false when the task is cancelled before.
    func hasEnded() async -> Bool
}

/// A place in what a turn of this process has produced, from which to read on.
package struct TurnCursor: Sendable {
    private let turn: RunningTurn
    private var sequence: Int

    init(_ turn: RunningTurn, after sequence: Int) {
        self.turn = turn
        self.sequence = sequence
    }

    /// Whether there is more at the moment.
    package var hasMore: Bool { turn.lastSequence > sequence }

    /// Reads on.
    ///
    /// - Parameter maximumBytes: how much text adjacent deltas may have, in UTF-8 bytes, to come as one; 0 for each by itself.
    /// - Returns: nil when there is nothing more at the moment.
    package mutating func next(joining maximumBytes: Int) -> TurnEvent? {
        guard let event = turn.event(after: sequence, joining: maximumBytes) else { return nil }
        sequence = event.sequence
        return event
    }
}

/// Tells the one who began a turn of its events, and then those who follow it, in the order in which they came.
struct TurnAudience: TurnObserver {
    let sender: any TurnObserver
    let turn: RunningTurn

    func observe(_ events: [TurnEvent]) {
        sender.observe(events)
        turn.tellFollowers()
    }

    // Only the one who began the turn slows the model down: who follows it reads what is kept anyway.

    var isReady: Bool { sender.isReady }

    nonisolated(nonsending) func ready() async {
        await sender.ready()
    }
}
