import Foundation
import JSON
import ParleyContract
import Testing

/// What is compiled in, and what other forms are made of it.
struct ContractTests {
    private static let schemas = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../schemas").standardizedFileURL

    /// A small contract: one method whose params share a value with its result, and one notification.
    private static let small = Contract(document: [
        "info": ["version": "7"],
        "methods": [
            [
                "name": "paint", "description": "Paints.", "x-errorCodes": ["notFound"],
                "x-params": ["$ref": "#/components/schemas/PaintParams"],
                "result": ["schema": ["$ref": "#/components/schemas/PaintResult"]],
            ]
        ],
        "x-notifications": [
            ["name": "$/dry", "description": "Dries.", "from": ["client"], "params": ["$ref": "#/components/schemas/DryParams"]]
        ],
        "x-hostRequests": [],
        "components": [
            "schemas": [
                "Brush": [
                    "type": "object",
                    "properties": ["width": ["type": ["integer", "null"]], "kind": ["enum": ["round", "flat"]]],
                    "required": ["kind"],
                ],
                "Colour": ["description": "Not */ the end.", "oneOf": [["const": "red"], ["const": "blue"]]],
                "DryParams": ["type": "object", "properties": ["for-long": ["type": "boolean"]]],
                "Envelope": ["$defs": [:]],
                "PaintParams": [
                    "type": "object",
                    "properties": [
                        "who": [
                            "type": ["object", "null"],
                            "properties": ["name": ["type": "string"], "everybody": ["const": true]],
                            "minProperties": 1, "maxProperties": 1,
                        ],
                        "mode": ["enum": ["fast", nil]],
                        "brush": ["$ref": "#/components/schemas/Brush/properties/kind"],
                    ],
                    "required": ["mode"],
                ],
                "PaintResult": [
                    "type": "object",
                    "properties": [
                        "colours": ["type": "array", "items": ["$ref": "#/components/schemas/Colour"]],
                        "unit": ["type": "string", "anyOf": [["enum": ["pixel"]], ["pattern": "^x"]]],
                        "kinds": ["anyOf": [["type": "array", "items": ["enum": ["a", "b"]]], ["const": "all"]]],
                        "extra": ["type": "object"], "none": [:],
                    ],
                    "required": ["colours"],
                ],
            ]
        ],
    ])

    @Test("the program holds the file that lies in schemas/")
    func compiledIn() throws {
        let file = try Data(contentsOf: Self.schemas.appending(path: "openrpc.json"))
        #expect(Contract.bytes == Array(file), "build again: schemas/openrpc.json is newer than what was compiled in")
        #expect(Contract.compiledIn.names("methods").contains("rpc.discover"))
    }

    @Test("what a process does not offer is left out, with the schemas that only that refers to")
    func restricted() throws {
        let rest = Self.small.restricted(methods: { _ in true }, notifications: { $0 != "$/dry" })
        #expect(rest.names("x-notifications").isEmpty)
        let schemas = try #require(rest.document["components"]?["schemas"]?.objectValue)
        #expect(Set(schemas.keys) == ["Brush", "Colour", "Envelope", "PaintParams", "PaintResult"])
        let nothing = Self.small.restricted(methods: { _ in false }, notifications: { _ in true })
        #expect(Set(try #require(nothing.document["components"]?["schemas"]?.objectValue).keys) == ["DryParams", "Envelope"])
        #expect(Self.small.restricted(methods: { _ in true }, notifications: { _ in true }).document == Self.small.document)
    }

    @Test("one JSON Schema refers only to itself")
    func jsonSchema() {
        let text = String(decoding: JSONWriter.encode(Contract.compiledIn.jsonSchema), as: UTF8.self)
        let leavesTheDefinitions = text.contains(##""$ref":"#/components/"##)
        #expect(!leavesTheDefinitions)
        #expect(Self.small.jsonSchema["$defs"]?["PaintResult"]?["properties"]?["colours"]?["items"] == ["$ref": "#/$defs/Colour"])
    }

    @Test("types say what schemas say, and what a client receives is open")
    func typeScript() {
        let module = TypeScript.module(Self.small)
        for part in [
            "export const protocolVersion = 7;",
            "export interface Brush {\n  width?: number | null;\n  kind: \"round\" | \"flat\";\n}",
            "/** Not *\u{200B}/ the end. */\nexport type Colour = \"red\" | \"blue\" | (string & {});",
            "export interface DryParams {\n  \"for-long\"?: boolean;\n}",
            "/** The params of `paint`. */\nexport interface PaintParams {",
            "  who?:\n    | {\n        name: string;\n      }\n    | {\n        everybody: true;\n      }\n    | null;",
            "  mode: \"fast\" | null;\n  brush?: \"round\" | \"flat\";\n}",
            "  colours: Array<Colour>;\n  unit?: \"pixel\" | (string & {});\n  kinds?: Array<\"a\" | \"b\" | (string & {})> | \"all\";\n  extra?: { [name: string]: unknown };\n  none?: unknown;\n}",
            "  paint: { params: PaintParams; result: PaintResult; errorCode: \"notFound\" | (string & {}) };",
            "  \"$/dry\": DryParams;",
        ] {
            #expect(module.contains(part), "\(part)\n--- is missing in\n\(module)")
        }
        #expect(!module.contains("Envelope"))
    }
}
