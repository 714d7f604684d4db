import JSON
import JSONSchema
import Testing

/// A value from its text.
func json(_ text: String) throws -> JSONValue {
    try JSONReader.parse(Array(text.utf8))
}

/// A compiled schema from its text.
func schema(_ text: String) throws -> JSONSchema {
    try JSONSchema(try json(text))
}

/// What is wrong with a value, each as `path: reason`.
func complaints(_ schemaText: String, _ value: String, limit: Int = 8) throws -> [String] {
    try schema(schemaText).violations(of: try json(value), limit: limit).map { "\($0.path): \($0.reason)" }
}

/// Why a document is no schema, nil when it is one.
func refusal(_ document: JSONValue) -> JSONSchemaError? {
    do throws(JSONSchemaError) {
        _ = try JSONSchema(document)
        return nil
    } catch {
        return error
    }
}

/// A schema with values that fit and values that do not, all as JSON texts.
struct Example: CustomTestStringConvertible, Sendable {
    var schema: String
    var valid: [String]
    var invalid: [String]

    init(_ schema: String, valid: [String] = [], invalid: [String] = []) {
        self.schema = schema
        self.valid = valid
        self.invalid = invalid
    }

    var testDescription: String { schema }
}
