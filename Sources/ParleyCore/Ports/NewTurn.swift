/// A turn about to be accepted, most often with a new message of the user's.
package struct NewTurn: Sendable {
    /// Where the message goes.
    package enum Target: Sendable {
        case existing(conversationID: String)
        /// Made in the same transaction.
        case new(NewConversation)
    }

    /// How a message may be meant.
    package enum Reading: Sendable {
        /// For the model, whatever it says.
        case message
        /// For the model, or as the argument that a command of the conversation waits for.
        case messageOrArgument
        /// As a command.
        case command
    }

    /// The id that clients know; opaque.
    package var id: String
    /// Where the message goes.
    package var target: Target
    /// What happens when the turn cannot begin at once.
    package var onBusy: BusyPolicy
    /// How many turns may wait in the conversation, this one included.
    package var maximumQueued: Int
    /// What the sender has chosen for the answer.
    package var options: TurnOptions
    /// What its message is called, unless it answers one that is there already.
    package var userMessageID: String
    /// What is said, part by part; of no use to a turn that answers a message that is there already.
    package var content: [Message.Part]
    /// The conversation's title if it has none yet; not used for commands.
    package var title: String {
        get { makeTitle() }
        set { makeTitle = { newValue } }
    }
    /// Made when it is asked for, because most conversations have a title.
    private var makeTitle: @Sendable () -> String
    /// How the message may be meant.
    package var reading: Reading
    /// What it answers.
    package var beginning: TurnBeginning
    /// What the client calls it; nil when it cannot be repeated.
    package var request: ClientRequest?
    /// Where an anonymous person sends it from; nil when the parent process does not say.
    package var address: ClientAddress?
    /// When it is accepted.
    package var now: Timestamp
    /// When the turn is ended if it has not ended by itself.
    package var deadline: Timestamp
    /// Looks at the conversation's bot and whether it is the caller's own, within the transaction; refuses by throwing. Not asked about commands,
    /// which need no model.
    package var approve: @Sendable (_ bot: Bot?, _ isOwn: Bool) throws(Failure) -> Void

    /// Makes one of its fields; see them for what the parameters mean.
    package init(
        id: String, target: Target, userMessageID: String, content: [Message.Part], title: @autoclosure @escaping @Sendable () -> String,
        onBusy: BusyPolicy = .reject, maximumQueued: Int = .max, options: TurnOptions = TurnOptions(),
        reading: Reading = .message, beginning: TurnBeginning = .message, request: ClientRequest? = nil,
        address: ClientAddress? = nil, now: Timestamp, deadline: Timestamp,
        approve: @escaping @Sendable (_ bot: Bot?, _ isOwn: Bool) throws(Failure) -> Void = { _, _ in }
    ) {
        self.id = id
        self.target = target
        self.onBusy = onBusy
        self.maximumQueued = maximumQueued
        self.options = options
        self.userMessageID = userMessageID
        self.content = content
        makeTitle = title
        self.reading = reading
        self.beginning = beginning
        self.request = request
        self.address = address
        self.now = now
        self.deadline = deadline
        self.approve = approve
    }
}

/// What has become of a message that was sent.
package enum TurnAdmission: Sendable {
    /// It is accepted, and its turn is this host's to run.
    indirect case accepted(AdmittedTurn)
    /// It is accepted, and its turn waits until it can begin; this host is the one to begin it, as long as it lives.
    indirect case queued(QueuedTurn)
    /// The same request was accepted before, and has this turn.
    case repeated(turnID: String)
}

/// An accepted turn with all that is needed to run it.
package struct AdmittedTurn: Sendable {
    /// The turn.
    package var turn: Turn
    /// The message that it answers, as stored.
    package var userMessage: Message
    /// The conversation as the admission left it.
    package var conversation: Conversation
    /// The bot that the conversation is linked to, whole.
    package var bot: Bot?
    /// Whether the caller may know how the bot is set up.
    package var ownsBot: Bool
    /// What the sender has chosen for the answer.
    package var options: TurnOptions
    /// The command that waited for an argument when the message came, unless that was for the model whatever it said.
    package var pendingCommand: PendingCommand?
    /// Says that a limit comes near.
    package var warning: QuotaWarning?

    /// Makes one of its fields; see them for what the parameters mean.
    package init(
        turn: Turn, userMessage: Message, conversation: Conversation, bot: Bot?, ownsBot: Bool = true, options: TurnOptions = TurnOptions(),
        pendingCommand: PendingCommand? = nil, warning: QuotaWarning? = nil
    ) {
        self.turn = turn
        self.userMessage = userMessage
        self.conversation = conversation
        self.bot = bot
        self.ownsBot = ownsBot
        self.options = options
        self.pendingCommand = pendingCommand
        self.warning = warning
    }
}
