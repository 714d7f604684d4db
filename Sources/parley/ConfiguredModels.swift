import Foundation
import Logging
import ParleyCore
import ParleyHost
import ParleyModels

/// The providers that the settings and the environment give, and the one that answers by default.
struct ConfiguredModels: Sendable {
    private(set) var catalog: ModelCatalog
    /// The servers that are connected, in the order in which the first is the default.
    let servers: [ProviderConfiguration]
    /// Nil when no provider needs the network.
    private let client: HTTPClient?
    /// The cassette that is played back; nil for none.
    private let played: (path: String, cassette: Cassette)?

    /// Puts the catalog together: the providers of the settings file, the presets whose keys are set, and the demonstration when nothing else
    /// is configured or somebody asks for it; or what a cassette has recorded, and nobody else.
    ///
    /// - Parameter clientLines: what scripts wait for; nil where no client speaks.
    /// - Throws: `SettingsError` for a default model that none of them has, or a script or a cassette that cannot be read.
    init(_ settings: Settings, ambient: any Ambient, clientLines: ClientLines? = nil) throws(SettingsError) {
        if let path = settings.text("model")?.path(after: "replay:") {
            (client, servers) = (nil, [])
            (catalog, played) = try Self.replayed(path, settings, ambient: ambient)
            return
        }
        played = nil
        var configurations = settings.providers.map { $0.connected(by: settings.environment) }
        for preset in Preset.allCases {
            guard let configuration = preset.configuration(environment: settings.environment),
                !configurations.contains(where: { $0.name == configuration.name })
            else { continue }
            configurations.append(configuration)
        }
        let http = try Self.http(settings)
        for configuration in configurations {
            do throws(HTTPFailure) {
                try HTTPClient.check(configuration.baseURL, allowingInsecureHTTPTo: http.allowInsecureHTTPHosts)
            } catch {
                throw SettingsError("The base URL of the provider \(configuration.name) cannot be used: \(error.message).")
            }
        }
        let client = configurations.isEmpty ? nil : try Self.client(http)
        var providers: [any ModelProvider] = []
        if let client {
            for var configuration in configurations {
                configuration.timeouts = Self.timeouts(settings)
                providers.append(configuration.provider(client))
            }
        }
        self.client = client
        servers = configurations

        var defaultModel = settings.text("model")
        let fallback = settings.list("models.fallback")
        do throws(Failure) {
            if let script = defaultModel?.path(after: "scripted:") {
                let provider = try ScriptedProvider(path: script, ambient: ambient, lines: clientLines)
                if let unknown = provider.awaitedMethods.sorted().first(where: { !MethodTable.knows($0) }) {
                    throw Failure(.invalidParams, "The script waits for \(unknown), which is no method.")
                }
                providers.append(provider)
                defaultModel = "scripted"
            }
            let named = [defaultModel].compactMap(\.self) + fallback
            if providers.isEmpty || named.contains(where: { $0.split(separator: ":").first == "demo" }) { providers.append(DemoProvider()) }
            // MiniMax is the hosted default; otherwise whoever is first, which is the settings file's first provider.
            let preferred = providers.first { $0.name == Preset.minimax.rawValue } ?? providers[0]
            catalog = try ModelCatalog(
                providers: providers, defaultModel: defaultModel ?? preferred.name, fallback: fallback,
                allowed: Self.allowance(settings))
        } catch {
            client?.close()
            if error.details.first?.value == "models.fallback" { throw SettingsError(error.message) }
            throw SettingsError(defaultModel.map { "model \($0): \(error.message)" } ?? error.message)
        }
    }

    /// What whoever runs the host should know; nil for nothing.
    var warning: String? {
        played.flatMap { $0.cassette.endsInHalfLine ? "the cassette \($0.cassette.name) ends in half a line, which is passed over" : nil }
    }

    /// The same models, each exchange with which is written to a cassette.
    ///
    /// - Parameters:
    ///   - path: where the cassette is, or is to be.
    ///   - ambient: whose clock says when something came.
    /// - Throws: `SettingsError` for a file that cannot be recorded to.
    func recorded(to path: String, ambient: any Ambient, logger: Logger) throws(SettingsError) -> ConfiguredModels {
        if let played, URL(filePath: played.path).resolvingSymlinksInPath() == URL(filePath: path).resolvingSymlinksInPath() {
            throw SettingsError("record: the cassette \(played.cassette.name) is played back; record to another file.")
        }
        let session = Cassette.Session(
            recordedAt: ambient.now().rfc3339, defaultModel: catalog.defaultModel.id, fallback: catalog.fallback.map(\.id),
            providers: catalog.providers.map { Cassette.Provider(name: $0.name, models: $0.models) })
        let secrets = servers.flatMap { [$0.apiKey].compactMap(\.self) + $0.headers.fields.map(\.value) }
        do throws(Failure) {
            let writer = try CassetteWriter(path: path, session: session, secrets: secrets, logger: logger)
            var recorded = self
            recorded.catalog = catalog.calling { RecordingProvider($0, writer: writer, ambient: ambient) }
            return recorded
        } catch {
            throw SettingsError("record: \(error.message)")
        }
    }

    /// The variable that holds a server's key.
    ///
    /// - Parameter name: the server's, the first half of `PROVIDER:MODEL`.
    /// - Returns: nil for a server that has none.
    func keyVariable(of name: String, _ settings: Settings) -> String? {
        if let provider = settings.providers.first(where: { $0.name == name }) { return provider.apiKeyEnv }
        return Preset(rawValue: name)?.keyVariable
    }

    /// Lets go of connections.
    func close() {
        client?.close()
    }

    /// The models of a cassette under the names that they had, with the default and the fallbacks that they had unless settings name others.
    private static func replayed(
        _ path: String, _ settings: Settings, ambient: any Ambient
    ) throws(SettingsError) -> (ModelCatalog, (String, Cassette)) {
        do throws(Failure) {
            let player = try CassettePlayer(path: path)
            let session = player.cassette.sessions[player.cassette.sessions.count - 1]
            let catalog = try ModelCatalog(
                providers: player.providers(ambient: ambient, keepsTime: settings.flag("models.replay.timing")),
                defaultModel: session.defaultModel,
                fallback: settings.text("models.fallback") == nil ? session.fallback : settings.list("models.fallback"),
                allowed: allowance(settings))
            return (catalog, (path, player.cassette))
        } catch {
            throw SettingsError("model replay:\(path): \(error.message)")
        }
    }

    private static func allowance(_ settings: Settings) -> ModelAllowance {
        ModelAllowance(anonymous: settings.list("models.allowed.anonymous"), user: settings.list("models.allowed.user"))
    }

    private static func timeouts(_ settings: Settings) -> ServerTimeouts {
        ServerTimeouts(
            connect: .seconds(settings.integer("models.connectTimeoutSeconds")),
            firstByte: .seconds(settings.integer("models.firstByteTimeoutSeconds")),
            idle: .seconds(settings.integer("models.idleTimeoutSeconds")))
    }

    /// What the settings say of HTTP, and, where they say nothing, the environment.
    private static func http(_ settings: Settings) throws(SettingsError) -> HTTPClientConfiguration {
        var http = HTTPClientConfiguration(
            caBundle: settings.text("models.http.caBundle"), version: settings.text("models.http.version") == "2" ? .http2 : .http1,
            allowInsecureHTTPHosts: Set(settings.list("models.http.insecureHosts").map { $0.lowercased() }))
        if let caBundle = http.caBundle, !FileManager.default.isReadableFile(atPath: caBundle) {
            throw SettingsError("models.http.caBundle: the file \(caBundle) cannot be read.")
        }
        http = http.completed(from: settings.environment)
        if let proxy = settings.text("models.http.proxy") {
            let url = proxy == SettingKey.noLimit ? nil : proxy
            http.proxy = HTTPProxySettings(https: url, http: url, exceptions: http.proxy.exceptions)
        }
        return http
    }

    private static func client(_ http: HTTPClientConfiguration) throws(SettingsError) -> HTTPClient {
        do {
            return try HTTPClient(configuration: http)
        } catch {
            throw SettingsError("The HTTP client could not be started: \(error).")
        }
    }
}

extension String {
    /// The file of `scripted:FILE` or `replay:FILE`.
    fileprivate func path(after prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
