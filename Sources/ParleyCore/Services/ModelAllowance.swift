/// Which models people may choose (`models.allowed.…`); the operator may choose any.
package struct ModelAllowance: Hashable, Sendable {
    /// What anonymous people may choose.
    package var anonymous: [String]
    /// What users may choose.
    package var user: [String]

    /// Says who may choose what.
    ///
    /// - Parameters:
    ///   - anonymous: each `default`, for the model that answers when nobody chose, or `PROVIDER:MODEL` in which `*` stands for anything.
    ///   - user: the same.
    package init(anonymous: [String] = ["default"], user: [String] = ["*"]) {
        self.anonymous = anonymous
        self.user = user
    }

    /// Whether a person may choose a model.
    func allows(_ id: String, isDefault: Bool, for kind: PersonKind) -> Bool {
        patterns(for: kind).contains { $0 == "default" ? isDefault : Self.matches(Array(id.utf8)[...], pattern: Array($0.utf8)[...]) }
    }

    /// Whether a person may choose any model.
    func allowsAll(for kind: PersonKind) -> Bool { patterns(for: kind).contains("*") }

    private func patterns(for kind: PersonKind) -> [String] {
        switch kind {
        case .anonymous: anonymous
        case .user: user
        case .operator: ["*"]
        }
    }

    /// Compares a text with a pattern in which `*` stands for any number of bytes, in a time bounded by the product of their lengths: after a
    /// mismatch only the last star has to take one byte more.
    private static func matches(_ text: ArraySlice<UInt8>, pattern: ArraySlice<UInt8>) -> Bool {
        var text = text
        var pattern = pattern
        var retry: (text: ArraySlice<UInt8>, pattern: ArraySlice<UInt8>)?
        while let byte = text.first {
            if pattern.first == UInt8(ascii: "*") {
                pattern = pattern.dropFirst()
                retry = (text, pattern)
            } else if pattern.first == byte {
                text = text.dropFirst()
                pattern = pattern.dropFirst()
            } else if let last = retry {
                text = last.text.dropFirst()
                pattern = last.pattern
                retry = (text, pattern)
            } else {
                return false
            }
        }
        return pattern.allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
