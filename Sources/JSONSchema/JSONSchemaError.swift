/// Why a document cannot be used as a schema.
package struct JSONSchemaError: Error, Equatable, Sendable {
    /// The place in the schema, as a JSON pointer (RFC 6901), such as `/properties/age/minimum`; empty for the whole document.
    package var pointer: String

    /// What is wrong with it, for people.
    package var reason: String

    /// Makes an error.
    ///
    /// - Parameters:
    ///   - pointer: the place in the schema as a JSON pointer.
    ///   - reason: what is wrong with it, for people.
    package init(pointer: String, reason: String) {
        self.pointer = pointer
        self.reason = reason
    }
}
