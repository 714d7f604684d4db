/// What somebody wants of a client at the terminal.
package struct ChatOptions: Sendable {
    /// The executable of the host.
    package var hostPath: String
    /// The host's arguments, without the program's name.
    package var hostArguments: [String]
    /// The name or id of the bot that answers; nil for the default assistant, or whoever answers in the conversation that goes on.
    package var bot: String?
    /// Whether the conversation that changed last goes on.
    package var isContinued: Bool
    /// Whether styles may be used.
    package var wantsColor: Bool
    /// The variables of this process.
    package var environment: [String: String]

    /// Makes options.
    package init(
        hostPath: String, hostArguments: [String], bot: String? = nil, isContinued: Bool = false, wantsColor: Bool = true,
        environment: [String: String]
    ) {
        self.hostPath = hostPath
        self.hostArguments = hostArguments
        self.bot = bot
        self.isContinued = isContinued
        self.wantsColor = wantsColor
        self.environment = environment
    }
}
