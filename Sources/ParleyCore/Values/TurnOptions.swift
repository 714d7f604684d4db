/// What the sender of a message chooses for its answer alone.
package struct TurnOptions: Hashable, Sendable {
    /// `PROVIDER:MODEL`; nil for the bot's or the host's.
    package var model: String?
    /// The longest answer, in tokens; nil for the model's own bound.
    package var maxOutputTokens: Int?

    /// Makes one of its fields; see them for what the parameters mean.
    package init(model: String? = nil, maxOutputTokens: Int? = nil) {
        self.model = model
        self.maxOutputTokens = maxOutputTokens
    }
}
