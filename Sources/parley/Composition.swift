import Foundation
import Logging
import ParleyCore
import ParleyHost
import ParleyModels
import ParleySQLite

/// Where everything is put together, and nowhere else.
struct Composition: Sendable {
    let host: AgentHost
    let store: SQLiteStore
    private let models: ConfiguredModels
    private let logger: Logger

    /// Opens a host by the flags of a command.
    ///
    /// - Parameter deterministic: a clock that only the client moves, counted ids, a database in memory, the demo model unless another is
    ///   named, nothing from the environment.
    /// - Throws: `SettingsError`, `DatabaseError`.
    static func open(_ flags: SettingsFlags, deterministic: Bool) async throws -> Composition {
        let settings = try flags.settings(usesEnvironment: !deterministic)
        let logger = makeLogger(settings)
        for name in settings.unknownVariables {
            logger.warning("an environment variable is no setting", metadata: ["variable": .string(name)])
        }
        let ambient: any Ambient = deterministic ? DeterministicAmbient() : SystemAmbient()
        let clientLines = ClientLines(ambient: ambient)
        var models = try ConfiguredModels(settings, ambient: ambient, clientLines: clientLines)
        // All that can be wrong with the settings first, for opening the database changes it.
        let authentication = try await AuthSettings.authentication(settings)
        let defaultUserID = try defaultUserID(settings)
        if let warning = models.warning { logger.warning("\(warning)") }
        if let cassette = settings.text("record") { models = try models.recorded(to: cassette, ambient: ambient, logger: logger) }
        let store = try openStore(settings, deterministic: deterministic, ambient: ambient, logger: logger)
        let host = try AgentHost(
            info: HostInfo(name: "parley", version: deterministic ? "0.0.0" : Version.current), limits: limits(settings),
            settings: hostSettings(settings), turnSettings: turnSettings(settings),
            toolSettings: toolSettings(settings), store: store, models: models.catalog, ambient: ambient, clientLines: clientLines,
            authentication: authentication, defaultUserID: defaultUserID, logger: logger)
        return Composition(host: host, store: store, models: models, logger: logger)
    }

    /// Serves a connection until its end, then closes what was opened.
    func serve(input: Int32, output: Int32) async {
        await host.run(input: input, output: output)
        models.close()
        do {
            try await store.close()
        } catch {
            logger.error("the database was not closed cleanly", metadata: ["cause": .string(error.underlying ?? error.message)])
        }
    }

    /// The model servers and the models that settings give, a line each, for `parley config`.
    static func describeModels(_ settings: Settings) throws(SettingsError) -> [String] {
        let models = try ConfiguredModels(settings, ambient: SystemAmbient())
        defer { models.close() }
        let servers = models.servers.map { server in
            "server  \(server.name)  \(Credentials.masked(inURL: server.baseURL))  \(server.apiKey == nil ? "no key" : "key set (masked)")"
        }
        return servers
            + models.catalog.entries.map { entry in
                let window = entry.description.contextWindow.map { "  \($0) tokens" } ?? ""
                let remark = entry.description.demonstration ? "  (a demonstration)" : ""
                return "model  \(entry.id)\(window)\(entry.isDefault ? "  (default)" : "")\(remark)"
            }
    }

    /// Opens the database for a command that is no host.
    ///
    /// - Throws: `DatabaseError`.
    static func openStore(_ settings: Settings) throws -> (store: SQLiteStore, ambient: any Ambient) {
        let ambient = SystemAmbient()
        return (try openStore(settings, deterministic: false, ambient: ambient, logger: makeLogger(settings)), ambient)
    }

    private static func makeLogger(_ settings: Settings) -> Logger {
        let level = settings.text("log.level").flatMap(Logger.Level.init(rawValue:)) ?? .notice
        let format = settings.text("log.format").flatMap(StderrLogHandler.Format.init(rawValue:)) ?? .text
        return Logger(label: "parley") { _ in StderrLogHandler(level: level, format: format) }
    }

    private static func openStore(
        _ settings: Settings, deterministic: Bool, ambient: any Ambient, logger: Logger
    ) throws -> SQLiteStore {
        let path = settings.text("database")
        if deterministic, let path, path != ":memory:" {
            throw SettingsError("A deterministic host keeps its database in memory: leave --database out.")
        }
        let location: SQLiteStoreConfiguration.Location =
            deterministic || path == ":memory:" ? .memory : .file(path: path ?? DatabasePath.standard(environment: settings.environment))
        SQLiteStore.keepNoAccountOfMemory()
        do throws(StoreOpenFailure) {
            return try SQLiteStore.open(
                SQLiteStoreConfiguration(
                    location: location, durability: settings.text("durability") == "full" ? .full : .normal,
                    busyTimeout: .milliseconds(settings.integer("store.busyTimeoutMilliseconds")),
                    quotas: QuotaSettings.policy(settings), logger: logger, now: { ambient.now() },
                    monotonic: { deterministic ? ambient.monotonicMilliseconds() : SystemAmbient.uptimeMilliseconds() },
                    boot: deterministic ? 1 : SystemAmbient.boot))
        } catch {
            throw DatabaseError(description: error.description)
        }
    }

    private static func limits(_ settings: Settings) -> HostLimits {
        var limits = HostLimits()
        limits.maxInFlight = settings.integer("limits.maxInFlight")
        limits.maxInFlightBytes = settings.integer("limits.maxInFlightBytes")
        limits.transport.maxLineBytes = settings.integer("limits.maxLineBytes")
        limits.transport.maxOutboundBytes = settings.integer("limits.maxOutboundBytes")
        limits.transport.maxBatchMembers = settings.integer("limits.maxBatchMembers")
        limits.core.maxMessageBytesAnonymous = settings.integer("limits.maxMessageBytes.anonymous")
        limits.core.maxMessageBytesUser = settings.integer("limits.maxMessageBytes.user")
        limits.core.maxAnswerBytes = settings.integer("limits.maxAnswerBytes")
        limits.core.maxHistoryBytes = settings.integer("limits.maxHistoryBytes")
        limits.core.maxRememberedBytes = settings.integer("limits.maxRememberedBytes")
        limits.core.maxQueuedTurns = settings.integer("limits.maxQueuedTurns")
        limits.core.maxTitleCharacters = settings.integer("limits.maxTitleCharacters")
        limits.core.maxMetadataBytes = settings.integer("limits.maxMetadataBytes")
        limits.core.maxCopiedMessagesAnonymous = settings.integer("limits.maxCopiedMessages.anonymous")
        limits.core.maxCopiedMessagesUser = settings.integer("limits.maxCopiedMessages.user")
        limits.core.maxCopiedBytesAnonymous = settings.integer("limits.maxCopiedBytes.anonymous")
        limits.core.maxCopiedBytesUser = settings.integer("limits.maxCopiedBytes.user")
        limits.core.maxDescriptionCharacters = settings.integer("limits.maxDescriptionCharacters")
        limits.core.maxInstructionsBytes = settings.integer("limits.maxInstructionsBytes")
        limits.core.maxConfigBytes = settings.integer("limits.maxConfigBytes")
        return limits
    }

    private static func hostSettings(_ settings: Settings) -> HostSettings {
        var host = HostSettings()
        host.drainMilliseconds = Int64(settings.integer("shutdown.drainSeconds")) * 1_000
        host.graceMilliseconds = Int64(settings.integer("shutdown.graceSeconds")) * 1_000
        host.erasureIdleMilliseconds = Int64(settings.integer("erasure.idleSeconds")) * 1_000
        host.retention = RetentionPolicy(
            userDays: settings.limit("retention.user.days"), anonymousDays: settings.limit("retention.anonymous.days"),
            keepsPinned: settings.flag("retention.keepPinned"))
        return host
    }

    private static func turnSettings(_ settings: Settings) -> TurnSettings {
        var turns = TurnSettings()
        turns.deadlineMilliseconds = Int64(settings.integer("turns.deadlineSeconds")) * 1_000
        turns.checkpointMilliseconds = Int64(settings.integer("turns.checkpointMilliseconds"))
        turns.retry.maxAttempts = settings.integer("models.retry.maxAttempts")
        turns.retry.maxDelayMilliseconds = Int64(settings.integer("models.retry.maxDelaySeconds")) * 1_000
        turns.defaultInstructions = settings.text("assistant.instructions") ?? turns.defaultInstructions
        return turns
    }

    private static func toolSettings(_ settings: Settings) -> ToolSettings {
        var tools = ToolSettings()
        tools.maxSteps = settings.integer("turns.maxSteps")
        tools.approvalMilliseconds = Int64(settings.integer("tools.approvalSeconds")) * 1_000
        tools.approvalDefault = settings.text("tools.approvalDefault").flatMap(ApprovalOption.init(rawValue:)) ?? tools.approvalDefault
        tools.policies = settings.table("tools.policies").compactMapValues(ToolDefinition.Policy.init(rawValue:))
        return tools
    }

    /// Whom requests without a caller act for; nil for nobody.
    ///
    /// - Throws: `SettingsError`.
    static func defaultUserID(_ settings: Settings) throws(SettingsError) -> String? {
        guard let text = settings.text("caller") else { return nil }
        guard settings.flag("auth.trustParent") else {
            throw SettingsError("caller: a host that does not trust its parent (auth.trustParent) takes no caller from it.")
        }
        let prefix = "userId:"
        guard text.hasPrefix(prefix), (1...256).contains(text.utf8.count - prefix.utf8.count) else {
            throw SettingsError("caller: expected userId:ID, with an id of 1 to 256 bytes.")
        }
        return String(text.dropFirst(prefix.count))
    }
}
