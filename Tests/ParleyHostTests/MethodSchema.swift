import Foundation
import JSON
import Testing

/// The params of one method as its JSON Schema describes them, and the simplest mistakes that can be made with them.
struct MethodSchema: Sendable, CustomTestStringConvertible {
    /// Params that are wrong, and where.
    struct Mistake: Sendable, CustomStringConvertible {
        let params: JSONValue
        /// What `data.path` must be.
        let path: String

        var description: String { String(decoding: JSONWriter.encode(params), as: UTF8.self) }
    }

    let name: String
    let mistakes: [Mistake]

    var testDescription: String { name }

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../schemas").standardizedFileURL

    /// One value of each kind, by JSON Schema's name of the kind.
    private static let samples: [(type: String, value: JSONValue)] = [
        ("null", nil), ("boolean", true), ("integer", 1), ("number", 1.5), ("string", "x"), ("array", []), ("object", [:]),
    ]

    /// The schemas of all methods.
    static func all() throws -> [MethodSchema] {
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: "methods").path)
        return try files.filter { $0.hasSuffix(".json") }.sorted().map { try MethodSchema(name: String($0.dropLast(5))) }
    }

    private init(name: String) throws {
        self.name = name
        let file = Self.folder.appending(path: "methods/\(name).json")
        let schema = try #require(try Self.document(file)["$defs"]?["params"])
        let properties = try #require(schema["properties"]?.objectValue)
        // What may be left out only if something else is there instead counts as needed, as far as the first of the choices goes.
        let required = (schema["required"] ?? schema["oneOf"]?.arrayValue?.first?["required"])?.arrayValue?.compactMap(\.stringValue) ?? []
        let types = try properties.mapValues { try Self.types(of: $0, in: file) }

        var valid: [String: JSONValue] = [:]
        for field in required {
            // Objects of the protocol's own are not valid when empty: an example shows one that is.
            valid[field] =
                schema["examples"]?.arrayValue?.first?[field]
                // Of words only those that are listed are valid.
                ?? properties[field]?["enum"]?.arrayValue?.first
                ?? Self.samples.first { types[field]?.contains($0.type) == true && !$0.value.isNull }?.value
        }
        func params(_ field: String, _ value: JSONValue?) -> JSONValue {
            var members = valid
            members[field] = value
            return .object(.init(uniqueKeysWithValues: members.sorted { $0.key < $1.key }))
        }
        var mistakes = [Mistake(params: params("unknownField", 1), path: "unknownField")]
        for field in required { mistakes.append(Mistake(params: params(field, nil), path: field)) }
        for (field, types) in types.sorted(by: { $0.key < $1.key }) {
            for (type, value) in Self.samples where !types.contains(type) && !(type == "integer" && types.contains("number")) {
                mistakes.append(Mistake(params: params(field, value), path: field))
            }
        }
        self.mistakes = mistakes
    }

    private static func document(_ file: URL) throws -> JSONValue {
        try JSONReader.parse(Array(Data(contentsOf: file)))
    }

    /// The types that a value of the schema may have.
    private static func types(of schema: JSONValue, in file: URL) throws -> Set<String> {
        if let reference = schema["$ref"]?.stringValue {
            let halves = reference.split(separator: "#", maxSplits: 1)
            let other = file.deletingLastPathComponent().appending(path: String(halves[0])).standardizedFileURL
            var target = try document(other)
            for step in halves.dropFirst().joined().split(separator: "/") { target = try #require(target[String(step)]) }
            return try types(of: target, in: other)
        }
        if let choices = schema["anyOf"]?.arrayValue {
            return try choices.reduce(into: []) { $0.formUnion(try types(of: $1, in: file)) }
        }
        if let words = schema["enum"]?.arrayValue {
            return Set(words.map { $0.isNull ? "null" : "string" })
        }
        let type = try #require(schema["type"])
        return Set(type.arrayValue?.compactMap(\.stringValue) ?? [type.stringValue ?? ""])
    }
}
