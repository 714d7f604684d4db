import ParleyCore
import ParleyModels

/// The providers that the settings and the environment give, and the one that answers by default.
struct ConfiguredModels: Sendable {
    let catalog: ModelCatalog

    /// Puts the catalog together: the providers of the settings file, the presets whose keys are set, and the demonstration when nothing else
    /// is configured or somebody asks for it.
    ///
    /// - Throws: `SettingsError` for a default model that none of them has, or a script that cannot be read.
    init(_ settings: Settings, ambient: any Ambient) throws(SettingsError) {
        let chosen = settings.text("model")
        var providers: [any ModelProvider] = []
        var defaultModel = chosen
        if let chosen, chosen.hasPrefix("scripted:") {
            do throws(Failure) {
                providers.append(try ScriptedProvider(path: String(chosen.dropFirst("scripted:".count)), ambient: ambient))
            } catch {
                throw SettingsError(error.message)
            }
            defaultModel = "scripted"
        }
        if providers.isEmpty || chosen?.split(separator: ":").first == "demo" { providers.append(DemoProvider()) }
        do throws(Failure) {
            catalog = try ModelCatalog(providers: providers, defaultModel: defaultModel ?? providers[0].name)
        } catch {
            throw SettingsError(error.message)
        }
    }

    /// Lets go of connections.
    func close() {}
}
