import JSON

/// What is looked at in a token's header (RFC 7515, section 4.1).
struct TokenHeader {
    /// The algorithm that the token names.
    private(set) var algorithm = ""
    /// The key that the token names; nil when it names none.
    private(set) var keyID: String?

    /// Reads a header.
    ///
    /// - Throws: `malformedHeader` for anything but an object of distinct members; `criticalHeader` when there is a `crit`, because nothing that
    ///   it could name is known here (section 4.1.11); `wrongAlgorithm` when there is no `alg`.
    init(json: [UInt8]) throws(TokenFault) {
        var isCritical = false
        do throws(JSONError) {
            var reader = JSONReader(json)
            try reader.readDistinctMembers { name, reader throws(JSONError) in
                switch name {
                case "alg": algorithm = try reader.string()
                case "kid": keyID = try reader.string()
                default:
                    isCritical = isCritical || name == "crit"
                    _ = try reader.skip()
                }
            }
        } catch {
            throw .malformedHeader
        }
        if isCritical { throw .criticalHeader }
        if algorithm.isEmpty { throw .wrongAlgorithm }
    }
}

extension JSONReader {
    /// Reads a document that is one object whose members have distinct names (RFC 7515, section 4; RFC 7519, section 4).
    ///
    /// - Parameter member: called with each name; reads or skips the value.
    /// - Throws: ``JSONError`` for any other document.
    mutating func readDistinctMembers(_ member: (String, inout JSONReader) throws(JSONError) -> Void) throws(JSONError) {
        var names: Set<String> = []
        try beginObject()
        while let name = try nextKey() {
            guard names.insert(name).inserted else { throw mismatch("comes twice") }
            try member(name, &self)
        }
        try end()
    }
}

extension String {
    /// Compares byte by byte, as names in tokens are (RFC 7519, section 7.3); `==` would take different spellings of a letter for the same.
    func isExactly(_ other: String) -> Bool {
        utf8.elementsEqual(other.utf8)
    }
}
