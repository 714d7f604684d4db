package import JSON

/// Where everything is kept. Every call is one transaction: everything or nothing. Every adapter passes `StoreContract`.
///
/// - Calls ignore the cancellation of the task that makes them: what was begun is finished.
/// - A `Caller` is resolved in the same transaction. An unknown or dead anonymous token throws `authRequired`. A user who was never seen owns
///   nothing: reads are empty or `notFound` and write nothing; the first write makes the person. `newAnonymous` makes the person.
/// - What belongs to somebody else throws `notFound`, exactly as what does not exist.
/// - Any call may throw `storeUnavailable`, `storeFull` or `internalError`.
package protocol Store: Sendable {
    /// The kind of database, for `getStatus`: `sqlite`.
    var engine: String { get }

    /// Whether what is stored outlives the process.
    var isPersistent: Bool { get }

    /// Makes an anonymous person.
    func createAnonymousUser(_ new: NewAnonymousUser) async throws(Failure)

    /// Looks whether a caller may be served at all; writes nothing.
    ///
    /// - Throws: `authRequired` for an anonymous token that is unknown or dead.
    func verify(_ caller: Caller) async throws(Failure)

    // MARK: Conversations

    /// Makes a conversation.
    ///
    /// - Throws: `notFound` (bot).
    func createConversation(_ new: NewConversation, for caller: Caller) async throws(Failure) -> Conversation

    /// Reads one conversation.
    ///
    /// - Throws: `notFound` (conversation).
    func conversation(_ id: String, for caller: Caller) async throws(Failure) -> Conversation

    /// Lists conversations by `updatedAt` descending, then `id` ascending.
    ///
    /// - Parameter botID: only those linked to this bot.
    /// - Throws: `invalidParams` (path `cursor`) for a cursor that is none.
    func conversations(linkedTo botID: String?, page: PageRequest, for caller: Caller) async throws(Failure) -> Page<Conversation>

    /// Changes a conversation and moves `updatedAt` to `now`.
    ///
    /// - Throws: `notFound` (conversation).
    func updateConversation(
        _ id: String, _ change: ConversationChange, at now: Timestamp, for caller: Caller
    ) async throws(Failure) -> Conversation

    /// Links a conversation to a bot, or to none, and moves `updatedAt` to `now`.
    ///
    /// - Throws: `notFound` (conversation, then bot).
    func setBot(_ botID: String?, ofConversation id: String, at now: Timestamp, for caller: Caller) async throws(Failure) -> Conversation

    /// Deletes a conversation with all its messages and turns, and marks an erasure pending.
    ///
    /// - Throws: `notFound` (conversation); `conversationBusy` while a turn of a living host runs in it (that of a dead host is recovered).
    func deleteConversation(_ id: String, at now: Timestamp, for caller: Caller) async throws(Failure)

    /// Lists the messages on the path from the head to the first one, newest first. A page is also bounded by bytes, and holds at least one.
    ///
    /// - Throws: `notFound` (conversation); `invalidParams` (path `cursor`).
    func messages(inConversation id: String, page: PageRequest, for caller: Caller) async throws(Failure) -> Page<Message>

    // MARK: Bots

    /// Makes a bot.
    ///
    /// - Throws: `nameTaken`.
    func createBot(_ new: Bot, for caller: Caller) async throws(Failure) -> Bot

    /// Reads one bot.
    ///
    /// - Throws: `notFound` (bot).
    func bot(_ id: String, for caller: Caller) async throws(Failure) -> Bot

    /// Lists the caller's bots by name (letter case ignored), then `id`.
    ///
    /// - Throws: `invalidParams` (path `cursor`).
    func bots(page: PageRequest, for caller: Caller) async throws(Failure) -> Page<Bot>

    /// Changes a bot, adds one to its revision and moves `updatedAt` to `now`.
    ///
    /// - Parameter revision: what the bot's revision must be; nil for any.
    /// - Throws: `notFound` (bot), `revisionConflict` (details: `revision`, the current one), `nameTaken`.
    func updateBot(
        _ id: String, _ change: BotChange, ifRevision revision: Int?, at now: Timestamp, for caller: Caller
    ) async throws(Failure) -> Bot

    /// Deletes a bot, keeps its conversations without a bot, and marks an erasure pending.
    ///
    /// - Throws: `notFound` (bot).
    func deleteBot(_ id: String, at now: Timestamp, for caller: Caller) async throws(Failure)

    // MARK: Turns

    /// Accepts a user message: stores it as the new head with a turn that this host runs, and the conversation if it is new.
    ///
    /// A turn of a dead host that stands in the way is recovered in the same transaction.
    ///
    /// - Throws: `notFound` (conversation, bot), `conversationBusy`.
    func admitTurn(_ new: NewTurn, for caller: Caller) async throws(Failure) -> AdmittedTurn

    /// The path that ends with a message, oldest first, as much as fits.
    ///
    /// - Parameters:
    ///   - messageID: the last message of the path; always included.
    ///   - maximumBytes: bound on the text of all messages together, in UTF-8 bytes. A message is never cut in two: the first one, counted from
    ///     the newest, that does not fit ends the path.
    func history(endingAt messageID: String, maximumBytes: Int) async throws(Failure) -> [Message]

    /// Keeps what turns of this host have said so far. A turn that is no longer this host's, or no longer running, is passed over.
    func checkpoint(_ checkpoints: [TurnCheckpoint]) async throws(Failure)

    /// Ends a turn of this host: its outcome and its message are stored and the conversation is free again.
    ///
    /// - Returns: the turn as stored. A turn that somebody else has ended in the meantime (recovery) is returned as it is.
    /// - Throws: `notFound` (turn) when it was deleted.
    func finishTurn(_ outcome: TurnOutcome) async throws(Failure) -> TurnResult

    /// Reads one turn with the assistant's message.
    ///
    /// - Throws: `notFound` (turn).
    func turn(_ id: String, for caller: Caller) async throws(Failure) -> TurnResult

    /// Asks whichever host runs a turn to cancel it. A finished turn stays as it is; that of a dead host is recovered at once.
    ///
    /// - Returns: the turn as it now stands.
    /// - Throws: `notFound` (turn).
    func requestCancel(ofTurn id: String, at now: Timestamp, for caller: Caller) async throws(Failure) -> TurnResult

    /// Which running turns of this host somebody wants cancelled.
    func turnsToCancel() async throws(Failure) -> [String]

    /// Marks the running turns of hosts that are gone as `interrupted`, keeping their partial text.
    ///
    /// - Returns: how many there were.
    func recoverTurns(at now: Timestamp) async throws(Failure) -> Int

    // MARK: Care

    /// Whether something deleted is still to be erased from the files.
    func erasurePending() async throws(Failure) -> Bool

    /// Removes the bytes of what was deleted from the database's files, if an erasure is pending.
    ///
    /// - Returns: false when other processes are in the way and it stays pending.
    func erase() async throws(Failure) -> Bool

    /// Finishes what was begun, erases what is pending if this is the only host, and lets go of the files. Nothing may be called afterwards.
    func close() async throws(Failure)
}

/// A conversation about to be stored.
package struct NewConversation: Sendable {
    /// The id that clients know; opaque.
    package var id: String
    /// The title; empty for none.
    package var title: String
    /// The bot that it is linked to; nil for none.
    package var botID: String?
    /// An opaque object of the client's own.
    package var metadata: JSONValue
    /// When it was made.
    package var createdAt: Timestamp

    /// Makes one of its fields; see them for what the parameters mean.
    package init(id: String, title: String, botID: String?, metadata: JSONValue, createdAt: Timestamp) {
        self.id = id
        self.title = title
        self.botID = botID
        self.metadata = metadata
        self.createdAt = createdAt
    }
}

/// A user message about to be accepted.
package struct NewTurn: Sendable {
    /// Where the message goes.
    package enum Target: Sendable {
        case existing(conversationID: String)
        /// Made in the same transaction.
        case new(NewConversation)
    }

    /// The id that clients know; opaque.
    package var id: String
    /// Where the message goes.
    package var target: Target
    /// The message that began it.
    package var userMessageID: String
    /// What is said, part by part.
    package var content: [Message.Part]
    /// The conversation's title if it has none yet.
    package var title: String
    /// When it is accepted.
    package var now: Timestamp
    /// When the turn is ended if it has not ended by itself.
    package var deadline: Timestamp

    /// Makes one of its fields; see them for what the parameters mean.
    package init(
        id: String, target: Target, userMessageID: String, content: [Message.Part], title: String, now: Timestamp, deadline: Timestamp
    ) {
        self.id = id
        self.target = target
        self.userMessageID = userMessageID
        self.content = content
        self.title = title
        self.now = now
        self.deadline = deadline
    }
}

/// An accepted turn with all that is needed to run it.
package struct AdmittedTurn: Sendable {
    /// The turn.
    package var turn: Turn
    /// The message that began it, as stored.
    package var userMessage: Message
    /// The conversation as the admission left it.
    package var conversation: Conversation
    /// The bot that the conversation is linked to.
    package var bot: Bot?

    /// Makes one of its fields; see them for what the parameters mean.
    package init(turn: Turn, userMessage: Message, conversation: Conversation, bot: Bot?) {
        self.turn = turn
        self.userMessage = userMessage
        self.conversation = conversation
        self.bot = bot
    }
}

/// What a running turn has said so far.
package struct TurnCheckpoint: Sendable {
    /// The turn that it belongs to.
    package var turnID: String
    /// The assistant's message with all its text up to here, `partial`.
    package var message: Message
    /// The last event number given out.
    package var lastSequence: Int

    /// Makes one of its fields; see them for what the parameters mean.
    package init(turnID: String, message: Message, lastSequence: Int) {
        self.turnID = turnID
        self.message = message
        self.lastSequence = lastSequence
    }
}

/// How a turn ended.
package struct TurnOutcome: Sendable {
    /// The turn that it belongs to.
    package var turnID: String
    /// Where it stands.
    package var status: Turn.Status
    /// Why the model or the host stopped; nil while it runs.
    package var stopReason: Turn.StopReason
    /// Why it failed; nil unless it did.
    package var error: TurnError?
    /// The assistant's message; nil when nothing was said.
    package var message: Message?
    /// What the answer cost, in tokens.
    package var usage: Usage?
    /// The number of the terminal event.
    package var lastSequence: Int
    /// When it ended.
    package var completedAt: Timestamp

    /// Makes one of its fields; see them for what the parameters mean.
    package init(
        turnID: String, status: Turn.Status, stopReason: Turn.StopReason, error: TurnError?, message: Message?, usage: Usage?,
        lastSequence: Int, completedAt: Timestamp
    ) {
        self.turnID = turnID
        self.status = status
        self.stopReason = stopReason
        self.error = error
        self.message = message
        self.usage = usage
        self.lastSequence = lastSequence
        self.completedAt = completedAt
    }
}
