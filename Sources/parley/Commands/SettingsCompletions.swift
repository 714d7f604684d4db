import ArgumentParser
import Foundation
import ParleyCore

/// What a shell offers for the values of the flags that set settings.
enum SettingsCompletions {
    /// The models that can be chosen with the settings of the environment and of the file on the command line.
    static let models = CompletionKind.custom { (words: [String], _: Int, _: String) in
        let others = ["demo", "scripted:", "replay:"]
        do {
            let settings = try Settings(
                flags: [:], environment: ProcessInfo.processInfo.environment, filePath: value(of: "--config", in: words))
            let models = try ConfiguredModels(settings, ambient: SystemAmbient())
            defer { models.close() }
            return models.catalog.entries.filter { !$0.description.demonstration }.map(\.id) + others
        } catch {
            // Nobody can be told what is wrong while a line is typed; the command will say it.
            return others
        }
    }

    /// Every setting with `=`, and with its values where these are words.
    static let assignments = CompletionKind.list(
        SettingKey.all.flatMap { key in
            switch key.kind {
            case .choice(let words): words.map { "\(key.name)=\($0)" }
            case .flag: ["true", "false"].map { "\(key.name)=\($0)" }
            case .limit: ["\(key.name)=", "\(key.name)=\(SettingKey.noLimit)"]
            case .table: [key.name + "."]
            default: ["\(key.name)="]
            }
        })

    static let logLevels = words(of: "log.level")
    static let logFormats = words(of: "log.format")

    private static func words(of name: String) -> CompletionKind {
        guard case .choice(let words)? = SettingKey.byName[name]?.kind else { return .default }
        return .list(words)
    }

    private static func value(of flag: String, in words: [String]) -> String? {
        if let index = words.firstIndex(of: flag), index + 1 < words.count { return words[index + 1] }
        return words.first { $0.hasPrefix(flag + "=") }.map { String($0.dropFirst(flag.count + 1)) }
    }
}
