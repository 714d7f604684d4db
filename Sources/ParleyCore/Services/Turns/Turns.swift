import JSON
package import Logging

/// Turns: accepting messages, running them, ending them early, finding them again.
package final class Turns: Sendable {
    /// A message as somebody sends it.
    package struct Draft: Sendable {
        /// Nil makes a conversation.
        package var conversationID: String?
        /// What is said, part by part; nothing where an earlier message is answered again.
        package var content: [Message.Part]
        /// What the turn answers; what is there already is looked for in the conversation, so there must be one.
        package var beginning: TurnBeginning
        /// Whether the content is looked at for commands.
        package var readsCommands: Bool
        /// The bot of a conversation that is made.
        package var botID: String?
        /// What happens when the turn cannot begin at once.
        package var onBusy = BusyPolicy.reject
        /// `PROVIDER:MODEL` for this turn alone.
        package var model: String?
        /// The longest answer, in tokens; nil for the model's own bound.
        package var maxOutputTokens: Int?
        /// What the client calls the message, so that it may be sent again; nil when it cannot be.
        package var requestID: String?
        /// Where an anonymous person sends it from; nil when the parent process does not say.
        package var address: ClientAddress?

        /// Makes one of its fields; see them for what the parameters mean.
        package init(
            conversationID: String?, content: [Message.Part], beginning: TurnBeginning = .message, readsCommands: Bool = false,
            botID: String? = nil, model: String? = nil, maxOutputTokens: Int? = nil, requestID: String? = nil,
            address: ClientAddress? = nil
        ) {
            self.conversationID = conversationID
            self.content = content
            self.beginning = beginning
            self.readsCommands = readsCommands
            self.botID = botID
            self.model = model
            self.maxOutputTokens = maxOutputTokens
            self.requestID = requestID
            self.address = address
        }
    }

    /// Runs a turn that waited; in a structure, as `Locked` wants it.
    private struct Adoption: Sendable {
        let call: @Sendable (BegunTurn) -> Void
    }

    let store: any Store
    let ambient: any Ambient
    let settings: TurnSettings
    let logger: Logger
    let running = RunningTurns()
    let paths: RememberedPaths
    let models: ModelCatalog
    let limits: Limits
    let toolSettings: ToolSettings
    let approvals = Approvals()
    private let builtIn = Locked((sources: [any ToolSource](), usable: ToolRegistry?.none))
    private let adoption = Locked(Adoption?.none)

    /// Runs turns on a store with models.
    package init(
        store: any Store, models: ModelCatalog, ambient: any Ambient, limits: Limits, settings: TurnSettings,
        toolSettings: ToolSettings = ToolSettings(), logger: Logger
    ) {
        self.store = store
        self.models = models
        self.ambient = ambient
        self.limits = limits
        paths = RememberedPaths(maximumBytes: limits.maxRememberedBytes)
        self.settings = settings
        self.toolSettings = toolSettings
        self.logger = logger
    }

    /// The tools of the host itself, which never change. They use what uses turns, and so are given after both are made.
    package var toolSources: [any ToolSource] {
        get { builtIn.withLock { $0.sources } }
        set { builtIn.withLock { $0 = (newValue, nil) } }
    }

    /// Runs a turn that waited, and whose host is gone: sees to it that `run` is called, on a task of its own.
    package var adopter: (@Sendable (BegunTurn) -> Void)? {
        get { adoption.withLock { $0?.call } }
        set { adoption.withLock { $0 = newValue.map(Adoption.init) } }
    }

    /// All tools that a client's turns may call.
    ///
    /// - Parameter sources: what the client offers itself.
    /// - Throws: `invalidParams` when two sources offer a tool of one name; it names both.
    package func registry(with sources: [any ToolSource]) throws(Failure) -> ToolRegistry {
        try ToolRegistry(toolSources + sources, policies: toolSettings.policies)
    }

    /// The tools that models may call in a turn.
    ///
    /// - Parameters:
    ///   - sources: what the client offers itself.
    ///   - bot: the conversation's.
    /// - Throws: what `registry(with:)` throws.
    func tools(with sources: [any ToolSource], for bot: Bot?) throws(Failure) -> ToolRegistry {
        guard sources.isEmpty, bot?.tools == nil else { return try registry(with: sources).usable(by: bot?.tools) }
        // Most turns have these, and to put them together costs as much as a commit.
        if let usable = builtIn.withLock({ $0.usable }) { return usable }
        let usable = try registry(with: []).usable(by: nil)
        builtIn.withLock { $0.usable = usable }
        return usable
    }

    /// How many turns run in this process.
    package var count: Int { running.count }

    /// Accepts a message and runs its turn to the end, once it can begin.
    ///
    /// After the admission nothing throws: whatever happens, the turn has an end and the observer is told of it. Only a turn that waits
    /// when the process ends has none: it goes on waiting, for another process.
    ///
    /// - Parameters:
    ///   - client: whom the turn acts for, and what it offers.
    ///   - cancellation: ends the task that calls this.
    ///   - observer: told of every event.
    ///   - admitted: called once the message is stored, before any event.
    ///   - ended: called after the last event, before anybody else hears of the end, so that whoever cancels the turn is answered later.
    /// - Returns: nil when the turn has come to its end; the id of the turn of the same request when it was accepted before.
    /// - Throws: `invalidParams`, `messageTooLarge`, `modelNotAllowed`, `notFound` (conversation, bot, message), `conversationBusy`, `queueFull`,
    ///   `quotaExceeded`, `idempotencyConflict`; then nothing was stored.
    package func send(
        _ draft: Draft, for client: TurnClient, cancellation: Cancellation, observer: any TurnObserver,
        admitted: (Turn, Conversation) -> Void, ended: (TurnResult) -> Void
    ) async throws(Failure) -> String? {
        let returnsConversation = draft.conversationID == nil
        switch try await admit(draft, for: client.caller) {
        case .repeated(let turnID): return turnID
        case .accepted(let admission):
            let turn = begin(admission, cancellation: cancellation, admitted)
            await run(
                admission, client: client, turn: turn, observer: TurnAudience(sender: observer, turn: turn),
                returnsConversation: returnsConversation, ended: ended)
        case .queued(let queued):
            let turn = begin(queued, cancellation: cancellation, admitted)
            await runOnceBegun(
                queued, client: client, turn: turn, observer: TurnAudience(sender: observer, turn: turn),
                returnsConversation: returnsConversation, ended: ended)
        }
        return nil
    }

    /// Counts a turn among those of this process, so that it can be found and ended.
    ///
    /// - Parameter lastSequence: the number of the last event that it has had.
    func track(_ turn: Turn, lastSequence: Int = 0, cancellation: Cancellation) -> RunningTurn {
        let deadline = turn.status == .queued ? .max : ambient.monotonicMilliseconds() + settings.deadlineMilliseconds
        let turn = RunningTurn(turn, deadline: deadline, lastSequence: lastSequence, cancellation: cancellation, ambient: ambient)
        if let monitor = running.insert(turn) {
            ambient.beginActivity()
            monitor.resume()
        }
        if running.isEnding { turn.end(.interrupted) }
        return turn
    }

    /// Runs a turn to its end.
    ///
    /// - Parameters:
    ///   - returnsConversation: whether the result tells the conversation as well.
    ///   - isRecheckNeeded: whether the model may have changed since it was last looked whether the turn's person may use it.
    func run(
        _ admission: Shared<AdmittedTurn>, client: TurnClient, turn: RunningTurn, observer: any TurnObserver, returnsConversation: Bool,
        isRecheckNeeded: Bool = false, ended: (TurnResult) -> Void
    ) async {
        tellBeginning(of: turn, admission, observer)
        let ending =
            if admission.turn.isLocal {
                await execute(
                    SlashCommand(admission.userMessage.text), text: admission.userMessage.text, admission, client: client, turn: turn,
                    observer: observer)
            } else {
                await answer(admission, isRecheckNeeded: isRecheckNeeded, client: client, turn: turn, observer: observer)
            }
        await end(
            turn, with: ending, of: admission, observer: observer, returnsConversation: returnsConversation, ended: ended)
    }

    @inline(never)
    private func tellBeginning(of turn: RunningTurn, _ admission: Shared<AdmittedTurn>, _ observer: any TurnObserver) {
        observer.observe([turn.event(.started(admission.turn, userMessage: admission.userMessage))])
        if let warning = admission.warning { observer.observe([turn.event(.quotaWarning(warning))]) }
    }

    /// Stores how a turn ended, and tells everybody.
    @inline(never)
    private func end(
        _ turn: RunningTurn, with ending: Shared<Ending>, of admission: Shared<AdmittedTurn>, observer: any TurnObserver,
        returnsConversation: Bool, ended: (TurnResult) -> Void
    ) async {
        let result = await settle(ending, of: admission.turn, turn: turn, returnsConversation: returnsConversation)
        await end(turn, with: result, observer: observer, ended: ended)
    }

    /// Tells everybody that a turn has ended, and lets those begin that waited for it.
    @inline(never)
    func end(_ turn: RunningTurn, with result: TurnResult, observer: any TurnObserver, ended: (TurnResult) -> Void) async {
        observer.observe([turn.event(.completed(result))])
        ended(result)
        running.remove(turn)
        await turn.finish(result)
        if running.isAnyWaiting { await advanceQueue() }
    }

    /// Ends a turn early and waits until it has ended. A finished turn is returned unchanged.
    ///
    /// A turn of another process ends as soon as that process sees the request, or is recovered when that process is gone.
    ///
    /// - Throws: `notFound`; `cancelled` when the caller stops waiting.
    package func cancel(_ id: String, for caller: Caller) async throws(Failure) -> TurnResult {
        try await cancel(id, withQueue: false, for: caller)
    }

    /// - Parameter withQueue: whether the turns that wait in the same conversation are cancelled as well.
    private func cancel(_ id: String, withQueue: Bool, for caller: Caller) async throws(Failure) -> TurnResult {
        let current = try await requestCancel(of: id, withQueue: withQueue, for: caller)
        // Also when the turn has ended already: its last event and its reply may be just on their way.
        if running[id] == nil, current.turn.status.isTerminal { return current }
        return try await end(of: id, cause: .cancelled, for: caller)
    }

    /// Leaves word that a turn shall be cancelled; for a turn of this process a store that takes nothing needs none.
    private func requestCancel(of id: String, withQueue: Bool, for caller: Caller) async throws(Failure) -> TurnResult {
        do {
            return try await store.requestCancel(ofTurn: id, withQueue: withQueue, at: ambient.now(), for: caller)
        } catch {
            guard [.storeFull, .storeUnavailable].contains(error.code), running[id] != nil else { throw error }
            return try await store.turn(id, for: caller)
        }
    }

    /// Waits until a turn has ended, whichever process runs it; that of a process that is gone is recovered.
    ///
    /// - Throws: `notFound`; `cancelled` when the caller stops waiting.
    package func end(of id: String, for caller: Caller) async throws(Failure) -> TurnResult {
        try await end(of: id, cause: nil, for: caller)
    }

    /// - Parameter cause: ends the turn early, if this process runs it.
    private func end(of id: String, cause: RunningTurn.Cause?, for caller: Caller) async throws(Failure) -> TurnResult {
        for attempt in 0... {
            if let turn = running[id] {
                guard let result = await turn.result(endingBy: cause) else { break }
                return result
            }
            let current = try await store.turn(id, for: caller)
            if current.turn.status.isTerminal { return current }
            // At once, and then each second, in case its process dies meanwhile.
            if attempt % 20 == 0, try await store.recoverTurns(at: ambient.now()) > 0 { continue }
            do {
                try await ambient.sleep(milliseconds: 50)
            } catch {
                break
            }
        }
        throw Failure(.cancelled, "The request was cancelled while it waited for the turn to end.")
    }

    /// Does something that a running turn may stand in the way of; such a turn is cancelled.
    ///
    /// - Parameter work: throws `conversationBusy` when a turn is in its way.
    func cancellingWhatIsInTheWay(for caller: Caller, _ work: () async throws(Failure) -> Void) async throws(Failure) {
        while true {
            do {
                try await work()
                // What waited went with it.
                if running.isAnyWaiting { await advanceQueue() }
                return
            } catch {
                // A turn that was admitted a moment ago may still be in the way after the one that was cancelled: try again.
                guard error.code == .conversationBusy, let turnID = error.details.first(where: { $0.name == "turnId" })?.value.stringValue
                else { throw error }
                do throws(Failure) {
                    _ = try await cancel(turnID, withQueue: true, for: caller)
                } catch {
                    // Another process may have deleted it in the meantime.
                    guard error.code == .notFound else { throw error }
                }
            }
        }
    }

    /// Ends a turn of this process for somebody who has shown the right to, by having begun it.
    package func cancelOwn(_ id: String) {
        running[id]?.end(.cancelled)
    }

    /// Forgets what is remembered of conversations, some of which may have been deleted since.
    package func forgetConversations() { paths.forget() }

    /// Reads one turn.
    ///
    /// - Throws: `notFound`.
    package func get(_ id: String, for caller: Caller) async throws(Failure) -> TurnResult {
        try await store.turn(id, for: caller)
    }

    /// Whether this process runs a turn, or lets it wait.
    package func runs(_ id: String) -> Bool { running[id] != nil }

    /// Whether the turns of this process are being ended.
    package var isEnding: Bool { running.isEnding }

    /// Ends every turn of this process as `interrupted`, also those that are just being admitted, because the process ends.
    package func interruptAll() async {
        for turn in running.beginEnd().sorted() {
            turn.end(.interrupted)
            await ambient.rest()
        }
    }

    /// Makes sure that a person may have a message answered by a model, or by that of the conversation's bot.
    ///
    /// - Parameter model: what the message names, as `PROVIDER:MODEL`; nil for the bot's or the host's.
    /// - Throws: `modelNotAllowed`.
    func requireAllowed(_ model: String?, _ bot: Bot?, isOwn: Bool, for kind: PersonKind) throws(Failure) {
        // What a published bot answers with is the operator's choice, which nobody overrides.
        if let model {
            guard isOwn else {
                throw Failure(
                    .modelNotAllowed, "A published bot answers with the model that it was given.",
                    details: [.init("model", .string(model))])
            }
            return
        }
        guard isOwn || bot?.model == nil else { return }
        try models.requireAllowed(bot?.model ?? models.defaultModel.id, for: kind)
    }
}
