import Configuration

/// The settings in force, each with where it came from: flags over the environment over a file over defaults.
struct Settings: Sendable {
    /// Where a value came from.
    enum Origin: Hashable, Sendable, CustomStringConvertible {
        case flag
        /// With the variable's name.
        case environment(String)
        /// With the file's path.
        case file(String)
        case standard

        var description: String {
            switch self {
            case .flag: "flag"
            case .environment(let variable): "environment \(variable)"
            case .file(let path): "file \(path)"
            case .standard: "default"
            }
        }
    }

    /// A setting in force.
    struct Entry: Sendable {
        var key: SettingKey
        /// Nil when nobody set it and there is no default.
        var text: String?
        var origin: Origin
    }

    private(set) var entries: [Entry] = []
    private(set) var providers: [ProviderSettings] = []
    /// Variables that begin with `PARLEY_` and mean nothing, for a warning.
    private(set) var unknownVariables: [String] = []
    /// The variables that presets and keys are read from; empty in a deterministic host.
    let environment: [String: String]

    /// Puts the layers together.
    ///
    /// - Parameters:
    ///   - flags: by dotted name.
    ///   - environment: all variables of the process; only `PARLEY_…` are settings.
    ///   - filePath: the settings file, or nil for none; `PARLEY_CONFIG` names one too.
    /// - Throws: `SettingsError` that names the first setting that cannot be.
    init(flags: [String: String], environment: [String: String], filePath: String?) throws(SettingsError) {
        self.environment = environment
        let flags = Self.withTables(flags)
        for (name, text) in flags {
            guard let key = SettingKey.byName[name] else {
                throw SettingsError("--set \(name): there is no such setting. `parley config` lists all of them.")
            }
            if let problem = key.problem(with: text) { throw SettingsError("\(name): \(problem).") }
        }
        let path = filePath ?? environment["PARLEY_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        let file: SettingsFile? = if let path { try SettingsFile(path: path) } else { nil }
        providers = file?.providers ?? []

        // swift-configuration does the layering and the spelling of variables; an empty variable counts as none, as in a shell's ${X:-}. It
        // spells slowly, and somebody waits for a host to start: a layer that has nothing to say is not asked.
        let values = environment.filter { $0.key.hasPrefix("PARLEY_") && $0.key != "PARLEY_CONFIG" }
        let variables = EnvironmentVariablesProvider(environmentVariables: values.filter { !$0.value.isEmpty })
        var layers: [(provider: any ConfigProvider, origin: (String) -> Origin)] = []
        if !flags.isEmpty { layers.append((InMemoryProvider(values: Self.keyed(flags)), { _ in .flag })) }
        if !values.isEmpty { layers.append((variables, { .environment($0) })) }
        if let file { layers.append((InMemoryProvider(values: Self.keyed(file.values)), { _ in .file(path ?? "") })) }
        for key in SettingKey.all {
            var entry = Entry(key: key, text: key.defaultText, origin: .standard)
            for layer in layers.reversed() {
                guard let (text, encodedKey) = Self.lookUp(key, in: layer.provider) else { continue }
                entry.text = text
                entry.origin = layer.origin(encodedKey)
            }
            if let text = entry.text, let problem = key.problem(with: text) {
                throw SettingsError("\(Self.name(of: entry)): \(problem).")
            }
            entries.append(entry)
        }
        if !values.isEmpty {
            let known = Set(SettingKey.all.map { Self.variable(for: $0, in: variables) })
            unknownVariables = values.keys.filter { !known.contains($0) }.sorted()
        }
    }

    /// A setting's text; nil when it has none.
    func text(_ name: String) -> String? {
        guard let entry = entries.first(where: { $0.key.name == name }) else {
            preconditionFailure("\(name) is not in the table of settings")
        }
        return entry.text
    }

    /// A whole number that has a default.
    func integer(_ name: String) -> Int {
        guard let text = text(name), let number = Int(text) else { preconditionFailure("\(name) is not a number with a default") }
        return number
    }

    /// A limit; nil for none.
    func limit(_ name: String) -> Int? { text(name).flatMap { Int($0) } }

    /// Whether a flag that has a default is set.
    func flag(_ name: String) -> Bool { text(name) == "true" }

    /// The texts of a list.
    func list(_ name: String) -> [String] { text(name)?.split(separator: ",").map(String.init) ?? [] }

    /// The values of a table, by name.
    func table(_ name: String) -> [String: String] {
        let items = text(name)?.split(separator: ",").map { $0.split(separator: "=").map(String.init) } ?? []
        return Dictionary(items.map { ($0[0], $0[1]) }) { _, last in last }
    }

    /// Flags for one name of a table become flags for the table.
    private static func withTables(_ flags: [String: String]) -> [String: String] {
        var flags = flags
        for key in SettingKey.all {
            guard case .table = key.kind else { continue }
            for (name, text) in flags.sorted(by: { $0.key < $1.key }) where name.hasPrefix(key.name + ".") {
                flags[name] = nil
                let item = "\(name.dropFirst(key.name.count + 1))=\(text)"
                flags[key.name] = flags[key.name].map { "\($0),\(item)" } ?? item
            }
        }
        return flags
    }

    private static func keyed(_ values: [String: String]) -> [AbsoluteConfigKey: ConfigValue] {
        Dictionary(uniqueKeysWithValues: values.map { (configKey($0.key), ConfigValue(.string($0.value), isSecret: false)) })
    }

    private static func configKey(_ name: String) -> AbsoluteConfigKey {
        AbsoluteConfigKey(["parley"] + name.split(separator: ".").map(String.init))
    }

    private static func lookUp(_ key: SettingKey, in provider: any ConfigProvider) -> (text: String, encodedKey: String)? {
        // A lookup of text cannot fail: every layer holds nothing but text.
        guard let result = try? provider.value(forKey: configKey(key.name), type: .string), case .string(let text)? = result.value?.content
        else { return nil }
        return (text, result.encodedKey)
    }

    private static func variable(for key: SettingKey, in environment: any ConfigProvider) -> String {
        (try? environment.value(forKey: configKey(key.name), type: .string))?.encodedKey ?? ""
    }

    private static func name(of entry: Entry) -> String {
        switch entry.origin {
        case .environment(let variable): variable
        case .file(let path): "\(path): \(entry.key.name)"
        case .flag, .standard: entry.key.name
        }
    }
}
