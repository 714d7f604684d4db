/// How a model that gave no answer is asked again: what official clients of model servers do, in one place for all providers.
///
/// Delays double from half a second to eight, less up to a quarter by chance, so that many who failed together do not come back together.
/// A server that says when to come back is believed.
package struct ModelRetry: Hashable, Sendable {
    /// How often a model is asked in all before it has said anything.
    package var maxAttempts = 3
    /// The longest time, in milliseconds, that a server may ask to wait; a turn whose model wants more fails at once, or turns to another model.
    package var maxDelayMilliseconds: Int64 = 60_000

    /// The defaults.
    package init() {}

    private static let firstDelay = 500.0
    private static let longestDelay = 8_000.0

    /// When a model is asked again, if it is.
    ///
    /// - Parameters:
    ///   - failure: what came of the attempt, in which nothing was said.
    ///   - attempt: which attempt that was, counted from 1.
    ///   - chance: from 0 up to 1.
    ///   - remaining: how long the turn may still take, in milliseconds.
    /// - Returns: after how many milliseconds; nil when it is not asked again.
    func delay(after failure: Failure, attempt: Int, chance: Double, remaining: Int64) -> Int64? {
        guard attempt < maxAttempts, failure.mayPass else { return nil }
        let delay: Int64
        if let wanted = failure.details.first(where: { $0.name == "retryAfterMs" })?.value.intValue.map(Int64.init) {
            guard (0...maxDelayMilliseconds).contains(wanted) else { return nil }
            delay = wanted
        } else {
            let doubled = (1..<min(attempt, 10)).reduce(Self.firstDelay) { delay, _ in delay * 2 }
            delay = Int64((min(doubled, Self.longestDelay) * (1 - chance / 4)).rounded())
        }
        return delay < remaining ? delay : nil
    }
}

extension Failure {
    /// Whether another model may answer where this one failed.
    var isOutage: Bool { [.modelUnavailable, .modelRateLimited, .modelTimeout].contains(code) }

    /// Whether the same call may succeed a little later. Time mends neither an account nor a conversation that is too long, whatever a server
    /// says.
    fileprivate var mayPass: Bool {
        switch code {
        case .modelUnavailable, .modelRateLimited, .modelTimeout: isRetryable ?? true
        case .modelRejected: isRetryable ?? false
        default: false
        }
    }
}

extension Ambient {
    /// A number from 0 up to 1.
    func chance() -> Double {
        Double(randomBytes(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }) / (Double(UInt32.max) + 1)
    }
}
