import JSON
import JSONRPC
import OrderedCollections
import ParleyCore

extension Failure.Code {
    /// The number on the wire, what a web gateway would answer, and whether the same request may succeed later.
    var wire: (number: Int, httpStatus: Int, retryable: Bool) {
        switch self {
        case .invalidParams: (-32602, 400, false)
        case .internalError: (-32603, 500, false)
        case .authRequired: (-32000, 401, false)
        case .overloaded: (-32001, 503, true)
        case .shuttingDown: (-32001, 503, true)
        case .notFound: (-32002, 404, false)
        case .cancelled: (-32800, 499, false)
        case .quotaExceeded: (1101, 429, true)
        case .modelNotAllowed: (1102, 403, false)
        case .messageTooLarge: (1102, 413, false)
        case .conversationBusy: (1201, 409, true)
        case .queueFull: (1201, 429, true)
        case .idempotencyConflict: (1202, 409, false)
        case .nameTaken: (1203, 409, false)
        case .revisionConflict: (1203, 409, false)
        case .storeUnavailable: (1501, 503, true)
        case .storeFull: (1501, 507, false)
        case .modelUnavailable: (1301, 503, true)
        case .modelRateLimited: (1301, 503, true)
        case .modelRejected: (1301, 502, false)
        case .modelAuth: (1301, 502, false)
        case .modelBilling: (1301, 502, false)
        case .modelTimeout: (1301, 504, true)
        case .contextWindowExceeded: (1302, 413, false)
        case .toolFailed: (1401, 502, false)
        case .toolTimeout: (1401, 502, true)
        case .toolDenied: (1401, 502, false)
        }
    }
}

extension TurnError {
    /// The error as the wire shows it, in replies and in `turn.error`.
    var wireError: RPCError {
        let wire = code.wire
        var data: OrderedDictionary<String, JSONValue> = [
            "code": .string(code.rawValue), "httpStatus": .integer(Int64(wire.httpStatus)), "retryable": .bool(wire.retryable),
        ]
        for detail in details { data[detail.name] = detail.value }
        return RPCError(code: wire.number, message: message, data: .object(data))
    }
}

extension Failure {
    /// The error as the wire shows it; the underlying cause stays behind.
    var wireError: RPCError { TurnError(self).wireError }
}

extension RPCError {
    /// -32003: the client speaks none of the host's protocol versions.
    static func protocolVersionUnsupported(_ spoken: ClosedRange<Int>) -> RPCError {
        RPCError(
            code: -32003, message: "The host speaks none of the client's protocol versions.",
            data: [
                "code": "protocolVersionUnsupported", "httpStatus": 400, "retryable": false,
                "supported": .array(spoken.map { .integer(Int64($0)) }),
            ])
    }

    /// -32601: no method has that name.
    static func methodNotFound(_ method: String) -> RPCError {
        let shown = method.count > 80 ? "\(method.prefix(79))…" : method
        return RPCError(
            code: -32601, message: "There is no method \"\(shown)\".",
            data: ["code": "methodNotFound", "httpStatus": 404, "retryable": false, "method": .string(shown)])
    }
}
