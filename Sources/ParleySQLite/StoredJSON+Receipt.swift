import JSON
import ParleyCore

/// A turn's receipt.
extension StoredJSON {
    static func text(of receipt: QuotaReceipt) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("counted", receipt.counted)
            writer.member("reason", receipt.reason.rawValue)
            if let warning = receipt.warning {
                writer.key("warning")
                writer.object { writer in
                    writer.member("scope", warning.scope.rawValue)
                    writer.member("unit", warning.unit)
                    writer.member("remaining", warning.remaining)
                    writer.member("limit", warning.limit)
                }
            }
            writer.key("limits")
            writer.array { writer in
                for limit in receipt.limits { writer.object { write(limit, to: &$0) } }
            }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    static func receipt(_ bytes: [UInt8]) throws -> QuotaReceipt {
        try readable("turns.receipt") { () throws(JSONError) in
            var receipt = QuotaReceipt(counted: false, reason: .completed, warning: nil, limits: [])
            var reader = JSONReader(bytes)
            try reader.beginObject()
            while let key = try reader.nextKey() {
                switch key {
                case "counted": receipt.counted = try reader.bool()
                case "reason": receipt.reason = try reader.word()
                case "warning": receipt.warning = try warning(&reader)
                case "limits":
                    try reader.beginArray()
                    while try reader.nextElement() { receipt.limits.append(try limit(&reader)) }
                default: throw reader.mismatch("unknown field")
                }
            }
            try reader.end()
            return receipt
        }
    }

    private static func write(_ limit: QuotaReading, to writer: inout JSONWriter) {
        writer.member("scope", limit.scope.rawValue)
        writer.member("unit", limit.unit)
        writer.member("open", limit.isOpen)
        if let totals = limit.totals {
            writer.member("limit", totals.limit)
            writer.member("used", totals.used)
            writer.member("held", totals.held)
        }
        writer.member("windowSeconds", limit.windowSeconds)
        writer.member("resetsAt", limit.resetsAt.map { Int($0.milliseconds) })
        writer.member("retryAfterMs", limit.retryAfterMilliseconds.map { Int($0) })
    }

    private static func warning(_ reader: inout JSONReader) throws(JSONError) -> QuotaWarning {
        var warning = QuotaWarning(scope: .system, unit: "", remaining: 0, limit: 0)
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "scope": warning.scope = try reader.word()
            case "unit": warning.unit = try reader.string()
            case "remaining": warning.remaining = try reader.integer()
            case "limit": warning.limit = try reader.integer()
            default: throw reader.mismatch("unknown field")
            }
        }
        return warning
    }

    private static func limit(_ reader: inout JSONReader) throws(JSONError) -> QuotaReading {
        var limit = QuotaReading(
            scope: .system, unit: "", totals: nil, isOpen: false, windowSeconds: nil, resetsAt: nil, retryAfterMilliseconds: nil)
        var totals = QuotaReading.Totals(limit: 0, used: 0, held: 0)
        var hasTotals = false
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "scope": limit.scope = try reader.word()
            case "unit": limit.unit = try reader.string()
            case "open": limit.isOpen = try reader.bool()
            case "limit":
                hasTotals = true
                totals.limit = try reader.integer()
            case "used": totals.used = try reader.integer()
            case "held": totals.held = try reader.integer()
            case "windowSeconds": limit.windowSeconds = try reader.integer()
            case "resetsAt": limit.resetsAt = Timestamp(milliseconds: Int64(try reader.integer()))
            case "retryAfterMs": limit.retryAfterMilliseconds = Int64(try reader.integer())
            default: throw reader.mismatch("unknown field")
            }
        }
        if hasTotals { limit.totals = totals }
        return limit
    }
}

extension JSONReader {
    /// Reads a string that is one of an enumeration's words.
    fileprivate mutating func word<Word: RawRepresentable<String>>() throws(JSONError) -> Word {
        guard let word = Word(rawValue: try string()) else { throw mismatch("unknown word") }
        return word
    }
}
