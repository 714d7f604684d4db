/// Why a text or a field was refused.
package struct JSONError: Error, Equatable, Sendable {
    /// The two ways a text can disappoint its reader.
    package enum Kind: Sendable {
        /// The text is not JSON: it breaks RFC 8259, is not UTF-8, or nests deeper than ``JSONReader/maximumDepth``.
        case syntax
        /// The whole text is valid JSON, but not what was asked for.
        case mismatch
    }

    /// Whether the text is not JSON or only not what was asked for.
    package var kind: Kind

    /// What is wrong, for people, such as "expected a string, found a number".
    package var reason: String

    /// The member or element concerned, such as "content[0].text"; empty for the whole document.
    ///
    /// Keys that are not identifiers stand in brackets as JSON strings, `["odd key"]`; overlong keys are cut.
    package var path: String

    /// Where the fault lies, in bytes from the start of the reader's range.
    package var offset: Int

    /// Makes an error.
    ///
    /// - Parameters:
    ///   - kind: whether the text is not JSON or only not what was asked for.
    ///   - reason: what is wrong, for people.
    ///   - path: the member or element concerned; empty for the whole document.
    ///   - offset: where the fault lies, in bytes from the start of the reader's range.
    package init(kind: Kind, reason: String, path: String, offset: Int) {
        self.kind = kind
        self.reason = reason
        self.path = path
        self.offset = offset
    }
}
