import JSON
import ParleyCore
import ParleyModels

/// A model server of the settings file, `providers.NAME`: what it is, and which variables of the environment hold its secrets.
struct ProviderSettings: Sendable {
    /// Which protocol a server speaks.
    private enum Kind: String, CaseIterable { case openai, anthropic }

    /// How it is connected, without its secrets.
    private var configuration: ProviderConfiguration
    /// The environment variable that holds the key; nil for a server that wants none.
    private(set) var apiKeyEnv: String?
    /// Header fields with the variables that hold their values.
    private var headersEnv: [(field: String, variable: String)] = []

    /// Names that mean something else already.
    private static let reserved: Set<String> = ["demo", "scripted"]
    /// Members of a request that no setting may replace.
    private static let ownFields: Set<String> = ["model", "messages", "tools", "stream", "system"]
    /// Header fields that no setting may replace.
    private static let ownHeaders: Set<String> = ["authorization", "x-api-key", "content-type", "content-length", "accept", "host"]

    /// The first half of `PROVIDER:MODEL`.
    var name: String { configuration.name }

    /// The variables that hold its secrets, the key's first.
    var variables: [String] { [apiKeyEnv].compactMap(\.self) + headersEnv.map(\.variable) }

    /// The provider as the models know it, with its secrets from the environment; an empty variable counts as unset.
    func connected(by environment: [String: String]) -> ProviderConfiguration {
        func secret(_ variable: String) -> String? { environment[variable].flatMap { $0.isEmpty ? nil : $0 } }
        var configuration = configuration
        configuration.apiKey = apiKeyEnv.flatMap(secret)
        for (field, variable) in headersEnv {
            if let value = secret(variable) { configuration.headers.append(name: field, value: value) }
        }
        return configuration
    }

    /// Reads the object of all providers.
    ///
    /// - Throws: `SettingsError` that names the file and the key.
    static func read(_ value: JSONValue, file: String) throws(SettingsError) -> [ProviderSettings] {
        var all = try SettingsObject(value, path: "\(file): providers")
        var providers: [ProviderSettings] = []
        for (name, object) in try all.objects() {
            guard !reserved.contains(name), !name.isEmpty, name.utf8.allSatisfy(\.isNameByte) else {
                throw SettingsError("\(object.path): expected a name of letters, digits, - and _ that is neither demo nor scripted.")
            }
            providers.append(try ProviderSettings(object, name: name))
        }
        return providers
    }

    private init(_ object: SettingsObject, name: String) throws(SettingsError) {
        var object = object
        guard let kind: Kind = try object.choice("kind") else { throw object.missing("kind", " (\"openai\" or \"anthropic\")") }
        let baseURL = try object.take("baseURL", expected: "an http or https URL") { value in
            value.stringValue.flatMap { $0.hasPrefix("http://") || $0.hasPrefix("https://") ? $0 : nil }
        }
        guard let baseURL else { throw object.missing("baseURL") }
        let models = try Self.readModels(&object)
        switch kind {
        case .openai:
            var server = OpenAIProviderConfiguration(name: name, baseURL: baseURL, models: models.map(\.description))
            try Self.readSwitches(&object, into: &server)
            configuration = .openAI(server)
        case .anthropic:
            var server = AnthropicProviderConfiguration(name: name, baseURL: baseURL, models: models.map(\.description))
            for model in models { server.maxOutputTokens[model.description.model] = model.maxOutputTokens }
            try Self.readSwitches(&object, into: &server)
            configuration = .anthropic(server)
        }
        apiKeyEnv = try object.text("apiKeyEnv", expected: "the name of an environment variable")
        if let headers = try object.take("headersEnv", expected: "an object", \.objectValue) {
            for (field, variable) in headers {
                guard !field.isEmpty, field.utf8.allSatisfy(\.isNameByte), !Self.ownHeaders.contains(field.lowercased()) else {
                    throw SettingsError(
                        "\(object.path).headersEnv.\(field): expected the name of a header field that is not set otherwise.")
                }
                guard let variable = variable.stringValue, !variable.isEmpty else {
                    throw SettingsError("\(object.path).headersEnv.\(field): expected the name of an environment variable.")
                }
                headersEnv.append((field, variable))
            }
        }
        try object.end()
    }

    private static func readSwitches(
        _ object: inout SettingsObject, into server: inout OpenAIProviderConfiguration
    ) throws(SettingsError) {
        server.maxTokensField = try object.choice("maxTokensField") ?? server.maxTokensField
        server.streamOptions = try object.flag("streamOptions") ?? server.streamOptions
        server.parallelToolCalls = try object.flag("parallelToolCalls")
        server.developerRole = try object.flag("developerRole") ?? server.developerRole
        server.extraFields = try readExtraFields(&object) ?? server.extraFields
        guard var reasoning = try object.object("reasoning") else { return }
        server.reasoning.sendBack = try reasoning.choice("sendBack") ?? server.reasoning.sendBack
        server.reasoning.field = try reasoning.choice("field")
        server.reasoning.thinkTags = try reasoning.flag("thinkTags") ?? server.reasoning.thinkTags
        try reasoning.end()
    }

    private static func readSwitches(
        _ object: inout SettingsObject, into server: inout AnthropicProviderConfiguration
    ) throws(SettingsError) {
        server.thinking = try object.choice("thinking")
        server.cachesPrompts = try object.flag("promptCaching") ?? server.cachesPrompts
        if try object.flag("bearerToken") ?? false { server.authentication = .apiKeyAndBearer }
        server.extraFields = try readExtraFields(&object) ?? server.extraFields
    }

    private static func readExtraFields(_ object: inout SettingsObject) throws(SettingsError) -> JSONValue? {
        guard let fields = object.take("extraFields") else { return nil }
        guard let members = fields.objectValue else { throw SettingsError("\(object.path).extraFields: expected an object.") }
        if let own = members.keys.first(where: ownFields.contains) {
            throw SettingsError("\(object.path).extraFields.\(own): every request has a value of its own.")
        }
        return fields
    }

    // MARK: Models

    /// What is said of one model.
    private struct Model {
        var description: ModelDescription
        var maxOutputTokens: Int?
    }

    private static func readModels(_ provider: inout SettingsObject) throws(SettingsError) -> [Model] {
        guard var models = try provider.object("models") else { return [] }
        var result: [Model] = []
        for (name, object) in try models.objects() {
            var object = object
            guard !name.isEmpty else { throw SettingsError("\(object.path): expected a name.") }
            var model = Model(description: ModelDescription(model: name))
            model.description.contextWindow = try object.tokens("contextWindow")
            model.maxOutputTokens = try object.tokens("maxOutputTokens")
            model.description.prices = try readPrices(&object)
            try object.end()
            result.append(model)
        }
        return result
    }

    /// Reads `{currency, inputPerMillion, cachedInputPerMillion?, outputPerMillion}`; prices are decimal strings.
    private static func readPrices(_ model: inout SettingsObject) throws(SettingsError) -> Prices? {
        guard var object = try model.object("prices") else { return nil }
        func price(_ key: String) throws(SettingsError) -> Int64? {
            try object.take(key, expected: "a decimal string such as \"0.30\", with at most six digits after the point") { value in
                value.stringValue.flatMap(Prices.millionths)
            }
        }
        let currency = try object.take("currency", expected: "a code of three letters, such as \"USD\"") { value in
            value.stringValue.flatMap { $0.count == 3 ? $0 : nil }
        }
        guard let currency else { throw object.missing("currency") }
        guard let input = try price("inputPerMillion") else { throw object.missing("inputPerMillion") }
        guard let output = try price("outputPerMillion") else { throw object.missing("outputPerMillion") }
        let prices = Prices(currency: currency, input: input, cachedInput: try price("cachedInputPerMillion"), output: output)
        try object.end()
        return prices
    }
}

extension UInt8 {
    fileprivate var isNameByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
