/// The calls of models within a turn: what stays the same from one to the next, and what moves on.
struct ModelCalls {
    /// A model that may answer.
    struct Candidate {
        /// The model, or why there is none of the name.
        let selection: Result<ModelCatalog.Selection, Failure>
        /// Whether the turn's person may know which model it is.
        let isShown: Bool
    }

    /// The models that may answer, in the order in which they are tried; never empty.
    private let candidates: [Candidate]
    /// Which of them is asked. A turn stays with the one that answered.
    private var current = 0
    let instructions: String
    let temperature: Double?
    let maxOutputTokens: Int?
    let tools: [ToolDefinition]
    /// Whether the turn's person may see what the model thinks, and what it costs.
    let showsInsides: Bool
    /// The conversation up to the message that the next one follows.
    let path: ConversationPath
    /// How much the models may still say, in bytes.
    var bytesLeft: Int
    /// What is known of how the model counts; nil before it has counted anything in this turn.
    var estimate: TokenEstimate?
    /// The most bytes that the messages may have, since the model has refused more; nil when it has refused nothing.
    private var ceiling: Int?
    /// Bytes of what goes along with the messages.
    private let fixedBytes: Int

    /// Gathers what a turn's calls need.
    ///
    /// - Parameters:
    ///   - candidates: at least one.
    ///   - path: ends with the message that is answered.
    init(
        candidates: [Candidate], bot: Bot?, defaultInstructions: String, maxOutputTokens: Int?, tools: [ToolDefinition], showsInsides: Bool,
        path: ConversationPath, bytesLeft: Int
    ) {
        self.candidates = candidates
        self.maxOutputTokens = maxOutputTokens
        self.tools = tools
        self.showsInsides = showsInsides
        self.path = path
        self.bytesLeft = bytesLeft
        instructions = bot?.instructions ?? defaultInstructions
        temperature = bot?.temperature
        fixedBytes = tools.reduce(instructions.utf8.count) { $0 + $1.modelBytes }
    }

    /// The model that is asked.
    ///
    /// - Throws: `modelUnavailable` when this host has none of the name.
    func selection() throws(Failure) -> ModelCatalog.Selection { try candidates[current].selection.get() }

    /// The thread on which its answer arrives, if there is one.
    var thread: (any ModelThread)? {
        @inline(never) get { if case .success(let selection) = candidates[current].selection { selection.provider.thread } else { nil } }
    }

    /// `PROVIDER:MODEL` of the model that is asked, if the turn's person may know it.
    var shownModel: String? {
        guard candidates[current].isShown, case .success(let selection) = candidates[current].selection else { return nil }
        return selection.id
    }

    /// Turns to the next model.
    ///
    /// - Returns: false when there is none.
    mutating func moveOn() -> Bool {
        guard current + 1 < candidates.count else { return false }
        current += 1
        estimate = nil
        ceiling = nil
        return true
    }

    /// What the model is asked now.
    ///
    /// - Returns: nil when the path must be read first.
    /// - Throws: what `selection` throws.
    func next() throws(Failure) -> ModelCall? {
        let selection = try selection()
        guard let (fit, omissions) = fit(for: selection) else { return nil }
        let request = ModelRequest(
            model: selection.model, instructions: instructions, messages: path.messages(fit, for: selection.id), tools: tools,
            temperature: temperature, maxOutputTokens: maxOutputTokens)
        return ModelCall(request, to: selection, bytes: fixedBytes + fit.bytes, omissions: omissions)
    }

    /// What of the path is sent, and what is not.
    private func fit(for selection: ModelCatalog.Selection) -> (fit: ContextWindow.Fit, omissions: Omissions)? {
        guard let (outline, earlierCount) = path.outline(for: selection.id, readsHistory: selection.provider.readsHistory) else {
            return nil
        }
        let estimate = estimate ?? learned(from: outline, of: selection)
        let bounds = [budget(of: selection, estimate), ceiling.map { estimate.tokens(of: $0) }]
        let fit = ContextWindow(budget: bounds.compactMap(\.self).min(), estimate: estimate).fit(outline)
        var omissions = fit.omissions
        omissions.messagesLeftOut += earlierCount
        return (fit, omissions)
    }

    /// Takes it from the model's refusal that half of what it was sent is enough, for the rest of the turn.
    ///
    /// - Returns: whether less would be sent now.
    @inline(never)
    mutating func halve() -> Bool {
        guard case .success(let selection) = candidates[current].selection, let refused = fit(for: selection) else { return false }
        ceiling = refused.fit.bytes / 2
        return fit(for: selection)?.omissions != refused.omissions
    }

    /// How many tokens the messages may take: what is left of the model's window beside instructions, tools and the answer.
    private func budget(of selection: ModelCatalog.Selection, _ estimate: TokenEstimate) -> Int? {
        guard let window = selection.description.contextWindow else { return nil }
        // A bound on the answer that is larger than any answer must not cost the whole history.
        let answer = maxOutputTokens.map { min($0, window / 2) } ?? min(window / 4, 8_192)
        return max(0, window - answer - estimate.tokens(of: fixedBytes))
    }

    /// What the newest answer of the same model tells of how it counts. What it was sent then is what would be sent now, up to there.
    private func learned(from outline: HistoryOutline, of selection: ModelCatalog.Selection) -> TokenEstimate {
        guard let counted = outline.counted else { return TokenEstimate() }
        let sent = ContextWindow(budget: budget(of: selection, TokenEstimate()), estimate: TokenEstimate())
            .fit(outline, before: counted.turn, and: counted.before)
        return TokenEstimate(tokens: counted.tokens, of: fixedBytes + sent.bytes)
    }

    /// The assistant's message, empty.
    func message(in turn: RunningTurn, _ ambient: any Ambient) -> Message {
        Message(
            id: ambient.newID(.message), conversationID: turn.conversationID, turnID: turn.id, parentID: path.lastMessageID,
            role: .assistant, content: [], status: .partial, model: shownModel, createdAt: ambient.now())
    }
}

/// One call of a model.
final class ModelCall {
    let selection: ModelCatalog.Selection
    /// How many bytes the model is sent.
    let bytes: Int
    /// What of the conversation it is not sent.
    let omissions: Omissions
    private var request: ModelRequest?

    /// Names what a model is to be asked.
    init(_ request: ModelRequest, to selection: ModelCatalog.Selection, bytes: Int, omissions: Omissions) {
        self.request = request
        self.selection = selection
        self.bytes = bytes
        self.omissions = omissions
    }

    /// Asks, once. The request is let go of then: it holds a whole conversation, and an answer may take minutes.
    ///
    /// - Throws: as `ModelProvider.stream`.
    nonisolated(nonsending) func begin() async throws(Failure) -> any ModelStream {
        guard let request else { throw Failure(.internalError, "A model was asked the same twice.") }
        self.request = nil
        return try await selection.provider.stream(request)
    }
}

/// What a turn has come to, whatever becomes of it.
struct TurnAccount {
    /// What it costs.
    var usage = TurnUsage()
    /// What of the conversation the models were not sent; of several calls, the most.
    private(set) var omissions = Omissions()

    /// Notes what a call leaves out.
    mutating func note(_ omissions: Omissions) {
        self.omissions = Omissions(
            messagesLeftOut: max(self.omissions.messagesLeftOut, omissions.messagesLeftOut),
            toolOutputsCleared: max(self.omissions.toolOutputsCleared, omissions.toolOutputsCleared))
    }
}
