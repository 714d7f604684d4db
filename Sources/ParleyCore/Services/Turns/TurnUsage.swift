/// What a turn costs: the model's calls together, and the one that writes the message at hand.
struct TurnUsage {
    /// Of all calls; nil when none has cost anything that is known.
    var total: Usage? { before.map { before in ofMessage.map { before + $0 } ?? before } ?? ofMessage }
    /// Of the call that writes the message at hand.
    private(set) var ofMessage: Usage?
    /// Of the calls before.
    private var before: Usage?

    /// Takes what a call costs so far; the last counts.
    ///
    /// - Parameter prices: those of the model that is called; nil when unknown.
    mutating func take(_ usage: Usage, prices: Prices?) {
        var usage = usage
        usage.cost = prices?.cost(of: usage)
        ofMessage = usage
    }

    /// Begins another call.
    mutating func beginCall() {
        before = total
        ofMessage = nil
    }
}
