import JSON

/// One message as it stands in a line or in a batch (JSON-RPC 2.0, sections 4 and 5).
enum Message {
    case request(RequestID, IncomingRequest)
    case notification(IncomingRequest)
    /// A notification whose params are neither an object nor null.
    case refusedNotification(method: String)
    case response(RequestID, Result<JSONValue, RPCError>)
    /// Neither; to be answered with the error and the id, which is null where none could be read.
    case invalid(RequestID, RPCError)
    /// An answer that is none; the peer is told, with id null since the id is one of ours, and whoever waits for it hears the error.
    case invalidResponse(RequestID?, RPCError)

    /// Reads a message in one pass; members in any order, unknown ones ignored, of repeated ones the last.
    /// - Parameters:
    ///   - reader: stands before the value, and after it on return.
    ///   - bytes: what the reader reads.
    /// - Throws: `JSONError` of kind syntax.
    init(from reader: inout JSONReader, of bytes: [UInt8]) throws(JSONError) {
        guard try reader.peek() == .object else {
            _ = try reader.skip()
            self = .invalid(.null, .invalidRequest("a message is an object"))
            return
        }
        var isVersion2 = false
        var id: RequestID?
        var hasID = false
        var method: String?
        var hasMethod = false
        var params: Params? = .empty
        var result: Range<Int>?
        var error: Range<Int>?
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "jsonrpc":
                isVersion2 = try Self.string(from: &reader) == "2.0"
            case "id":
                id = try RequestID.read(from: &reader, of: bytes)
                hasID = true
            case "method":
                method = try Self.string(from: &reader)
                hasMethod = true
            case "params":
                params = try Params.read(from: &reader, of: bytes)
            case "result":
                result = try reader.skip()
            case "error":
                error = try reader.skip()
            default:
                _ = try reader.skip()
            }
        }
        if !hasMethod, result != nil || error != nil {
            self = try Self.response(to: id, isVersion2: isVersion2, result: result, error: error, in: bytes)
        } else if hasID, id == nil {
            self = .invalid(.null, .invalidRequest("id must be a string, an integer without fraction and exponent, or null"))
        } else if !isVersion2 {
            self = .invalid(id ?? .null, .invalidRequest("jsonrpc must be \"2.0\""))
        } else if let method {
            self = Self.call(method, params, id: id)
        } else {
            self = .invalid(id ?? .null, .invalidRequest(hasMethod ? "method must be a string" : "method is missing"))
        }
    }

    private static func string(from reader: inout JSONReader) throws(JSONError) -> String? {
        if try reader.peek() == .string { return try reader.string() }
        _ = try reader.skip()
        return nil
    }

    private static func call(_ method: String, _ params: Params?, id: RequestID?) -> Message {
        guard let params else {
            guard let id else { return .refusedNotification(method: method) }
            return .invalid(id, .invalidParams(path: "", reason: "params must be an object"))
        }
        let call = IncomingRequest(method: method, params: params)
        guard let id else { return .notification(call) }
        return .request(id, call)
    }

    private static func response(
        to id: RequestID?, isVersion2: Bool, result: Range<Int>?, error: Range<Int>?, in bytes: [UInt8]
    ) throws(JSONError) -> Message {
        guard let id else {
            return .invalidResponse(nil, .invalidRequest("an answer needs the id of the request that it answers"))
        }
        guard isVersion2 else {
            return .invalidResponse(id, .invalidRequest("jsonrpc must be \"2.0\""))
        }
        switch (result, error) {
        case (let result?, nil):
            var reader = JSONReader(bytes, in: result)
            return .response(id, .success(try reader.value()))
        case (nil, let error?):
            var reader = JSONReader(bytes, in: error)
            if let error = try RPCError.read(from: &reader) { return .response(id, .failure(error)) }
            return .invalidResponse(id, .invalidRequest("error must be an object with an integer code and a string message"))
        default:
            return .invalidResponse(id, .invalidRequest("an answer has either a result or an error"))
        }
    }
}
