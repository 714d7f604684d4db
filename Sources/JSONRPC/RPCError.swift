package import JSON

/// The error object of an answer (JSON-RPC 2.0, section 5.1).
package struct RPCError: Error, Sendable, Equatable, JSONWritable {
    /// The number, for example -32600.
    package var code: Int
    /// One sentence for a developer.
    package var message: String
    /// What a program reads: an object with `code`, `httpStatus` and `retryable` in errors of this host, anything in a peer's.
    package var data: JSONValue?

    /// Makes an error from its three members; `data` of nil leaves the member out.
    package init(code: Int, message: String, data: JSONValue? = nil) {
        self.code = code
        self.message = message
        self.data = data
    }

    /// Writes the error object.
    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("code", code)
        writer.member("message", message)
        writer.member("data", data)
        writer.endObject()
    }

    /// Reads the error object that a peer answered with; members that JSON-RPC does not know are ignored.
    /// - Parameter reader: stands before the value.
    /// - Returns: nil when it is no such object.
    /// - Throws: `JSONError` of kind syntax.
    static func read(from reader: inout JSONReader) throws(JSONError) -> RPCError? {
        let value = try reader.value()
        guard let code = value["code"]?.intValue, let message = value["message"]?.stringValue else { return nil }
        return RPCError(code: code, message: message, data: value["data"])
    }
}

/// The errors that this layer answers with; each says in `data` what the protocol's table says.
extension RPCError {
    /// -32700: a line is not JSON.
    package static func parseError(_ reason: String) -> RPCError {
        RPCError(code: -32700, message: "The line is not valid JSON: \(reason).", name: "parseError", httpStatus: 400)
    }

    /// -32600: a line is JSON but not a request.
    package static func invalidRequest(_ reason: String) -> RPCError {
        RPCError(code: -32600, message: "The request is not valid: \(reason).", name: "invalidRequest", httpStatus: 400)
    }

    /// -32600: a line is longer than the limit, in bytes.
    package static func inputTooLarge(limit: Int) -> RPCError {
        RPCError(code: -32600, message: "The line is longer than \(limit) bytes.", name: "inputTooLarge", httpStatus: 413)
    }

    /// -32602: the params are not what the method takes.
    /// - Parameters:
    ///   - path: the field concerned, relative to params; empty for params as a whole.
    ///   - reason: what is wrong with it.
    package static func invalidParams(path: String, reason: String) -> RPCError {
        RPCError(
            code: -32602, message: "The params are not valid\(path.isEmpty ? "" : " at \(path)"): \(reason).", name: "invalidParams",
            httpStatus: 400,
            more: ["path": .string(path), "reason": .string(reason)])
    }

    /// -32603: the host failed in a way that the client has no part in.
    package static func internalError(_ message: String) -> RPCError {
        RPCError(code: -32603, message: message, name: "internalError", httpStatus: 500)
    }

    /// -32001: there is too much to do just now.
    package static func overloaded(_ message: String) -> RPCError {
        RPCError(code: -32001, message: message, name: "overloaded", httpStatus: 503, isRetryable: true)
    }

    private init(
        code: Int, message: String, name: String, httpStatus: Int, isRetryable: Bool = false, more: KeyValuePairs<String, JSONValue> = [:]
    ) {
        var data: JSONValue = ["code": .string(name), "httpStatus": .integer(Int64(httpStatus)), "retryable": .bool(isRetryable)]
        if case .object(var members) = data {
            for (key, value) in more { members[key] = value }
            data = .object(members)
        }
        self.init(code: code, message: message, data: data)
    }
}
