internal import CContract
package import JSON
internal import OrderedCollections

/// What the protocol is: one OpenRPC document, made of the files in `schemas/` and compiled in.
package struct Contract: Sendable {
    /// The document; see https://spec.open-rpc.org for its members, and its own description for those that begin with `x-`.
    package let document: JSONValue

    /// The document's bytes as they were compiled in, laid out for people.
    package static var bytes: [UInt8] {
        Array(UnsafeBufferPointer(start: parley_contract_bytes(), count: parley_contract_length()))
    }

    /// All of the protocol.
    package static let compiledIn: Contract = {
        do {
            return Contract(document: try JSONReader.parse(bytes))
        } catch {
            preconditionFailure("schemas/openrpc.json is no JSON: \(error)")
        }
    }()

    /// A contract with another document.
    package init(document: JSONValue) {
        self.document = document
    }

    /// The schemas by their names.
    var schemas: OrderedDictionary<String, JSONValue> { document["components"]?["schemas"]?.objectValue ?? [:] }

    /// The objects of one of the document's lists: `methods`, `x-notifications` or `x-hostRequests`.
    func list(_ name: String) -> [JSONValue] { document[name]?.arrayValue ?? [] }

    /// The names in one of the document's lists.
    ///
    /// - Parameter list: `methods`, `x-notifications` or `x-hostRequests`.
    package func names(_ list: String) -> [String] { self.list(list).compactMap { $0["name"]?.stringValue } }

    /// The contract of a process that offers less than all, without the schemas that nothing is left to refer to.
    ///
    /// - Parameters:
    ///   - methods: whether there is a method of that name.
    ///   - notifications: whether there is a notification of that name.
    package func restricted(methods: (String) -> Bool, notifications: (String) -> Bool) -> Contract {
        guard var members = document.objectValue else { return self }
        members["methods"] = .array(list("methods").filter { methods($0["name"]?.stringValue ?? "") })
        members["x-notifications"] = .array(list("x-notifications").filter { notifications($0["name"]?.stringValue ?? "") })
        members["components"] = nil
        // The lines themselves are described by a schema that no method refers to.
        let used = reachable(from: [JSONValue.object(members), schemas["Envelope"] ?? .null]).union(["Envelope"])
        members["components"] = ["schemas": .object(schemas.filter { used.contains($0.key) })]
        return Contract(document: .object(members))
    }

    /// The names of all schemas that some values refer to, directly or by way of others.
    func reachable(from values: [JSONValue]) -> Set<String> {
        var found: Set<String> = []
        var rest = values
        while let value = rest.popLast() {
            for name in Self.references(in: value).compactMap(Reference.init).map(\.schema) where found.insert(name).inserted {
                if let schema = schemas[name] { rest.append(schema) }
            }
        }
        return found
    }

    /// The references of a value; what only looks like one in an example is none.
    private static func references(in value: JSONValue) -> [String] {
        switch value {
        case .array(let elements): elements.flatMap(references)
        case .object(let members):
            members.flatMap { key, member in
                if key == "$ref", let reference = member.stringValue { return [reference] }
                return ["examples", "const", "enum", "value"].contains(key) ? [] : references(in: member)
            }
        default: []
        }
    }

    /// The schema that a reference leads to.
    func schema(at reference: Reference) -> JSONValue? {
        reference.steps.reduce(schemas[reference.schema]) { place, step in place?[step] }
    }

    /// A reference within the document: a schema, and the steps from there to a place in it.
    struct Reference {
        let schema: String
        let steps: [String]

        /// Nil when the text leads nowhere within the schemas.
        init?(_ text: String) {
            let prefix = "#/components/schemas/"
            guard text.hasPrefix(prefix) else { return nil }
            let words = text.dropFirst(prefix.count).split(separator: "/").map(String.init)
            guard let schema = words.first else { return nil }
            self.schema = schema
            steps = Array(words.dropFirst())
        }
    }
}
