import JSON

/// A model server of the settings file: `providers: {NAME: {kind, baseURL, apiKeyEnv, models: {MODEL: {contextWindow}}}}`.
struct ProviderSettings: Sendable, Hashable {
    /// What is said of one model.
    struct Model: Sendable, Hashable {
        var name: String
        var contextWindow: Int?
    }

    /// The first half of `PROVIDER:MODEL`.
    var name: String
    /// The URL that `/chat/completions` follows.
    var baseURL: String
    /// The environment variable that holds the key; nil for a server that wants none.
    var apiKeyEnv: String?
    var models: [Model] = []

    /// Names that mean something else already.
    private static let reserved: Set<String> = ["demo", "scripted"]

    /// Reads the object of all providers.
    ///
    /// - Throws: `SettingsError` that names the file and the key.
    static func read(_ value: JSONValue, file: String) throws(SettingsError) -> [ProviderSettings] {
        guard case .object(let members) = value else { throw SettingsError("\(file): providers: expected an object.") }
        var providers: [ProviderSettings] = []
        for (name, value) in members {
            let path = "\(file): providers.\(name)"
            guard !reserved.contains(name), !name.isEmpty, name.utf8.allSatisfy(\.isProviderNameByte) else {
                throw SettingsError("\(path): expected a name of letters, digits, - and _ that is neither demo nor scripted.")
            }
            providers.append(try read(value, name: name, path: path))
        }
        return providers
    }

    private static func read(_ value: JSONValue, name: String, path: String) throws(SettingsError) -> ProviderSettings {
        guard case .object(let members) = value else { throw SettingsError("\(path): expected an object.") }
        var baseURL: String?
        var provider = ProviderSettings(name: name, baseURL: "")
        for (key, value) in members {
            switch (key, value) {
            case ("kind", .string("openai")): break
            case ("kind", _): throw SettingsError("\(path).kind: expected \"openai\".")
            case ("baseURL", .string(let url)) where url.hasPrefix("http://") || url.hasPrefix("https://"): baseURL = url
            case ("baseURL", _): throw SettingsError("\(path).baseURL: expected an http or https URL.")
            case ("apiKeyEnv", .string(let variable)) where !variable.isEmpty: provider.apiKeyEnv = variable
            case ("apiKeyEnv", _): throw SettingsError("\(path).apiKeyEnv: expected the name of an environment variable.")
            case ("models", .object(let models)):
                for (model, value) in models { provider.models.append(try read(value, model: model, path: "\(path).models.\(model)")) }
            case ("models", _): throw SettingsError("\(path).models: expected an object.")
            default: throw SettingsError("\(path).\(key): there is no such setting.")
            }
        }
        guard members["kind"] != nil else { throw SettingsError("\(path).kind: is required (\"openai\").") }
        guard let baseURL else { throw SettingsError("\(path).baseURL: is required.") }
        provider.baseURL = baseURL
        return provider
    }

    private static func read(_ value: JSONValue, model: String, path: String) throws(SettingsError) -> Model {
        guard case .object(let members) = value, !model.isEmpty else { throw SettingsError("\(path): expected an object.") }
        var result = Model(name: model)
        for (key, value) in members {
            switch (key, value) {
            case ("contextWindow", .integer(let tokens)) where tokens > 0: result.contextWindow = Int(tokens)
            case ("contextWindow", _): throw SettingsError("\(path).contextWindow: expected a number of tokens.")
            default: throw SettingsError("\(path).\(key): there is no such setting.")
            }
        }
        return result
    }
}

extension UInt8 {
    fileprivate var isProviderNameByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
