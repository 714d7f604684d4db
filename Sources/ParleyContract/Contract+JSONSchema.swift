package import JSON

extension Contract {
    /// All schemas as one JSON Schema 2020-12, whose `$defs` they are; it fits any line of the protocol.
    package var jsonSchema: JSONValue {
        [
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": "https://parley.invalid/schemas/protocol.json",
            "title": .string("Parley protocol \(version)"),
            "description": document["info"]?["description"] ?? "",
            "anyOf": [["$ref": "#/$defs/Envelope/$defs/sent"], ["$ref": "#/$defs/Envelope/$defs/received"]],
            "$defs": .object(schemas.mapValues(Self.withLocalReferences)),
        ]
    }

    /// The protocol version.
    var version: String { document["info"]?["version"]?.stringValue ?? "" }

    private static func withLocalReferences(_ value: JSONValue) -> JSONValue {
        switch value {
        case .array(let elements): return .array(elements.map(withLocalReferences))
        case .object(var members):
            for (key, member) in members {
                if key == "$ref", let reference = member.stringValue {
                    members[key] = .string(reference.replacing("#/components/schemas/", with: "#/$defs/", maxReplacements: 1))
                } else if !["examples", "const", "enum"].contains(key) {
                    members[key] = withLocalReferences(member)
                }
            }
            return .object(members)
        default: return value
        }
    }
}
