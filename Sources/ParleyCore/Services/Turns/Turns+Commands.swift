/// Turns that are commands: the host answers them itself.
extension Turns {
    /// Does what a command asks for and says what came of it. No model is asked, and nothing is counted but calls of tools.
    ///
    /// - Parameters:
    ///   - command: nil when the message is the argument that an earlier command waits for.
    ///   - text: the message.
    func execute(
        _ command: SlashCommand?, text: String, _ admission: Shared<AdmittedTurn>, client: TurnClient, turn: RunningTurn,
        observer: any TurnObserver
    ) async -> Shared<Ending> {
        var ending: Ending
        do throws(Failure) {
            let commands = try registry(with: client.sources).commands
            let said: (text: String, outcome: CommandOutcome)
            var parentID = admission.userMessage.id
            switch CommandStep.next(after: command, text: text, pending: admission.pendingCommand, in: commands) {
            case .answer(let text, let pending): said = (text, CommandOutcome(pending: pending))
            case .call(let name, let arguments):
                let call = ToolCall(id: ambient.newID(.toolCall), name: name, arguments: arguments.value)
                let result = try await execute(
                    call, with: toolRunner(commands, for: admission, client), turn: turn, observer: observer, parentID: &parentID)
                // Who only asks for help has not answered yet.
                let pending = name == ConversationTools.help ? admission.pendingCommand : nil
                said = (
                    result.text.isEmpty ? "`/\(name)` is done." : result.text,
                    CommandOutcome(pending: pending, clearsHead: name == ConversationTools.clear && result.status == .completed)
                )
            }
            let remark = remark(on: admission.pendingCommand, after: command, leaving: said.outcome.pending)
            observer.observe(turn.append([AnswerPiece(kind: .text, text: said.text + remark)]) { localMessage(in: turn, after: parentID) })
            ending = Ending(status: .completed, stopReason: .endTurn, command: said.outcome)
        } catch {
            if turn.cause == nil { log(error, turn: turn) }
            ending = .failed(error)
        }
        if let cause = turn.cause, ending.status != .completed { ending = self.ending(for: cause, isLocal: true) }
        return Shared(ending)
    }

    /// What became of a command that waited while another one came; empty when there was none, or it is plain.
    private func remark(on before: PendingCommand?, after command: SlashCommand?, leaving now: PendingCommand?) -> String {
        guard let before, command?.name != nil else { return "" }
        return now == before ? "\n\n`/\(before.name)` still waits for `\(before.field)`." : "\n\n`/\(before.name)` waits no more."
    }

    /// Calls a tool as a model would, call and result as messages of their own.
    ///
    /// - Parameter parentID: the message that the next one follows.
    private func execute(
        _ call: ToolCall, with runner: ToolRunner, turn: RunningTurn, observer: any TurnObserver, parentID: inout String
    ) async throws(Failure) -> ToolResult {
        let (asked, sequence) = turn.endStep(with: [call]) { localMessage(in: turn, after: parentID) }
        try await store.appendMessages([asked], toTurn: turn.id, lastSequence: sequence)
        turn.didStore(asked)
        let result = await runner.run([call]) { [observer, turn] in observer.observe([turn.event($0)]) }[0]
        parentID = try await store([result], of: asked, in: turn).id
        if turn.cause != nil { throw .endedEarly }
        return result
    }

    /// The assistant's message, empty.
    private func localMessage(in turn: RunningTurn, after parentID: String) -> Message {
        Message(
            id: ambient.newID(.message), conversationID: turn.conversationID, turnID: turn.id, parentID: parentID, role: .assistant,
            content: [], status: .partial, isLocal: true, createdAt: ambient.now())
    }
}
