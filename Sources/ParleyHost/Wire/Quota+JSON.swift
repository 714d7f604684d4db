package import JSON
package import ParleyCore

extension QuotaReading: JSONWritable {
    /// Writes the value as the protocol's Limit.
    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("scope", scope.rawValue)
            writer.member("unit", unit)
            if let totals {
                writer.member("limit", totals.limit)
                writer.member("used", totals.used)
                writer.member("held", totals.held)
                writer.member("remaining", totals.remaining)
            } else {
                writer.member("open", isOpen)
            }
            writer.member("windowSeconds", windowSeconds)
            writer.member("resetsAt", resetsAt?.rfc3339)
            writer.member("retryAfterMs", retryAfterMilliseconds.map { Int($0) })
        }
    }
}

extension QuotaWarning: JSONWritable {
    /// Writes the value as the protocol's QuotaWarning.
    package func write(to writer: inout JSONWriter) {
        writer.object { $0.members(of: self) }
    }
}

extension QuotaReceipt: JSONWritable {
    /// Writes the value as the protocol's Receipt.
    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("counted", counted)
            writer.member("reason", reason.rawValue)
            writer.member("warning", warning)
            writer.member("limits", limits)
        }
    }
}

extension JSONWriter {
    /// Writes the members of a warning, which the event `quotaWarning` has too.
    mutating func members(of warning: QuotaWarning) {
        member("scope", warning.scope.rawValue)
        member("unit", warning.unit)
        member("remaining", warning.remaining)
        member("message", warning.message)
    }
}

extension QuotaSubject: JSONReadable {
    private enum Field: String, CaseIterable { case userId, anonymousUserId, clientAddress, system }

    /// Reads an object with exactly one of `userId`, `anonymousUserId`, `clientAddress` and `system`.
    package init(from reader: inout JSONReader) throws(JSONError) {
        let names = Field.allCases.map(\.rawValue).joined(separator: ", ")
        var subject: QuotaSubject?
        var first: Field?
        try reader.beginObject()
        while let key = try reader.nextKey() {
            guard let field = Field(rawValue: key) else { throw reader.mismatch("unknown field") }
            guard first == nil || first == field else { throw reader.mismatch("a subject is exactly one of \(names)") }
            first = field
            subject = try Self.subject(field, from: &reader)
        }
        guard let subject else { throw reader.mismatch("expected one of \(names)") }
        self = subject
    }

    private static func subject(_ field: Field, from reader: inout JSONReader) throws(JSONError) -> QuotaSubject {
        guard field != .system else {
            guard try reader.bool() else { throw reader.mismatch("expected true") }
            return .system
        }
        let text = try reader.string()
        guard (1...256).contains(text.utf8.count), let address = ClientAddress(text) else {
            throw reader.mismatch("expected 1 to 256 bytes")
        }
        return switch field {
        case .userId: .user(id: text)
        case .anonymousUserId: .anonymousUser(id: text)
        default: .address(address)
        }
    }
}
