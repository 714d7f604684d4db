internal import JSON
internal import OrderedCollections

/// The contract as a module of TypeScript: a type for every schema, maps from names to types, and the lines themselves.
///
/// What depends on other members, as `if` and `allOf` say it, is left to the schemas: types are those of single members. Words of an output
/// are open, because later ones may come within a protocol version.
package struct TypeScript {
    private let contract: Contract
    /// The schemas that a client receives, by name.
    private let outputs: Set<String>
    private var lines: [String] = []

    /// Writes a contract as TypeScript.
    ///
    /// - Returns: the module's text.
    package static func module(_ contract: Contract) -> String {
        var module = TypeScript(contract)
        module.write()
        return module.lines.joined(separator: "\n") + "\n"
    }

    private init(_ contract: Contract) {
        self.contract = contract
        let received =
            contract.list("methods").compactMap { $0["result"] }
            + contract.list("x-notifications").filter { Self.isSent($0, by: "host") }.compactMap { $0["params"] }
            + contract.list("x-hostRequests").compactMap { $0["params"] }
            + [["$ref": "#/components/schemas/Error"]]
        outputs = contract.reachable(from: received)
    }

    private static func isSent(_ notification: JSONValue, by side: String) -> Bool {
        notification["from"]?.arrayValue?.contains(.string(side)) == true
    }

    private mutating func write() {
        lines.append("// Parley's protocol, written by `parley schema --format typescript`.")
        lines.append("")
        comment("The protocol version, which `initialize` asks for.", indent: "")
        lines.append("export const protocolVersion = \(contract.version);")
        for (name, schema) in contract.schemas where name != "Envelope" && Self.isType(schema) {
            declare(name, schema)
        }
        let notifications = contract.list("x-notifications")
        lines.append(
            contentsOf: map(
                "Methods", "Every method: what it takes and gives, and what `data.code` of its errors may be.", of: contract.list("methods")
            ) {
                let codes = ($0["x-errorCodes"]?.arrayValue ?? []).map(Self.literal)
                return
                    "{ params: \(name($0["x-params"])); result: \(name($0["result"]?["schema"])); errorCode: \((codes + [Self.anyOther]).joined(separator: " | ")) }"
            })
        lines.append(
            contentsOf: map("HostNotifications", "What the host sends unasked.", of: notifications.filter { Self.isSent($0, by: "host") }) {
                name($0["params"])
            })
        lines.append(
            contentsOf: map(
                "ClientNotifications", "What a client may send unasked.", of: notifications.filter { Self.isSent($0, by: "client") }
            ) {
                name($0["params"])
            })
        lines.append(
            contentsOf: map("HostRequests", "What the host asks of its client.", of: contract.list("x-hostRequests")) {
                "{ params: \(name($0["params"])); result: \(name($0["result"])) }"
            })
        lines.append(contentsOf: ["", Self.messages])
    }

    /// Whether a schema says anything of a value; some only hold others.
    private static func isType(_ schema: JSONValue) -> Bool {
        ["type", "$ref", "enum", "const", "oneOf", "anyOf", "properties"].contains { schema[$0] != nil }
    }

    private mutating func declare(_ name: String, _ schema: JSONValue) {
        lines.append("")
        comment(schema["description"]?.stringValue ?? methodDescription(name), indent: "")
        let isOpen = outputs.contains(name)
        let type = type(of: schema, isOpen: isOpen, indent: "")
        let isInterface = schema["type"] == "object" && schema["properties"] != nil && type.hasPrefix("{\n")
        let beginning = type.hasPrefix("\n") ? "=" : "= "
        lines.append(
            isInterface ? "export interface \(Self.typeName(name)) \(type)" : "export type \(Self.typeName(name)) \(beginning)\(type);")
    }

    /// What the params or the result of a method are, which may say nothing of themselves.
    private func methodDescription(_ name: String) -> String? {
        for list in ["methods", "x-notifications", "x-hostRequests"] {
            for entry in contract.list(list) {
                let words: [(JSONValue?, String)] = [
                    (entry["x-params"] ?? entry["params"], "The params of `\(entry["name"]?.stringValue ?? "")`."),
                    (entry["result"]?["schema"] ?? entry["result"], "The result of `\(entry["name"]?.stringValue ?? "")`."),
                ]
                if let (_, text) = words.first(where: { $0.0?["$ref"] == .string("#/components/schemas/\(name)") }) { return text }
            }
        }
        return nil
    }

    /// An interface with a member for each entry.
    private func map(_ name: String, _ description: String, of entries: [JSONValue], _ type: (JSONValue) -> String) -> [String] {
        let members = entries.flatMap { entry in
            Self.comment(entry["description"]?.stringValue, indent: "  ")
                + ["  \(Self.propertyName(entry["name"]?.stringValue ?? "")): \(type(entry));"]
        }
        return [""] + Self.comment(description, indent: "") + ["export interface \(name) {"] + members + ["}"]
    }

    private mutating func comment(_ text: String?, indent: String) {
        lines.append(contentsOf: Self.comment(text, indent: indent))
    }

    /// The name of the type that a reference means.
    private func name(_ reference: JSONValue?) -> String {
        reference.map { type(of: $0, isOpen: true, indent: "  ") } ?? "unknown"
    }
}

// MARK: - Types

extension TypeScript {
    /// The type of a schema's values.
    ///
    /// - Parameters:
    ///   - isOpen: whether other words than those of an `enum` may come.
    ///   - indent: that of the line on which the type begins.
    private func type(of schema: JSONValue, isOpen: Bool, indent: String) -> String {
        let members = union(of: schema, isOpen: isOpen, indent: indent)
        guard members.count > 1, members.contains(where: { $0.contains("\n") }) else { return members.joined(separator: " | ") }
        return union(of: schema, isOpen: isOpen, indent: indent + "    ").map { "\n\(indent)  | \($0)" }.joined()
    }

    /// The types of which a value of a schema has one.
    private func union(of schema: JSONValue, isOpen: Bool, indent: String) -> [String] {
        if let isAny = schema.boolValue { return [isAny ? "unknown" : "never"] }
        if let reference = schema["$ref"]?.stringValue.flatMap(Contract.Reference.init) {
            if reference.steps.isEmpty { return [Self.typeName(reference.schema)] }
            return contract.schema(at: reference).map { union(of: $0, isOpen: isOpen, indent: indent) } ?? ["unknown"]
        }
        if let constant = schema["const"] { return [Self.literal(constant)] }
        if let words = schema["enum"]?.arrayValue { return words.map(Self.literal) + (isOpen ? [Self.anyOther] : []) }
        if schema["properties"] == nil, let choices = (schema["oneOf"] ?? schema["anyOf"])?.arrayValue {
            let areWords = choices.allSatisfy { $0["const"]?.stringValue != nil }
            return Self.withoutRepeats(
                choices.flatMap { choice in
                    // A choice that only bounds what the whole says is of the whole's type.
                    let isBound = ["$ref", "const", "enum", "type", "oneOf", "anyOf", "properties"].allSatisfy { choice[$0] == nil }
                    return union(of: isBound ? ["type": schema["type"] ?? .null] : choice, isOpen: isOpen, indent: indent)
                } + (areWords && isOpen ? [Self.anyOther] : []))
        }
        let types = schema["type"]?.arrayValue ?? [schema["type"] ?? (schema["properties"] == nil ? .null : "object")]
        return Self.withoutRepeats(types.flatMap { union($0.stringValue, of: schema, isOpen: isOpen, indent: indent) })
    }

    /// The types of those values of a schema that are of one of JSON Schema's types.
    private func union(_ name: String?, of schema: JSONValue, isOpen: Bool, indent: String) -> [String] {
        switch name {
        case "string", "boolean", "null": return [name ?? ""]
        case "integer", "number": return ["number"]
        case "array":
            let element = schema["items"].map { type(of: $0, isOpen: isOpen, indent: indent) } ?? "unknown"
            return ["Array<\(element)>"]
        case "object":
            let properties = schema["properties"]?.objectValue ?? [:]
            if properties.isEmpty {
                let others = schema["additionalProperties"] ?? true
                return ["{ [name: string]: \(type(of: others, isOpen: isOpen, indent: indent)) }"]
            }
            // Exactly one of several members: one type for each.
            let isChoice = schema["minProperties"] == 1 && schema["maxProperties"] == 1
            let names = Array(properties.keys)
            return (isChoice ? names.map { [$0] } : [names]).map { names in
                let required = isChoice ? [.string(names[0])] : schema["required"]?.arrayValue ?? []
                return object(names, of: properties, required: required, isOpen: isOpen, indent: indent)
            }
        default: return ["unknown"]
        }
    }

    private func object(
        _ names: [String], of properties: OrderedDictionary<String, JSONValue>, required: [JSONValue], isOpen: Bool, indent: String
    ) -> String {
        let members = names.flatMap { name -> [String] in
            let property = properties[name] ?? true
            let mark = required.contains(.string(name)) ? "" : "?"
            let type = type(of: property, isOpen: isOpen, indent: indent + "  ")
            return Self.comment(description(of: property), indent: indent + "  ")
                + ["\(indent)  \(Self.propertyName(name))\(mark):\(type.hasPrefix("\n") ? "" : " ")\(type);"]
        }
        return "{\n" + members.joined(separator: "\n") + "\n\(indent)}"
    }

    /// What a property says of itself, or the place in another schema that it refers to; a type of its own says it elsewhere.
    private func description(of property: JSONValue) -> String? {
        if let text = property["description"]?.stringValue { return text }
        guard let reference = property["$ref"]?.stringValue.flatMap(Contract.Reference.init), !reference.steps.isEmpty else { return nil }
        return contract.schema(at: reference).flatMap(description)
    }
}

// MARK: - Words

extension TypeScript {
    /// Any other string, without which editors would no longer offer the known ones.
    private static let anyOther = "(string & {})"

    private static func literal(_ value: JSONValue) -> String {
        String(decoding: JSONWriter.encode(value), as: UTF8.self)
    }

    /// The members of a union without repeats; `string` beside literals becomes what leaves them visible.
    private static func withoutRepeats(_ types: [String]) -> [String] {
        let hasLiterals = types.contains { $0.hasPrefix("\"") }
        var members: [String] = []
        for type in types {
            let member = type == "string" && hasLiterals ? anyOther : type
            if !members.contains(member) { members.append(member) }
        }
        return members
    }

    /// The name of a schema's type: its own, unless it would hide one of the language's.
    private static func typeName(_ schema: String) -> String { schema == "Error" ? "ProtocolError" : schema }

    private static func propertyName(_ name: String) -> String {
        name.wholeMatch(of: /[A-Za-z_$][A-Za-z0-9_$]*/) == nil ? literal(.string(name)) : name
    }

    private static func comment(_ text: String?, indent: String) -> [String] {
        guard let text else { return [] }
        let words = text.replacing("*/", with: "*\u{200B}/").split(separator: " ")
        if indent.count + text.count < 112 { return ["\(indent)/** \(words.joined(separator: " ")) */"] }
        var lines = ["\(indent)/**"]
        var line = "\(indent) *"
        for word in words {
            if line.count + word.count > 118 {
                lines.append(line)
                line = "\(indent) *"
            }
            line += " \(word)"
        }
        return lines + [line, "\(indent) */"]
    }

    /// The lines of the protocol, for every method, notification and request of the host.
    private static let messages = """
        export type MethodName = keyof Methods;

        /** A request of the client's. */
        export interface RequestMessage<M extends MethodName = MethodName> {
          jsonrpc: "2.0";
          id: RequestId;
          method: M;
          params: Methods[M]["params"];
        }

        /** The host's answer to a request. */
        export type AnswerMessage<M extends MethodName = MethodName> =
          | { jsonrpc: "2.0"; id: RequestId; result: Methods[M]["result"] }
          | { jsonrpc: "2.0"; id: RequestId; error: ProtocolError };

        /** A notification of the host's; `method` tells which. */
        export type HostNotificationMessage = {
          [N in keyof HostNotifications]: { jsonrpc: "2.0"; method: N; params: HostNotifications[N] };
        }[keyof HostNotifications];

        /** A notification of the client's; `method` tells which. */
        export type ClientNotificationMessage = {
          [N in keyof ClientNotifications]: { jsonrpc: "2.0"; method: N; params: ClientNotifications[N] };
        }[keyof ClientNotifications];

        /** A request of the host's; `method` tells which. */
        export type HostRequestMessage = {
          [R in keyof HostRequests]: { jsonrpc: "2.0"; id: string; method: R; params: HostRequests[R]["params"] };
        }[keyof HostRequests];

        /** The client's answer to a request of the host's. */
        export type HostRequestAnswer<R extends keyof HostRequests = keyof HostRequests> =
          | { jsonrpc: "2.0"; id: string; result: HostRequests[R]["result"] }
          | { jsonrpc: "2.0"; id: string; error: { code: number; message: string } };
        """
}
