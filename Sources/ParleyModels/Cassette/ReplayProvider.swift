import ParleyCore

/// A provider that was recorded, played back from a cassette: under the name that it had, so that bots, fallbacks and what clients are told are
/// what they were.
///
/// Made by `CassettePlayer.providers`.
struct ReplayProvider: ModelProvider {
    let name: String
    let models: [ModelDescription]
    let player: CassettePlayer
    /// In whose time silence lasts.
    let ambient: any Ambient
    /// Whether as much time passes between what comes as did then; otherwise everything comes at once.
    let keepsTime: Bool

    func stream(_ request: ModelRequest) async throws(Failure) -> any ModelStream {
        guard !Task.isCancelled else { throw .cancelledCall() }
        return ReplayStream(exchange: try player.take(request, of: "\(name):\(request.model)"), ambient: ambient, keepsTime: keepsTime)
    }
}

/// One exchange as it is played.
private struct ReplayStream: ModelStream {
    let exchange: Cassette.Exchange
    let ambient: any Ambient
    let keepsTime: Bool
    let startedAt: Int64
    private var position = 0

    init(exchange: Cassette.Exchange, ambient: any Ambient, keepsTime: Bool) {
        self.exchange = exchange
        self.ambient = ambient
        self.keepsTime = keepsTime
        startedAt = ambient.monotonicMilliseconds()
    }

    mutating func next() async throws(Failure) -> [ModelEvent]? {
        guard !Task.isCancelled else { throw .cancelledCall() }
        guard position < exchange.answer.count else { return try await end() }
        let batch = exchange.answer[position]
        try await wait(until: batch.atMilliseconds)
        position += 1
        return batch.events
    }

    private func end() async throws(Failure) -> [ModelEvent]? {
        switch exchange.ending {
        case .finished: return nil
        case .failed(let failure, let time):
            try await wait(until: time)
            throw failure
        case .cut:
            // The model would have said more, but nobody knows what. A year is for ever: whoever asked then did not wait for it, and every
            // turn has a deadline.
            try await pause(365 * 86_400_000)
            throw .cancelledCall()
        }
    }

    /// Waits until so many milliseconds after the question.
    private func wait(until milliseconds: Int64) async throws(Failure) {
        let rest = milliseconds - (ambient.monotonicMilliseconds() - startedAt)
        if keepsTime, rest > 0 { try await pause(rest) }
    }

    private func pause(_ milliseconds: Int64) async throws(Failure) {
        do {
            try await ambient.sleep(milliseconds: milliseconds)
        } catch {
            throw .cancelledCall()
        }
    }
}
