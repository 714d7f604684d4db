import JSON

/// Executes the tool calls of one turn.
///
/// Whatever goes wrong with a call goes back to the model as the call's result, with the reason; nothing ends the turn.
final class ToolRunner: Sendable {
    /// How often one and the same call is executed in a turn.
    private static let maximumRepeats = 2

    private let tools: ToolRegistry
    private let context: ToolContext
    private let approver: (any Approver)?
    private let approvals: Approvals
    private let store: any Store
    private let ambient: any Ambient
    private let settings: ToolSettings
    /// How often each call, by name and arguments, has come.
    private let seen = Locked([String: Int]())
    private let executed = Locked(false)

    init(
        tools: ToolRegistry, context: ToolContext, approver: (any Approver)?, approvals: Approvals, store: any Store, ambient: any Ambient,
        settings: ToolSettings
    ) {
        self.tools = tools
        self.context = context
        self.approver = approver
        self.approvals = approvals
        self.store = store
        self.ambient = ambient
        self.settings = settings
    }

    /// What models are told that they may call.
    var definitions: [ToolDefinition] { tools.definitions }

    /// Whether any tool was executed.
    var hasExecuted: Bool { executed.withLock { $0 } }

    /// Executes the calls of one step side by side.
    ///
    /// - Parameter tell: called with each event, one at a time.
    /// - Returns: the results, in the order of the calls.
    func run(_ calls: [ToolCall], tell: @escaping @Sendable (TurnEvent.Body) -> Void) async -> [ToolResult] {
        let progress = Locked(Progress(left: calls.count, results: calls.map { _ in nil }, late: calls.map { _ in [] }))
        let told: @Sendable (TurnEvent.Body) -> Void = { body in progress.withLock { _ in tell(body) } }
        await withTaskGroup(of: Void.self) { group in
            for (index, call) in calls.enumerated() {
                told(.toolCallStarted(call, source: tools[call.name]?.source.name ?? "none"))
                // Each is an activity of its own; a deterministic host lets one go as far as it can before the next begins.
                ambient.beginActivity()
                // What a tool does may take long, and must not hold up what models say, which may arrive where the turn goes on.
                group.addTask(executorPreference: globalConcurrentExecutor) { [self] in
                    let told: @Sendable (TurnEvent.Body) -> Void = { body in
                        let isLate = Task.isCancelled
                        progress.withLock { progress in
                            if isLate { progress.late[index].append(body) } else { tell(body) }
                        }
                    }
                    let start = ambient.monotonicMilliseconds()
                    let result = await result(of: call, tell: told)
                    told(.toolCallCompleted(result, milliseconds: ambient.monotonicMilliseconds() - start))
                    if !progress.withLock({ $0.finish(index, result) }) { ambient.endActivity() }
                }
                await ambient.rest()
            }
            // From here on the calls are what goes on; the last hands its activity over.
            if progress.withLock({ $0.beginWaiting() }) { ambient.endActivity() }
            await group.waitForAll()
        }
        for body in progress.withLock({ $0.late.flatMap(\.self) }) { tell(body) }
        return zip(calls, progress.withLock { $0.results }).map { call, result in
            result ?? ToolResult(toolCallID: call.id, status: .cancelled, text: "The turn ended before the tool was called.")
        }
    }

    private struct Progress {
        var left: Int
        var results: [ToolResult?]
        /// What each call still had to say when the turn had been ended; that ends all calls at once, in any order.
        var late: [[TurnEvent.Body]]
        private var isWaited = false

        init(left: Int, results: [ToolResult?], late: [[TurnEvent.Body]]) {
            self.left = left
            self.results = results
            self.late = late
        }

        /// - Returns: whether somebody waits for this one, the last.
        mutating func finish(_ index: Int, _ result: ToolResult) -> Bool {
            results[index] = result
            left -= 1
            return left == 0 && isWaited
        }

        /// - Returns: whether there is anything to wait for.
        mutating func beginWaiting() -> Bool {
            isWaited = true
            return left > 0
        }
    }

    private func result(of call: ToolCall, tell: @escaping @Sendable (TurnEvent.Body) -> Void) async -> ToolResult {
        func failed(_ text: String, _ status: ToolResult.Status = .failed) -> ToolResult {
            ToolResult(toolCallID: call.id, status: status, text: text)
        }
        guard let entry = tools[call.name] else {
            let names = tools.entries.map(\.definition.name).joined(separator: ", ")
            return failed("There is no tool \"\(call.name.prefix(64))\". There are: \(names.isEmpty ? "none" : names).")
        }
        let violations = entry.definition.violations(of: call.arguments)
        guard violations.isEmpty else {
            return failed(
                "The arguments are not valid, so the tool was not called:\n" + violations.map { "- \($0)" }.joined(separator: "\n"))
        }
        guard countAndCheck(call) else {
            return failed(
                "This is the third identical call in this turn, so the tool was not called again. Use the results above, or answer.")
        }
        do throws(Failure) {
            if entry.definition.policy == .ask {
                let option = await approval(of: call, tell: tell)
                guard option.isAllowed else { return failed("The call was not allowed.", .denied) }
            }
            try await store.holdToolCall(call.id, ofTurn: context.turnID, named: call.name, for: context.caller)
            let output = await output(of: call, entry)
            try await store.settleToolCall(call.id, ofTurn: context.turnID, succeeded: output.status == .completed)
            return output
        } catch {
            return failed(error.sentenceForCallers, error.code == .cancelled ? .cancelled : .failed)
        }
    }

    private func countAndCheck(_ call: ToolCall) -> Bool {
        let key = "\(call.name) \(String(decoding: JSONWriter.encode(call.arguments.sortedByName), as: UTF8.self))"
        return seen.withLock { seen in
            seen[key, default: 0] += 1
            return seen[key, default: 0] <= Self.maximumRepeats
        }
    }

    // MARK: Approval

    private func approval(of call: ToolCall, tell: @escaping @Sendable (TurnEvent.Body) -> Void) async -> ApprovalOption {
        if let remembered = approvals.remembered(tool: call.name, conversationID: context.conversationID) { return remembered }
        guard let approver else { return settings.approvalDefault }
        tell(.approvalRequested(call))
        let option =
            await within(settings.approvalMilliseconds) { [context] in
                do throws(Failure) {
                    return try await approver.approve(call, in: context)
                } catch {
                    return ApprovalOption.rejectOnce
                }
            } ?? .rejectOnce
        approvals.remember(option, tool: call.name, conversationID: context.conversationID)
        tell(.approvalResolved(toolCallID: call.id, option))
        return option
    }

    // MARK: Execution

    private func output(of call: ToolCall, _ entry: ToolRegistry.Entry) async -> ToolResult {
        let definition = entry.definition
        executed.withLock { $0 = true }
        let outcome = await within(definition.timeoutMilliseconds) { [context] in
            do throws(Failure) {
                return Result<ToolOutput, Failure>.success(try await entry.source.call(call, in: context))
            } catch {
                return .failure(error)
            }
        }
        switch outcome {
        case nil:
            return ToolResult(
                toolCallID: call.id, status: .failed, text: "The tool did not answer within \(definition.timeoutMilliseconds) ms.")
        case .failure(let failure)?:
            return ToolResult(
                toolCallID: call.id, status: failure.code == .cancelled ? .cancelled : .failed, text: failure.sentenceForCallers)
        case .success(let output)?:
            return ToolResult(
                toolCallID: call.id, status: output.isError ? .failed : .completed,
                text: Self.cut(output.text, at: definition.maxOutputBytes), data: output.data)
        }
    }

    /// Cuts a text between characters.
    private static func cut(_ text: String, at maximum: Int) -> String {
        guard text.utf8.count > maximum else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: maximum)
        while end > text.startIndex, end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return "\(text[..<end])\n[\(text.utf8[end...].count) bytes of the output were left out]"
    }

    /// Does something within a time.
    ///
    /// - Parameter work: ends soon after its task is cancelled.
    /// - Returns: nil when the time was up first.
    private func within<Value: Sendable>(_ milliseconds: Int64, _ work: @escaping @Sendable () async -> Value) async -> Value? {
        await withTaskGroup(of: Timed<Value>.self) { group in
            // The clock that runs beside is no activity: it sleeps, which ends one, and is cancelled, which begins one.
            ambient.beginActivity()
            group.addTask { .done(await work()) }
            group.addTask { [ambient] in
                do throws(CancellationError) {
                    try await ambient.sleep(milliseconds: milliseconds)
                    return .timeIsUp
                } catch {
                    return .clockStopped
                }
            }
            var value: Value?
            for await ending in group {
                // When all of it is cancelled, the clock may stop before the work does: that is not what ended it.
                if case .clockStopped = ending { continue }
                if case .done(let outcome) = ending { value = outcome }
                break
            }
            group.cancelAll()
            await group.waitForAll()
            ambient.endActivity()
            return value
        }
    }

    /// How one of the two that run beside each other has ended: the work, or the clock.
    private enum Timed<Value: Sendable>: Sendable {
        case done(Value)
        case timeIsUp
        case clockStopped
    }
}

extension Failure {
    /// What whoever called a tool is told: of arguments that were no good, which and why, without the words of the protocol.
    fileprivate var sentenceForCallers: String {
        func detail(_ name: String) -> String? { details.first { $0.name == name }?.value.stringValue }
        guard code == .invalidParams, let path = detail("path"), let reason = detail("reason") else { return message }
        return "\(path): \(reason)"
    }
}
