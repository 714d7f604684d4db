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
    /// The message that the next one follows.
    var parentID: String {
        didSet { knownHistory = nil }
    }
    /// The conversation up to that message, where it is known without a look into the store: it begins with it.
    private(set) var knownHistory: History?
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
    ///   - question: the message that is answered.
    init(
        candidates: [Candidate], bot: Bot?, defaultInstructions: String, maxOutputTokens: Int?, tools: [ToolDefinition], showsInsides: Bool,
        question: Message, bytesLeft: Int
    ) {
        self.candidates = candidates
        self.maxOutputTokens = maxOutputTokens
        self.tools = tools
        self.showsInsides = showsInsides
        parentID = question.id
        knownHistory = question.parentID == nil ? History(messages: [question], earlierCount: 0) : nil
        self.bytesLeft = bytesLeft
        instructions = bot?.instructions ?? defaultInstructions
        temperature = bot?.temperature
        fixedBytes = instructions.utf8.count + tools.modelBytes
    }

    /// The model that is asked.
    ///
    /// - Throws: `modelUnavailable` when this host has none of the name.
    func selection() throws(Failure) -> ModelCatalog.Selection { try candidates[current].selection.get() }

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

    /// What the model is asked.
    ///
    /// - Parameter history: the conversation up to the message to answer.
    /// - Returns: the request, what of the history is not in it, and how many bytes it has.
    func request(
        _ history: History, to selection: ModelCatalog.Selection
    ) -> (request: ModelRequest, omissions: Omissions, bytes: Int) {
        let messages = ModelHistory.prepared(history.messages, for: selection.id)
        let estimate = estimate ?? learned(from: messages, of: selection)
        let bounds = [budget(of: selection, estimate), ceiling.map { estimate.tokens(of: $0) }]
        var (kept, omissions) = ContextWindow(budget: bounds.compactMap(\.self).min(), estimate: estimate).fitted(messages)
        omissions.messagesLeftOut += history.earlierCount
        let request = ModelRequest(
            model: selection.model, instructions: instructions, messages: kept, tools: tools, temperature: temperature,
            maxOutputTokens: maxOutputTokens)
        return (request, omissions, kept.reduce(fixedBytes) { $0 + $1.modelBytes })
    }

    /// Takes it from the model's refusal that half of what it was sent is enough, for the rest of the turn.
    ///
    /// - Returns: whether less would be sent now.
    mutating func halve(_ history: History) -> Bool {
        guard case .success(let selection) = candidates[current].selection else { return false }
        let (_, omissions, bytes) = request(history, to: selection)
        ceiling = (bytes - fixedBytes) / 2
        return request(history, to: selection).omissions != omissions
    }

    /// How many tokens the messages may take: what is left of the model's window beside instructions, tools and the answer.
    private func budget(of selection: ModelCatalog.Selection, _ estimate: TokenEstimate) -> Int? {
        guard let window = selection.description.contextWindow else { return nil }
        // A bound on the answer that is larger than any answer must not cost the whole history.
        let answer = maxOutputTokens.map { min($0, window / 2) } ?? min(window / 4, 8_192)
        return max(0, window - answer - estimate.tokens(of: fixedBytes))
    }

    /// What the newest answer of the same model tells of how it counts. What it was sent then is what would be sent now, up to there.
    private func learned(from messages: [Message], of selection: ModelCatalog.Selection) -> TokenEstimate {
        let newest = messages.lastIndex { message in
            message.role == .assistant && message.model == selection.id && message.usage.map { !$0.isEstimated } ?? false
        }
        guard let newest, let usage = messages[newest].usage else { return TokenEstimate() }
        let window = ContextWindow(budget: budget(of: selection, TokenEstimate()), estimate: TokenEstimate())
        let sent = window.fitted(Array(messages[..<newest])).messages
        return TokenEstimate(tokens: usage.inputTokens, of: sent.reduce(fixedBytes) { $0 + $1.modelBytes })
    }

    /// The assistant's message, empty.
    func message(in turn: RunningTurn, _ ambient: any Ambient) -> Message {
        Message(
            id: ambient.newID(.message), conversationID: turn.conversationID, turnID: turn.id, parentID: parentID, role: .assistant,
            content: [], status: .partial, model: shownModel, createdAt: ambient.now())
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
