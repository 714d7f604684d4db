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
        self = try Envelope(from: &reader, of: bytes).message(in: bytes)
    }
}

/// The members of a message, before it is known what message they make.
private struct Envelope {
    private enum Field<Value> {
        case absent
        case wrong
        case present(Value)

        var isAbsent: Bool { if case .absent = self { true } else { false } }

        init(_ value: Value?) {
            self = if let value { .present(value) } else { .wrong }
        }
    }

    private var isVersion2 = false
    private var id = Field<RequestID>.absent
    private var method = Field<String>.absent
    private var params = Field<Params>.present(.empty)
    private var result: Range<Int>?
    private var error: Range<Int>?

    init(from reader: inout JSONReader, of bytes: [UInt8]) throws(JSONError) {
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "jsonrpc": isVersion2 = try Self.string(from: &reader) == "2.0"
            case "id": id = Field(try RequestID.read(from: &reader, of: bytes))
            case "method": method = Field(try Self.string(from: &reader))
            case "params": params = Field(try Self.params(from: &reader, of: bytes))
            case "result": result = try reader.skip()
            case "error": error = try reader.skip()
            default: _ = try reader.skip()
            }
        }
    }

    private static func string(from reader: inout JSONReader) throws(JSONError) -> String? {
        if try reader.peek() == .string { return try reader.string() }
        _ = try reader.skip()
        return nil
    }

    private static func params(from reader: inout JSONReader, of bytes: [UInt8]) throws(JSONError) -> Params? {
        let kind = try reader.peek()
        let range = try reader.skip()
        return switch kind {
        case .object: Params(bytes: bytes, range: range)
        case .null: .empty
        case .bool, .number, .string, .array: nil
        }
    }

    func message(in bytes: [UInt8]) throws(JSONError) -> Message {
        if method.isAbsent, result != nil || error != nil { return try response(in: bytes) }
        var answerID = RequestID.null
        if case .present(let id) = id { answerID = id }
        if case .wrong = id {
            return .invalid(.null, .invalidRequest("id must be a string, an integer without fraction and exponent, or null"))
        }
        guard isVersion2 else {
            return .invalid(answerID, .invalidRequest("jsonrpc must be \"2.0\""))
        }
        guard case .present(let name) = method else {
            return .invalid(answerID, .invalidRequest(method.isAbsent ? "method is missing" : "method must be a string"))
        }
        guard case .present(let params) = params else {
            return id.isAbsent
                ? .refusedNotification(method: name) : .invalid(answerID, .invalidParams(path: "", reason: "params must be an object"))
        }
        let request = IncomingRequest(method: name, params: params)
        return id.isAbsent ? .notification(request) : .request(answerID, request)
    }

    private func response(in bytes: [UInt8]) throws(JSONError) -> Message {
        guard case .present(let id) = id else {
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
