package import JSON
package import JSONRPC
package import Logging
package import ParleyCore

/// One process's service to whoever spawned it: takes the lines of one connection in order, gives each request its caller and its place, and
/// runs until the input ends, the process is told to end, or the client is gone.
package final class AgentHost: Sendable {
    /// The protocol versions that this host speaks.
    package static let protocolVersions = 1...1

    let info: HostInfo
    let limits: HostLimits
    let store: any Store
    let models: ModelCatalog
    let people: People
    let quotas: Quotas
    let conversations: Conversations
    let bots: Bots
    let turns: Turns
    let ambient: any Ambient
    let logger: Logger
    private let settings: HostSettings
    private let authentication: Authentication
    /// The clock that clients move, in a deterministic host.
    private let deterministic: DeterministicAmbient?
    var isDeterministic: Bool { deterministic != nil }
    private let queue: RequestQueue
    let clientRequests: ClientRequests
    private let clientLines: ClientLines
    /// What the client says that it can do, and the tools that it offers.
    let client = Locked((capabilities: ClientCapabilities(), tools: [ToolDefinition]()))
    private let lifecycle = Lifecycle()
    let storeCare: StoreCare
    /// Ends when no further line will be handled.
    private let endOfInput = AsyncStream<Never>.makeStream()
    private let startedAt: Int64
    private let state: Locked<State>

    private struct State {
        var wire: Wire?
        var defaultCaller: CallerClaim?
        /// Requests that can be cancelled.
        var handles: [RequestID: RequestHandle] = [:]
    }

    /// Puts a host together.
    ///
    /// - Parameters:
    ///   - store: stays open; whoever opened it closes it after `run`.
    ///   - ambient: a `DeterministicAmbient` makes the host deterministic.
    ///   - clientLines: is told of each line of the client.
    ///   - authentication: whose word is taken for who somebody is.
    ///   - defaultUserID: whom requests without a caller act for; nil for nobody.
    package init(
        info: HostInfo, limits: HostLimits, settings: HostSettings, turnSettings: TurnSettings, toolSettings: ToolSettings,
        store: any Store, models: ModelCatalog,
        ambient: any Ambient, clientLines: ClientLines, authentication: Authentication, defaultUserID: String?, logger: Logger
    ) throws(Failure) {
        self.info = info
        self.limits = limits
        self.settings = settings
        self.authentication = authentication
        self.store = store
        self.models = models
        self.ambient = ambient
        self.logger = logger
        deterministic = ambient as? DeterministicAmbient
        turns = Turns(
            store: store, models: models, ambient: ambient, limits: limits.core, settings: turnSettings, toolSettings: toolSettings,
            logger: logger)
        people = People(store: store, turns: turns, ambient: ambient)
        quotas = Quotas(store: store, ambient: ambient)
        conversations = Conversations(store: store, turns: turns, ambient: ambient, limits: limits.core)
        bots = Bots(store: store, models: models, ambient: ambient, limits: limits.core)
        let botTools = try BotTools(bots: bots, conversations: conversations)
        turns.toolSources = [botTools, try ConversationTools(conversations: conversations, quotas: quotas, botTools: botTools)]
        storeCare = StoreCare(
            store: store, ambient: ambient, idleMilliseconds: settings.erasureIdleMilliseconds, retention: settings.retention,
            logger: logger
        ) { [turns] in turns.forgetConversations() }
        queue = RequestQueue(ambient: ambient)
        self.clientLines = clientLines
        clientRequests = ClientRequests(ambient: ambient, logger: logger)
        startedAt = ambient.monotonicMilliseconds()
        state = Locked(State(defaultCaller: defaultUserID.map { .user(id: $0) }))
        turns.adopter = { [weak self] in self?.adopt($0) }
    }

    /// Serves a connection until its end; then every turn has ended and everything is written.
    ///
    /// - Parameters:
    ///   - input: the descriptor that requests come from.
    ///   - output: the descriptor that answers go to, which nobody else may write to.
    package func run(input: Int32, output: Int32) async {
        let connection = Connection(input: input, output: output, limits: limits.transport, handler: self)
        state.withLock {
            $0.wire = Wire(
                attachments: AttachmentQueue(connection: connection), answers: AnswerGate(connection: connection, places: 16),
                searches: AnswerGate(connection: connection, places: 4))
        }
        for thread in models.providers.compactMap(\.thread) {
            thread.surround { $0 ? connection.cork() : connection.uncork() }
        }
        defer { for thread in models.providers.compactMap(\.thread) { thread.surround(with: nil) } }
        await withTaskGroup(of: Void.self) { group in
            let services: [@Sendable () async -> Void] = [
                { await self.turns.watchQueue() }, { await self.turns.monitor() },
                { await self.storeCare.run { self.connection.requestsInFlight == 0 } }, { await self.storeCare.keepUp() },
            ]
            // Counted from here on, so that a deterministic host reads its first line when all have come to rest.
            for _ in services { ambient.beginActivity() }
            for service in services {
                group.addTask {
                    await service()
                    self.ambient.endActivity()
                }
            }
            connection.start()
            await lifecycle.wait(beyond: .running)
            connection.stopReading()
            // The line that is being handled, which may have asked for the shutdown, is still answered.
            for await _ in endOfInput.stream {}
            if !isDeterministic { group.addTask { await self.watchOutput() } }
            // Turns end because their client is gone; told of tools without an answer first, their models might finish them.
            if lifecycle.stage == .broken { await interrupt() }
            await clientRequests.end()
            await clientLines.end()
            await drain()
            // What is written must also be read, but a client that has stopped reading holds up the end no longer than a turn would. An
            // activity, because the clock of a deterministic host would otherwise have run out before the client has read anything.
            ambient.beginActivity()
            let patience = lifecycle.stage == .draining ? settings.drainMilliseconds : Self.settleMilliseconds
            _ = await isDone(within: patience, orBeyond: lifecycle.stage) {
                await connection.close()
                self.ambient.endActivity()
            }
            group.cancelAll()
        }
    }

    /// Begins the end.
    package func end(_ stage: Lifecycle.Stage) {
        lifecycle.raise(to: stage)
    }

    // MARK: What methods use

    /// The connection that is being served.
    var connection: Connection { attachments.connection }

    /// The attachments that wait for it.
    var attachments: AttachmentQueue { wire.attachments }

    /// Where long answers wait for it.
    var answerGate: AnswerGate { wire.answers }

    /// Where searches wait for it: they also wait for one another, and must not take the places of other answers for that.
    var searchGate: AnswerGate { wire.searches }

    /// What waits for the connection.
    private struct Wire {
        var attachments: AttachmentQueue
        var answers: AnswerGate
        var searches: AnswerGate
    }

    private var wire: Wire {
        guard let wire = state.withLock({ $0.wire }) else {
            preconditionFailure("requests come over a connection, which lasts until the last of them has been answered")
        }
        return wire
    }

    func setDefaultCaller(_ caller: CallerClaim) {
        state.withLock { $0.defaultCaller = caller }
    }

    var status: HostStatus {
        HostStatus(
            version: info.version, uptimeSeconds: Int((ambient.monotonicMilliseconds() - startedAt) / 1_000), turnsInFlight: turns.count,
            models: models.entries.map(\.id), defaultModel: models.defaultModel.id, databaseEngine: store.engine,
            databasePersistent: store.isPersistent, demonstration: models.defaultModel.description.demonstration)
    }
}

// MARK: - Requests

extension AgentHost: MessageHandler {
    package func handle(_ request: IncomingRequest, reply: Reply) {
        let waiters = clientLines.waiters(for: request.method)
        defer { clientLines.came(for: waiters) }
        guard let row = MethodTable.byName[request.method] else { return reply.fail(.methodNotFound(request.method)) }
        do {
            var params = try ParamsReader(request.params.reader())
            switch try row.decode(&params) {
            case .immediate(let method):
                reply.succeed(try method.run(on: self))
                method.answered(on: self)
            case .queued(let method): try enqueue(method, bytes: request.params.count, claim: params.caller, reply: reply)
            }
        } catch let error as JSONError {
            reply.fail(.invalidParams(path: error.path, reason: error.reason))
        } catch let error as RPCError {
            reply.fail(error)
        } catch let failure as Failure {
            log(failure, of: request.method)
            reply.fail(failure.wireError)
        } catch {
            // All throwing calls above are typed; the compiler sees only their union.
            logger.error("unexpected error", metadata: ["cause": .string("\(error)")])
            reply.fail(Failure(.internalError, "The request could not be read.").wireError)
        }
    }

    private func enqueue(_ method: any Method, bytes: Int, claim: CallerClaim?, reply: Reply) throws(Failure) {
        guard lifecycle.stage == .running else { throw Failure(.shuttingDown, "The host is shutting down.") }
        // The turns of `wait: false` are answered early and still run. What bypasses the limit makes room, and needs little itself.
        let (load, share) = (queue.load, method.bypassesLimit ? 2 : 1)
        guard max(connection.requestsInFlight, load.count + 1) <= share * limits.maxInFlight else {
            throw Failure(
                .overloaded, "More than \(limits.maxInFlight) requests are unanswered.",
                details: [.init("limit", .integer(Int64(limits.maxInFlight)))])
        }
        // A request that is too large for the limit by itself is taken when it is alone: it would otherwise never be.
        guard load.count == 0 || load.bytes + bytes <= share * limits.maxInFlightBytes else {
            throw Failure(
                .overloaded, "The requests that are unanswered are larger than \(limits.maxInFlightBytes) bytes.",
                details: [.init("limit", .integer(Int64(limits.maxInFlightBytes)))])
        }
        let claim = method.callerRule == .new ? nil : claim ?? state.withLock { $0.defaultCaller }
        let (caller, token) = try resolve(claim, method)
        let handle = RequestHandle(runsTurn: method is SendMessage, turns: turns)
        state.withLock { $0.handles[reply.id] = handle }
        let thread = method.asksModel ? models.defaultModel.provider.thread : nil
        queue.add(method.scope.locks(for: caller), bytes: bytes, cancellation: handle.cancellation, executor: thread) { [self] entry in
            let call = Call(
                host: self, requestID: reply.id, caller: caller, newToken: token, handle: handle, reply: reply,
                release: { entry.release() })
            await answer(call, with: method)
        }
    }

    private func resolve(_ claim: CallerClaim?, _ method: any Method) throws(Failure) -> (Caller, AnonymousToken?) {
        if let claim { return (try authentication.caller(claim, at: ambient.now()), nil) }
        guard method.callerRule != .known else {
            throw Failure(.authRequired, "This method needs a caller: a userId, a userToken, an anonymousToken or the operator.")
        }
        let (user, token) = people.newAnonymous(from: method.clientAddress)
        return (.newAnonymous(user), token)
    }

    private func answer(_ call: Call, with method: any Method) async {
        do throws(Failure) {
            let place = method.answersAtLength ? try await call.place() : nil
            defer { place?.leave() }
            guard !call.handle.isCancelled else { throw Failure(.cancelled, "The request was cancelled.") }
            guard !turns.isEnding else { throw Failure(.shuttingDown, "The host is shutting down.") }
            let result = try await method.run(call)
            forget(call)
            if let result { call.reply.succeed(result) }
        } catch {
            log(error, of: type(of: method).name)
            forget(call)
            call.reply.fail(error.wireError)
        }
    }

    /// Runs a turn that waited, and whose host is gone.
    private func adopt(_ begun: BegunTurn) {
        let thread = models.defaultModel.provider.thread
        queue.add([], beginsHere: false, executor: thread) { [turns] in await turns.run(begun, cancellation: $0.cancellation) }
    }

    /// Notes the cause of a failure that clients are not told.
    private func log(_ failure: Failure, of method: String) {
        guard let underlying = failure.underlying else { return }
        logger.warning(
            "request failed",
            metadata: ["method": .string(method), "code": .string(failure.code.rawValue), "cause": .string(underlying)])
    }

    /// Forgets a request that is about to be answered, before its id may be used again.
    func forget(_ call: Call) {
        state.withLock { state in
            if state.handles[call.requestID] === call.handle { state.handles[call.requestID] = nil }
        }
    }

    package func handle(notification: IncomingRequest) {
        let waiters = clientLines.waiters(for: notification.method)
        defer { clientLines.came(for: waiters) }
        do {
            switch notification.method {
            case CancelRequest.name:
                let id = try CancelRequest(from: notification.params).id
                state.withLock { $0.handles[id] }?.cancel()
            case AdvanceClock.name where deterministic != nil:
                deterministic?.advance(milliseconds: try AdvanceClock(from: notification.params).milliseconds)
            default:
                logger.debug("unknown notification", metadata: ["method": .string(notification.method)])
            }
        } catch {
            logger.warning(
                "notification not understood",
                metadata: ["method": .string(notification.method), "reason": .string(error.reason)])
        }
    }

    package func handle(response id: RequestID, result: Result<JSONValue, RPCError>) {
        clientRequests.answer(id, result)
    }

    package func waitUntilReadyForNextLine() {
        deterministic?.waitUntilQuiescent()
    }

    package func inputEnded() {
        // A host that is ending already stops its own reading, on a thread that must not block.
        if lifecycle.stage == .running { waitUntilReadyForNextLine() }
        end(.draining)
        endOfInput.continuation.finish()
    }

    package func outputBroken() {
        end(.broken)
    }

    package func log(_ event: TransportEvent) {
        logger.debug("transport", metadata: ["event": .string("\(event)")])
    }
}

// MARK: - The end

extension AgentHost {
    /// How long turns that were told to end may take to settle, in milliseconds.
    private static let settleMilliseconds: Int64 = 1_500

    /// Lets what was accepted come to its end, within the time that the stage of the shutdown allows; what has not ended then is interrupted.
    private func drain() async {
        var stage = lifecycle.stage
        while true {
            if await isDone(within: settings.milliseconds(for: stage), orBeyond: stage, { await self.queue.idle() }) { return }
            let current = lifecycle.stage
            if current > stage {
                stage = current
                continue
            }
            await interrupt()
            if await !isDone(within: Self.settleMilliseconds, orBeyond: .broken, { await self.queue.idle() }) {
                logger.error("ended with requests unanswered", metadata: ["turns": .stringConvertible(turns.count)])
            }
            return
        }
    }

    /// Ends what goes on.
    private func interrupt() async {
        ambient.beginActivity()
        await turns.interruptAll()
        // Requests that only wait for something end too; those that are turns have just been told.
        for handle in state.withLock({ Array($0.handles.values) }) { handle.stopWaiting() }
        ambient.endActivity()
    }

    /// Notices that the client has gone altogether while nothing is written, as in a turn that is silent for long.
    private func watchOutput() async {
        while !connection.isAbandoned {
            do throws(CancellationError) {
                try await ambient.sleep(milliseconds: 500)
            } catch {
                // Everything has come to its end.
                return
            }
        }
        end(.broken)
    }

    /// Waits for something, but no longer than some milliseconds, or until the shutdown is beyond a stage.
    ///
    /// - Returns: whether it came to its end.
    private func isDone(
        within milliseconds: Int64, orBeyond stage: Lifecycle.Stage, _ work: @escaping @Sendable () async -> Void
    ) async -> Bool {
        await lifecycle.isDone(work, orBeyond: stage) {
            // Cancelled when something else is first.
            try? await self.pass(milliseconds: milliseconds)
        }
    }

    /// Lets time pass; in a deterministic host, where nobody is left to move the clock, it moves by itself.
    private func pass(milliseconds: Int64) async throws(CancellationError) {
        if let deterministic {
            try await deterministic.pass(milliseconds: milliseconds)
        } else {
            try await ambient.sleep(milliseconds: milliseconds)
        }
    }
}
