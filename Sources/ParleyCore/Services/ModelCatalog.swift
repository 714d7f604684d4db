/// The models that this process can call, and which of them answers when nobody chose.
package struct ModelCatalog: Sendable {
    /// One model as clients see it.
    package struct Entry: Hashable, Sendable {
        /// `PROVIDER:MODEL`.
        package var id: String
        /// Who calls the model.
        package var provider: String
        /// What it is for, in the words of its owner.
        package var description: ModelDescription
        /// Whether it answers when nobody chose.
        package var isDefault: Bool
    }

    /// A model with the provider that calls it.
    package struct Selection: Sendable {
        /// Who calls the model.
        package var provider: any ModelProvider
        /// The second half of `PROVIDER:MODEL`.
        package var model: String
        /// What is known of the model.
        package var description: ModelDescription
        /// `PROVIDER:MODEL`.
        package var id: String { "\(provider.name):\(model)" }
    }

    /// Who calls models, in order.
    package private(set) var providers: [any ModelProvider]
    private let allowed: ModelAllowance
    /// The model that answers when neither the message nor the bot names one.
    package private(set) var defaultModel: Selection
    /// The models that answer when that one, or a bot's own, cannot, in order.
    package private(set) var fallback: [Selection]

    /// Puts a catalog together.
    ///
    /// - Parameters:
    ///   - providers: each with a name of its own.
    ///   - defaultModel: `PROVIDER:MODEL`, or `PROVIDER` for that provider's first model.
    ///   - fallback: models in the same form.
    ///   - allowed: who may choose which.
    /// - Throws: `invalidParams` (path `model`, or `models.fallback`) when one of them names no model of these.
    package init(
        providers: [any ModelProvider], defaultModel: String, fallback: [String] = [], allowed: ModelAllowance = ModelAllowance()
    ) throws(Failure) {
        self.providers = providers
        self.allowed = allowed
        self.defaultModel = try Self.select(defaultModel, from: providers)
        var selections: [Selection] = []
        for name in fallback {
            do throws(Failure) {
                selections.append(try Self.select(name, from: providers))
            } catch {
                throw error.at(path: "models.fallback")
            }
        }
        self.fallback = selections
    }

    /// The same catalog, whose models are called through something else.
    ///
    /// - Parameter wrap: what calls a provider's models; it has the provider's name and models.
    package func calling(through wrap: (any ModelProvider) -> any ModelProvider) -> ModelCatalog {
        var catalog = self
        catalog.providers = providers.map(wrap)
        catalog.defaultModel.provider = wrap(defaultModel.provider)
        catalog.fallback = fallback.map { Selection(provider: wrap($0.provider), model: $0.model, description: $0.description) }
        return catalog
    }

    /// All models known by name, in the order of their providers.
    package var entries: [Entry] {
        providers.flatMap { provider in
            provider.models.map { description in
                let id = "\(provider.name):\(description.model)"
                return Entry(id: id, provider: provider.name, description: description, isDefault: id == defaultModel.id)
            }
        }
    }

    /// The models that a person may choose.
    package func entries(for kind: PersonKind) -> [Entry] {
        entries.filter { allowed.allows($0.id, isDefault: $0.isDefault, for: kind) }
    }

    /// Makes sure that a person may choose a model.
    ///
    /// - Parameter id: `PROVIDER:MODEL`.
    /// - Throws: `modelNotAllowed`.
    package func requireAllowed(_ id: String, for kind: PersonKind) throws(Failure) {
        guard allowed.allows(id, isDefault: id == defaultModel.id, for: kind) else {
            throw Self.notAllowed(id)
        }
    }

    private static func notAllowed(_ name: String) -> Failure {
        let shown = String(name.prefix(Limits.maxModelBytes))
        return Failure(.modelNotAllowed, "The model \"\(shown)\" is not allowed here.", details: [.init("model", .string(shown))])
    }

    /// Finds the model that a name means, if the person may choose it.
    ///
    /// - Parameter name: `PROVIDER:MODEL`, or `PROVIDER` for that provider's first model.
    /// - Throws: `invalidParams` (path `model`), `modelNotAllowed`.
    package func select(_ name: String, for kind: PersonKind) throws(Failure) -> Selection {
        let selection: Selection
        do throws(Failure) {
            selection = try select(name)
        } catch {
            // Who may not choose freely need not learn what there is.
            guard allowed.allowsAll(for: kind) else { throw Self.notAllowed(name) }
            throw error
        }
        try requireAllowed(selection.id, for: kind)
        return selection
    }

    /// Finds the model that a name means.
    ///
    /// - Parameter name: `PROVIDER:MODEL`, or `PROVIDER` for that provider's first model.
    /// - Throws: `invalidParams` (path `model`).
    package func select(_ name: String) throws(Failure) -> Selection {
        try Self.select(name, from: providers)
    }

    private static func select(_ name: String, from providers: [any ModelProvider]) throws(Failure) -> Selection {
        guard name.utf8.count <= Limits.maxModelBytes else {
            throw .invalidParams(path: "model", reason: "longer than \(Limits.maxModelBytes) bytes")
        }
        let halves = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let provider = providers.first(where: { $0.name == halves[0] }) else {
            let known = providers.map(\.name).joined(separator: ", ")
            throw .invalidParams(path: "model", reason: "no provider has the name \"\(halves[0])\" (there are: \(known))")
        }
        if halves.count == 1 {
            guard let first = provider.models.first else {
                throw .invalidParams(path: "model", reason: "the provider \"\(name)\" has no default model: write \(name):MODEL")
            }
            return Selection(provider: provider, model: first.model, description: first)
        }
        let model = String(halves[1])
        guard !model.isEmpty else { throw .invalidParams(path: "model", reason: "the model's name is missing after the colon") }
        let description = provider.models.first { $0.model == model } ?? ModelDescription(model: model)
        return Selection(provider: provider, model: model, description: description)
    }
}
