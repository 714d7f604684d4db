import JSON

/// A field of a tool's arguments as somebody who writes a command sees it, read from the tool's schema.
struct CommandParameter: Sendable {
    /// What a field's values look like.
    enum Form: Sendable, Hashable {
        case text
        case number
        case flag
        /// Several of these; each has a word.
        indirect case list(Form)
        /// Anything else: JSON.
        case json
    }

    let name: String
    let isRequired: Bool
    let form: Form
    /// Whether `null` is a value.
    private let isNullable: Bool
    /// What it means, for people; empty when nobody has said.
    let summary: String
    /// The only values, where they are texts; empty for any.
    let choices: [String]

    /// The fields of a tool's arguments: those that are required first, in their order, then the others.
    static func all(of definition: ToolDefinition) -> [CommandParameter] {
        let required = definition.inputSchema["required"]?.arrayValue?.compactMap(\.stringValue) ?? []
        let properties = definition.inputSchema["properties"]?.objectValue ?? [:]
        let parameters =
            required.map { CommandParameter($0, properties[$0] ?? true, isRequired: true) }
            + properties.lazy.filter { !required.contains($0.key) }.map { CommandParameter($0.key, $0.value, isRequired: false) }
        return parameters
    }

    private init(_ name: String, _ schema: JSONValue, isRequired: Bool) {
        self.name = name
        self.isRequired = isRequired
        form = Form(schema)
        isNullable = Form.types(schema).contains("null")
        summary = schema["description"]?.stringValue ?? ""
        choices = schema["enum"]?.arrayValue?.compactMap(\.stringValue) ?? []
    }

    /// The value that a text stands for; what it cannot stand for stays text, which the tool's schema then refuses with its reason.
    func value(of text: String) -> JSONValue {
        if isNullable, text == "null" { return .null }
        return form.value(of: text)
    }

    /// A stand-in for the value in a line that shows how a command is written.
    var placeholder: String {
        if !choices.isEmpty { return choices.joined(separator: "|") }
        return switch form {
        case .text: name.uppercased()
        case .number: "NUMBER"
        case .flag: "true|false"
        case .list: name.uppercased() + "…"
        case .json: "JSON"
        }
    }
}

extension CommandParameter.Form {
    /// Reads a field's schema. A schema that allows several types means text where it allows text; one that says nothing of types, JSON where
    /// the value is JSON and text where it is not.
    fileprivate init(_ schema: JSONValue) {
        let types = Self.types(schema).subtracting(["null"])
        if types.contains("string") {
            self = .text
        } else if types.contains("array") {
            self = .list(Self(schema["items"] ?? true))
        } else if types == ["boolean"] {
            self = .flag
        } else if !types.isEmpty, types.isSubset(of: ["number", "integer"]) {
            self = .number
        } else if types.isEmpty, schema["enum"]?.arrayValue?.allSatisfy({ $0.stringValue != nil }) ?? false {
            self = .text
        } else {
            self = .json
        }
    }

    fileprivate static func types(_ schema: JSONValue) -> Set<String> {
        Set(schema["type"]?.arrayValue?.compactMap(\.stringValue) ?? schema["type"]?.stringValue.map { [$0] } ?? [])
    }

    fileprivate func value(of text: String) -> JSONValue {
        switch self {
        case .text: return .string(text)
        case .list(let element):
            if case .array(let elements)? = Self.json(text) { return .array(elements) }
            return .array([element.value(of: text)])
        case .number, .flag, .json: return Self.json(text) ?? .string(text)
        }
    }

    private static func json(_ text: String) -> JSONValue? {
        // What is no JSON is a text, and the schema has the last word on it.
        try? JSONReader.parse(Array(text.utf8))
    }
}
