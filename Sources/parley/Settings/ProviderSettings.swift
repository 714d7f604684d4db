import JSON
import ParleyCore

/// A model server of the settings file: `providers: {NAME: {kind, baseURL, apiKeyEnv, models: {MODEL: {contextWindow, prices}}}}`.
struct ProviderSettings: Sendable, Hashable {
    /// What is said of one model.
    struct Model: Sendable, Hashable {
        var name: String
        var contextWindow: Int?
        var prices: Prices?
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
            case ("prices", _): result.prices = try readPrices(value, path: "\(path).prices")
            default: throw SettingsError("\(path).\(key): there is no such setting.")
            }
        }
        return result
    }

    /// Reads `{currency, inputPerMillion, cachedInputPerMillion?, outputPerMillion}`; prices are decimal strings.
    private static func readPrices(_ value: JSONValue, path: String) throws(SettingsError) -> Prices {
        guard case .object(let members) = value else { throw SettingsError("\(path): expected an object.") }
        func price(_ key: String) throws(SettingsError) -> Int64? {
            guard let value = members[key] else { return nil }
            guard let text = value.stringValue, let price = Prices.millionths(text) else {
                throw SettingsError("\(path).\(key): expected a decimal string such as \"0.30\", with at most six digits after the point.")
            }
            return price
        }
        let known: Set = ["currency", "inputPerMillion", "cachedInputPerMillion", "outputPerMillion"]
        for key in members.keys where !known.contains(key) { throw SettingsError("\(path).\(key): there is no such setting.") }
        guard let currency = members["currency"]?.stringValue, currency.count == 3 else {
            throw SettingsError("\(path).currency: expected a code of three letters, such as \"USD\".")
        }
        guard let input = try price("inputPerMillion") else { throw SettingsError("\(path).inputPerMillion: is required.") }
        guard let output = try price("outputPerMillion") else { throw SettingsError("\(path).outputPerMillion: is required.") }
        return Prices(currency: currency, input: input, cachedInput: try price("cachedInputPerMillion"), output: output)
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
