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

    // MARK: People

    /// Makes an anonymous person.
    ///
    /// - Throws: `quotaExceeded` (`address.anonymousUsers`), as every call with a `newAnonymous` caller.
    func createAnonymousUser(_ new: NewAnonymousUser) async throws(Failure)

    /// Looks whether a caller may be served at all; writes nothing.
    ///
    /// - Throws: `authRequired` for an anonymous token that is unknown or dead.
    func verify(_ caller: Caller) async throws(Failure)

    /// Gives what an anonymous person owns to a user and lets the token go, or only counts it. A running turn goes on, and counts against whom
    /// it was admitted for.
    ///
    /// - Parameter isConfirmed: false only counts.
    /// - Returns: what has moved or would; a repeat by the same user returns what moved the first time.
    /// - Throws: `authRequired` for a token that is unknown, or claimed by somebody else.
    func claimAnonymousUser(
        _ tokenHash: AnonymousToken.Hash, isConfirmed: Bool, at now: Timestamp, for caller: Caller
    ) async throws(Failure) -> AnonymousClaim

    /// Deletes a person with all that belongs to it, and marks an erasure pending. The ledger of quotas keeps counts under a number that means
    /// nothing any more. Somebody who was never seen is deleted already.
    ///
    /// - Throws: `conversationBusy` while a turn of a living host runs in one of the person's conversations; those that wait are cancelled.
    func deletePerson(at now: Timestamp, for caller: Caller) async throws(Failure)

    // MARK: Quotas

    /// How the limits of somebody stand, with all numbers; of a caller, what the caller may see. Writes nothing.
    ///
    /// - Throws: `notFound` (anonymousUser).
    func quota(of subject: QuotaSubject, at now: Timestamp) async throws(Failure) -> [QuotaReading]

    /// Forgets what was charged to somebody; what is held stays so.
    ///
    /// - Parameter scope: only the limits of this scope; nil for all of the subject's own.
    /// - Throws: `notFound` (anonymousUser).
    func resetQuota(of subject: QuotaSubject, scope: QuotaKey.Scope?, at now: Timestamp) async throws(Failure) -> [QuotaReading]

    // MARK: Conversations

    /// Makes a conversation, or finds the one that was made by the same request.
    ///
    /// - Throws: `notFound` (bot; the conversation of a repeat that was deleted since), `idempotencyConflict`.
    func createConversation(_ new: NewConversation, for caller: Caller) async throws(Failure) -> Conversation

    /// Reads one conversation.
    ///
    /// - Throws: `notFound` (conversation).
    func conversation(_ id: String, for caller: Caller) async throws(Failure) -> Conversation

    /// Lists conversations by `updatedAt` descending, then `id` ascending.
    ///
    /// - Throws: `invalidParams` (path `cursor`) for a cursor that is none.
    func conversations(_ filter: ConversationFilter, page: PageRequest, for caller: Caller) async throws(Failure) -> Page<Conversation>

    /// Finds the conversations whose title matches a query, or in which the text of a message of the user's or the assistant's does, on whatever
    /// path; by `updatedAt` descending, then `id` ascending. What a turn says is found once the message is complete or the turn has ended.
    /// A page is also bounded by bytes, and holds at least one. Searches wait for one another, and nothing else waits for them.
    ///
    /// - Parameter isSettled: called as soon as it is settled what there is to be found; what happens from then on is not found.
    /// - Throws: `invalidParams` (path `cursor`); `cancelled` at once when the task is cancelled.
    func searchConversations(
        _ search: ConversationSearch, page: PageRequest, for caller: Caller, isSettled: @escaping @Sendable () -> Void
    ) async throws(Failure) -> Page<FoundConversation>

    /// Changes a conversation and moves `updatedAt` to `now`, unless it is only pinned or archived or the reverse. A command that waits for an
    /// argument is forgotten when the head moves.
    ///
    /// - Throws: `notFound` (conversation, message); `conversationBusy` when the head is to move while a turn of a living host runs.
    func updateConversation(
        _ id: String, _ change: ConversationChange, at now: Timestamp, for caller: Caller
    ) async throws(Failure) -> Conversation

    /// Links a conversation to a bot, or to none, and moves `updatedAt` to `now`.
    ///
    /// - Throws: `notFound` (conversation, then bot).
    func setBot(_ botID: String?, ofConversation id: String, at now: Timestamp, for caller: Caller) async throws(Failure) -> Conversation

    /// Deletes a conversation with all its messages and turns, those that wait included, and marks an erasure pending.
    ///
    /// - Throws: `notFound` (conversation); `conversationBusy` while a turn of a living host runs in it (that of a dead host is recovered).
    func deleteConversation(_ id: String, at now: Timestamp, for caller: Caller) async throws(Failure)

    /// Lists the messages on the path from the head to the first one, newest first. A page is also bounded by bytes, and holds at least one.
    ///
    /// - Throws: `notFound` (conversation); `invalidParams` (path `cursor`).
    func messages(inConversation id: String, page: PageRequest, for caller: Caller) async throws(Failure) -> Page<Message>

    /// Lists the messages that follow what a message follows, itself among them, in the order in which they were made. Pages are as those of a
    /// path.
    ///
    /// - Throws: `notFound` (conversation, message); `invalidParams` (path `cursor`).
    func siblings(
        of messageID: String, inConversation id: String, page: PageRequest, for caller: Caller
    ) async throws(Failure) -> Page<Message>

    /// Rates an answer, or takes its rating back; the conversation's `updatedAt` stays as it is.
    ///
    /// - Throws: `notFound` (message); `invalidParams` (path `messageId`) for a message that is no answer; `conversationBusy` while the turn of a
    ///   living host runs that the message belongs to.
    func rateMessage(
        _ id: String, as rating: Message.Rating?, at now: Timestamp, for caller: Caller
    ) async throws(Failure) -> Message

    /// Makes a conversation of the path that leads to a message of another one, or finds the one that was made by the same request.
    ///
    /// The messages are copies with ids of their own, in copies of their turns: those have ended, hold nothing, have no receipt, and what they
    /// cost counts in no sum. Bot and metadata are those of the source. What runs or waits there is not copied.
    ///
    /// - Throws: `notFound` (conversation, message; the conversation of a repeat that was deleted since); `invalidParams` (path `messageId`) for a
    ///   path that is more than `ConversationFork.bounds`; `conversationBusy` when the path ends in a turn of a living host that runs;
    ///   `idempotencyConflict`.
    func forkConversation(_ fork: ConversationFork, for caller: Caller) async throws(Failure) -> Conversation

    /// Reads a page of a conversation for a file. A page is bounded by bytes, and holds at least one message if there is one.
    ///
    /// All pages together hold the messages that there were when the first was read, or the path that led to the head then, each as it stands
    /// when its page is read.
    ///
    /// - Throws: `notFound` (conversation); `invalidParams` (path `cursor`).
    func exportConversation(
        _ id: String, _ extent: ConversationExcerpt.Extent, cursor: String?, for caller: Caller
    ) async throws(Failure) -> ConversationExcerpt

    /// Makes a conversation of a file, or finds the one that was made by the same request. The turns of its messages are as those of a fork.
    ///
    /// - Returns: the conversation, and how many messages were imported into it.
    /// - Throws: `notFound` (bot; the conversation of a repeat that was deleted since), `idempotencyConflict`, `quotaExceeded`
    ///   (`address.anonymousUsers`), and what `ConversationImport.message` throws.
    func importConversation(
        _ new: ConversationImport, for caller: Caller
    ) async throws(Failure) -> (conversation: Conversation, messages: Int)

    // MARK: Bots

    /// Makes a bot, or finds the one that was made by the same request.
    ///
    /// - Parameter request: what the client calls it; nil when it cannot be repeated.
    /// - Throws: `nameTaken`, `quotaExceeded`, `notFound` (the bot of a repeat that was deleted since), `idempotencyConflict`.
    func createBot(_ new: Bot, request: ClientRequest?, for caller: Caller) async throws(Failure) -> Bot

    /// Reads one bot; of somebody else's published one, what everybody may see.
    ///
    /// - Throws: `notFound` (bot).
    func bot(_ id: String, for caller: Caller) async throws(Failure) -> Bot

    /// Lists bots by name (letter case ignored), then `id`; of somebody else's published ones, what everybody may see.
    ///
    /// - Throws: `invalidParams` (path `cursor`).
    func bots(_ scope: BotScope, page: PageRequest, for caller: Caller) async throws(Failure) -> Page<Bot>

    /// Changes a bot of the caller's, adds one to its revision and moves `updatedAt` to `now`. Once it is private, the conversations of others go on
    /// without it.
    ///
    /// - Parameter revision: what the bot's revision must be; nil for any.
    /// - Throws: `notFound` (bot), `revisionConflict` (details: `revision`, the current one), `nameTaken`.
    func updateBot(
        _ id: String, _ change: BotChange, ifRevision revision: Int?, at now: Timestamp, for caller: Caller
    ) async throws(Failure) -> Bot

    /// Deletes a bot of the caller's, keeps its conversations without a bot, and marks an erasure pending.
    ///
    /// - Throws: `notFound` (bot).
    func deleteBot(_ id: String, at now: Timestamp, for caller: Caller) async throws(Failure)

    // MARK: Turns

    /// Accepts a user message: stores it as the new head with a turn that this host runs, the conversation if it is new, what the turn holds of
    /// the quotas, and what the client calls it. A refusal stores nothing.
    ///
    /// What `NewTurn.beginning` names decides which message the new one follows, or that an earlier one becomes the head and is answered again;
    /// both take the head elsewhere, and forget the command that waits for an argument.
    ///
    /// A turn of a dead host that stands in the way is recovered in the same transaction. A command, or the argument that the conversation's
    /// pending command waits for, begins a local turn, which holds nothing and is never refused for a quota.
    ///
    /// A turn that may wait (`NewTurn.onBusy`) and must, holds its quotas meanwhile but is not in flight, and its message joins the
    /// conversation when it begins. It is then meant for the model, unless it is a command. Only a new message may wait.
    ///
    /// - Throws: `notFound` (conversation, bot, message), `invalidParams` (path `messageId`) for a message that cannot be edited or answered
    ///   again, `idempotencyConflict`, `conversationBusy`, `queueFull`, `quotaExceeded`, and what `NewTurn.approve` throws.
    func admitTurn(_ new: NewTurn, for caller: Caller) async throws(Failure) -> TurnAdmission

    /// The path that ends with a message, as much of its end as fits; commands and what came of them are left out.
    ///
    /// - Parameters:
    ///   - messageID: the last message of the path.
    ///   - maximumBytes: bound on all messages together, in UTF-8 bytes of what models read of them (`Message.modelBytes`). The newest user
    ///     message and what follows it are always included; of what comes before, turns that fit whole, so that the first message is a user's.
    func history(endingAt messageID: String, maximumBytes: Int) async throws(Failure) -> History

    /// Stores messages of a turn of this host that are complete: each follows the one before, and the last is the conversation's head. In a
    /// local turn the command that waited for an argument is forgotten.
    ///
    /// - Throws: `notFound` (turn) when the turn is no longer this host's.
    func appendMessages(_ messages: [Message], toTurn id: String, lastSequence: Int) async throws(Failure)

    /// Takes a tool call from what an anonymous person may call; others may call as often as they like. A turn that ends gives back what was
    /// not settled.
    ///
    /// - Throws: `quotaExceeded` (`anonymous.tools.NAME`); `notFound` (turn) when the turn is no longer this host's.
    func holdToolCall(_ id: String, ofTurn turnID: String, named name: String, for caller: Caller) async throws(Failure)

    /// Charges a tool call that succeeded, gives back one that failed.
    func settleToolCall(_ id: String, ofTurn turnID: String, succeeded: Bool) async throws(Failure)

    /// Keeps what turns of this host have said so far. A turn that is no longer this host's, or no longer running, is passed over.
    func checkpoint(_ checkpoints: [TurnCheckpoint]) async throws(Failure)

    /// Ends a turn of this host: its outcome and its message are stored, what it holds of the quotas is settled, and the conversation is free again.
    ///
    /// - Returns: the turn as stored, with its receipt. A turn that somebody else has ended in the meantime (recovery) is returned as it is.
    /// - Throws: `notFound` (turn) when it was deleted.
    func finishTurn(_ outcome: TurnOutcome) async throws(Failure) -> TurnResult

    /// Reads one turn with the assistant's message.
    ///
    /// - Throws: `notFound` (turn).
    func turn(_ id: String, for caller: Caller) async throws(Failure) -> TurnResult

    /// Reads a turn with all its messages, those that are complete and the one that a checkpoint has kept.
    ///
    /// - Parameter sequence: the number of an event; of a turn that goes on and of which no later event is stored, nothing more is read.
    /// - Returns: nil for such a turn.
    /// - Throws: `notFound` (turn).
    func snapshot(ofTurn id: String, beyond sequence: Int, for caller: Caller) async throws(Failure) -> TurnSnapshot?

    /// Begins the turns that waited and can begin: in each conversation the first, once no turn runs there and its person has not too many in
    /// flight. Those of hosts that are gone begin here, and what such hosts ran is recovered.
    ///
    /// - Parameters:
    ///   - waiting: the turns of this host of which it does not know that they wait no more. No others of its own begin.
    ///   - deadline: when those that begin are ended if they have not ended by themselves.
    ///   - isEnding: whether nothing is to begin any more. Asked when whatever was to be stored before has been: what this host interrupts
    ///     because it ends must not make room for another turn of its own.
    /// - Returns: what has become of turns that waited, by id; nothing for those that still wait.
    func advanceQueue(
        waiting: [String], deadline: Timestamp, at now: Timestamp, unless isEnding: @escaping @Sendable () -> Bool
    ) async throws(Failure) -> [(id: String, step: QueueStep)]

    /// Cancels a turn of this host that waits; it has cost nothing. One that waits no more stays as it is.
    ///
    /// - Returns: the turn as it now stands.
    /// - Throws: `notFound` (turn) when it was deleted.
    func leaveQueue(_ id: String, at now: Timestamp) async throws(Failure) -> TurnResult

    /// Asks whichever host runs a turn to cancel it. A finished turn stays as it is; that of a dead host is recovered at once, and one that
    /// waits is cancelled at once.
    ///
    /// - Parameter withQueue: whether the turns that wait in the same conversation are cancelled as well.
    /// - Returns: the turn as it now stands.
    /// - Throws: `notFound` (turn).
    func requestCancel(ofTurn id: String, withQueue: Bool, at now: Timestamp, for caller: Caller) async throws(Failure) -> TurnResult

    /// Which running turns of this host somebody wants cancelled.
    func turnsToCancel() async throws(Failure) -> [String]

    /// Marks the running turns of hosts that are gone as `interrupted`, keeping their partial text and settling what they hold.
    ///
    /// - Returns: how many there were.
    func recoverTurns(at now: Timestamp) async throws(Failure) -> Int

    // MARK: Care

    /// Whether something deleted is still to be erased from the files.
    func erasurePending() async throws(Failure) -> Bool

    /// Removes the bytes of what was deleted from the database's files, if an erasure is pending. What `deleteUnusedConversations` deletes may wait
    /// for it: for such alone it is done no more than once a day.
    ///
    /// - Returns: false when other processes are in the way and it stays pending.
    func erase() async throws(Failure) -> Bool

    /// Prepares some of what was stored or deleted since the last time for searches, or against them. What they find does not depend on it,
    /// only how long it takes.
    ///
    /// - Returns: whether more is to be done.
    func prepareSearches() async throws(Failure) -> Bool

    /// Deletes some of the conversations that were not used for longer than a policy allows, as `deleteConversation` does. Those in which a turn
    /// runs or waits are left, and those of the operator. Whatever changes a conversation uses it, so does pinning it or not, archiving it or not,
    /// and rating an answer.
    ///
    /// Ages are reckoned by a time of the store's own, which goes on as a clock does that never steps. How long the machine was off the wall clock
    /// tells at its next start: a day of it counts at once, and the rest 24 hours for each hour that passes, unless the clock is put right before.
    ///
    /// - Parameter place: where the walk goes on; nil to begin one, unless one was done within the hour, by whatever process.
    /// - Returns: how many were deleted, and where the walk goes on; nil when it has come to its end.
    func deleteUnusedConversations(
        _ policy: RetentionPolicy, from place: RetentionPlace?, at now: Timestamp
    ) async throws(Failure) -> (deleted: Int, next: RetentionPlace?)

    /// Forgets what no limit and no repeated request can need any more.
    func discardExpired(at now: Timestamp) async throws(Failure)

    /// Finishes what was begun, erases what is pending and need not wait if this is the only host, and lets go of the files. Nothing may be called
    /// afterwards.
    func close() async throws(Failure)
}

extension Store {
    /// Asks whichever host runs a turn to cancel it, and leaves those that wait behind it alone.
    ///
    /// - Returns: the turn as it now stands.
    /// - Throws: `notFound` (turn).
    package func requestCancel(ofTurn id: String, at now: Timestamp, for caller: Caller) async throws(Failure) -> TurnResult {
        try await requestCancel(ofTurn: id, withQueue: false, at: now, for: caller)
    }
}

/// The end of a conversation's path.
package struct History: Hashable, Sendable {
    /// Oldest first.
    package var messages: [Message]
    /// How many messages of the path come before them.
    package var earlierCount: Int

    /// Makes one of its fields; see them for what the parameters mean.
    package init(messages: [Message], earlierCount: Int) {
        self.messages = messages
        self.earlierCount = earlierCount
    }
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
    /// What the client calls the request that makes it; nil when it cannot be repeated.
    package var request: ClientRequest?

    /// Makes one of its fields; see them for what the parameters mean.
    package init(
        id: String, title: String, botID: String?, metadata: JSONValue, createdAt: Timestamp, request: ClientRequest? = nil
    ) {
        self.id = id
        self.title = title
        self.botID = botID
        self.metadata = metadata
        self.createdAt = createdAt
        self.request = request
    }
}
