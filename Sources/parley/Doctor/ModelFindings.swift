import ParleyCore
import ParleyModels

/// What there is to say about the models, without asking any.
struct ModelFindings {
    private let settings: Settings
    private let models: ConfiguredModels

    init(_ settings: Settings, _ models: ConfiguredModels) {
        (self.settings, self.models) = (settings, models)
    }

    /// Who answers, where the servers are, and whether they have their keys.
    var all: [Finding] { [answering] + servers }

    private var answering: Finding {
        let chosen = models.catalog.defaultModel
        guard !chosen.description.demonstration || settings.text("model") != nil else {
            let variables = Preset.allCases.map(\.keyVariable).joined(separator: ", ")
            return .warning(
                .models, "A built-in demonstration answers, because no model is configured.",
                "Set one of \(variables), or name a server in a settings file; this command must have the same environment as the host.")
        }
        let fallback = models.catalog.fallback.map(\.id)
        return .ok(
            .models,
            "\(chosen.id) answers by default" + (fallback.isEmpty ? "." : ", and when it cannot, \(fallback.joined(separator: ", then ")).")
        )
    }

    private var servers: [Finding] {
        models.servers.map { server in
            let place = "\(server.name) at \(Credentials.masked(inURL: server.baseURL))"
            let missing = missingVariables(of: server)
            guard missing.isEmpty else {
                let message = "\(place): \(missing.joined(separator: " and ")) \(missing.count == 1 ? "is" : "are") not set."
                let advice = "Set \(missing.count == 1 ? "it" : "them") in the environment of the host."
                return isNeeded(server) ? .problem(.models, message, advice) : .warning(.models, message, advice)
            }
            let key = server.apiKey == nil ? "no key" : "key set"
            let known = server.models.isEmpty ? ", none of its models known by name" : ""
            return .ok(.models, "\(place): \(key)\(known).")
        }
    }

    private func missingVariables(of server: ProviderConfiguration) -> [String] {
        let variables = settings.providers.first { $0.name == server.name }?.variables ?? []
        return variables.filter { settings.environment[$0]?.isEmpty ?? true }
    }

    /// Whether it answers by default, or when another cannot.
    private func isNeeded(_ server: ProviderConfiguration) -> Bool {
        ([models.catalog.defaultModel] + models.catalog.fallback).contains { $0.provider.name == server.name }
    }
}
