/// How turns are run, all of it settings (`turns.…`, `assistant.…`).
package struct TurnSettings: Sendable {
    /// How long a turn may take in all, in milliseconds.
    package var deadlineMilliseconds: Int64 = 600_000
    /// How often what a turn has said so far is stored, in milliseconds; never once a token.
    package var checkpointMilliseconds: Int64 = 1_000
    /// How a model that gave no answer is asked again.
    package var retry = ModelRetry()
    /// The instructions of the default assistant, which answers in conversations without a bot.
    package var defaultInstructions = "You are a helpful assistant. Answer in the language of the question."

    /// The defaults.
    package init() {}
}
