import JSON

/// A slash command, as menus need it.
struct Command: Hashable, Sendable {
    /// An argument.
    struct Field: Hashable, Sendable {
        var name: String
        var summary = ""
        /// What it can be; empty where that is not said.
        var values: [String] = []
        var isRequired = false
    }

    var name: String
    /// How it is written.
    var usage: String
    var summary: String
    var fields: [Field]

    /// A command of the terminal itself.
    init(_ name: String, _ usage: String, _ summary: String, fields: [Field] = []) {
        self.name = name
        self.usage = usage
        self.summary = summary
        self.fields = fields
    }

    /// Reads an element of what `listCommands` answers; nil when it is none.
    init?(_ value: JSONValue) {
        guard let name = value["name"]?.stringValue else { return nil }
        self.name = name
        usage = value["usage"]?.stringValue ?? "/\(name)"
        summary = value["description"]?.stringValue ?? ""
        let schema = value["inputSchema"]
        let required = Set((schema?["required"]?.arrayValue ?? []).compactMap(\.stringValue))
        fields = (schema?["properties"]?.objectValue ?? [:]).map { name, property in
            Field(
                name: name, summary: property["description"]?.stringValue ?? "",
                values: (property["enum"]?.arrayValue ?? []).compactMap(\.stringValue), isRequired: required.contains(name))
        }
    }

    /// The field to which a word without a name goes.
    ///
    /// - Parameter index: which of these words it is, from 0.
    func positionalField(_ index: Int) -> Field? {
        let required = fields.filter(\.isRequired)
        let positional = required.isEmpty ? Array(fields.prefix(1)) : required
        return index < positional.count ? positional[index] : nil
    }
}
