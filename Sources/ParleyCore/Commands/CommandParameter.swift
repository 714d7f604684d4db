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
        let root = definition.inputSchema
        return required.map { CommandParameter($0, properties[$0] ?? true, in: root, isRequired: true) }
            + properties.lazy.filter { !required.contains($0.key) }.map { CommandParameter($0.key, $0.value, in: root, isRequired: false) }
    }

    private init(_ name: String, _ written: JSONValue, in root: JSONValue, isRequired: Bool) {
        let (schema, isNullable) = Form.plain(written, in: root)
        self.name = name
        self.isRequired = isRequired
        form = Form(schema, in: root)
        self.isNullable = isNullable || Form.types(schema).contains("null")
        summary = written["description"]?.stringValue ?? schema["description"]?.stringValue ?? ""
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
        if case .list = form { return name.uppercased() + "…" }
        return name.uppercased()
    }
}

extension CommandParameter.Form {
    /// Reads a field's schema. A schema that allows several types means text where it allows text; one that says nothing of types, JSON where
    /// the value is JSON and text where it is not.
    fileprivate init(_ schema: JSONValue, in root: JSONValue) {
        let types = Self.types(schema).subtracting(["null"])
        if types.contains("string") {
            self = .text
        } else if types.contains("array") {
            self = .list(Self(Self.plain(schema["items"] ?? true, in: root).schema, in: root))
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

    /// A field's schema without what generators of schemas wrap it in: a `$ref` within the document, and a choice between one schema and null.
    ///
    /// - Returns: the schema, and whether null is a choice.
    fileprivate static func plain(_ schema: JSONValue, in root: JSONValue) -> (schema: JSONValue, isNullable: Bool) {
        var schema = schema
        var isNullable = false
        // References may lead round in a circle; nobody wraps a field so often.
        for _ in 0..<8 {
            if let reference = schema["$ref"]?.stringValue, reference.hasPrefix("#/") {
                let steps = reference.dropFirst(2).split(separator: "/")
                guard let target = steps.reduce(root, { $0?[String($1)] } as (JSONValue?, Substring) -> JSONValue?) else { break }
                schema = target
            } else if let choices = (schema["anyOf"] ?? schema["oneOf"])?.arrayValue,
                case let others = choices.filter({ types($0) != ["null"] }), others.count == 1
            {
                isNullable = isNullable || others.count < choices.count
                schema = others[0]
            } else {
                break
            }
        }
        return (schema, isNullable)
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
