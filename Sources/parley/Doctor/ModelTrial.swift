import ParleyCore
import ParleyModels

/// One short question to a real model: whether its server is there, takes the key, knows the model and answers.
struct ModelTrial: Sendable {
    /// The model to ask.
    let model: ModelCatalog.Selection
    /// The URL of its server, as it may be shown.
    let place: String
    /// The variable with the key; nil when the server has none.
    let keyVariable: String?

    /// The longest answer that is paid for, in tokens. Models that think need more than one before they say anything, and some servers
    /// refuse so small a bound.
    static let maximumTokens = 16
    /// How long the whole answer may take, in milliseconds.
    private static let deadline: Int64 = 30_000

    /// What came of it.
    struct Outcome: Sendable {
        let finding: Finding
        /// Whether another model of the same server would fare no better.
        let concernsServer: Bool
    }

    /// Asks the model, once and not again.
    ///
    /// - Parameter ambient: whose clock measures.
    func run(_ ambient: any Ambient) async -> Outcome {
        let start = ambient.monotonicMilliseconds()
        do throws(Failure) {
            try await answer(ambient)
            let milliseconds = ambient.monotonicMilliseconds() - start
            return Outcome(finding: .ok(.models, "\(model.id) answered after \(milliseconds) ms."), concernsServer: false)
        } catch {
            return outcome(of: error)
        }
    }

    private func answer(_ ambient: any Ambient) async throws(Failure) {
        let question = Message(
            id: "question", conversationID: "doctor", turnID: "doctor", parentID: nil, role: .user, content: [.text("Say hi.")],
            status: .complete, createdAt: ambient.now())
        let request = ModelRequest(model: model.model, instructions: "", messages: [question], maxOutputTokens: Self.maximumTokens)
        let provider = model.provider
        let outcome: Result<Void, Failure> = await withTaskGroup(of: Result<Void, Failure>.self) { group in
            group.addTask {
                do throws(Failure) {
                    var stream = try await provider.stream(request)
                    while try await stream.next() != nil {}
                    return .success(())
                } catch {
                    return .failure(error)
                }
            }
            group.addTask {
                // Woken early only when the answer is there, and then nobody looks at this.
                try? await ambient.sleep(milliseconds: Self.deadline)
                return .failure(Failure(.modelTimeout, "\"\(provider.name)\" did not answer within \(Self.deadline / 1_000) s."))
            }
            let first = await group.next() ?? .success(())
            group.cancelAll()
            return first
        }
        try outcome.get()
    }

    private func outcome(of failure: Failure) -> Outcome {
        let cause = failure.underlying.map { " (\($0))" } ?? ""
        let message = "\(model.id): \(failure.message)\(cause)"
        let status = failure.details.first { $0.name == "providerStatus" }?.value.intValue
        func problem(_ advice: String, concernsServer: Bool = true) -> Outcome {
            Outcome(finding: .problem(.models, message, advice), concernsServer: concernsServer)
        }
        switch failure.code {
        case .modelAuth:
            return problem(keyVariable.map { "Put a valid key into \($0)." } ?? "Name the variable with its key: apiKeyEnv.")
        case .modelBilling: return problem("Look at the account with the provider: it has no credit left, or the key's budget is used up.")
        case .modelRateLimited:
            let advice = "The server is there and takes the key; try again later, or ask the provider for a higher rate."
            return Outcome(finding: .warning(.models, message, advice), concernsServer: true)
        case .modelRejected where status == 404:
            return problem("Look for the model's right name, and whether \(place) is the right base URL.", concernsServer: false)
        case .modelRejected, .contextWindowExceeded:
            return problem("The server wants the request otherwise: see the switches of providers in the README.", concernsServer: false)
        case .modelTimeout: return problem("The server at \(place) takes long or does not answer; try again, or use another model.")
        default:
            return problem(
                status == nil
                    ? "Look at \(place): is it right, is the server up, does a proxy (models.http.proxy, HTTPS_PROXY) stand between, is its certificate known (models.http.caBundle)?"
                    : "The server at \(place) has trouble of its own, or is not the right one; try again later.")
        }
    }
}
