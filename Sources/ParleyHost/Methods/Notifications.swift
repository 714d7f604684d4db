import JSON
import JSONRPC

/// `$/cancelRequest`: the client wants a request to end early.
struct CancelRequest {
    static let name = "$/cancelRequest"
    let id: RequestID

    init(from params: Params) throws(JSONError) {
        var reader = params.reader()
        var id: RequestID?
        try reader.beginObject()
        while let key = try reader.nextKey() {
            guard key == "id" else { throw reader.mismatch("unknown field") }
            switch try reader.value() {
            case .string(let text): id = .string(text)
            case .integer(let number): id = .integer(String(number))
            case .number(let literal): id = .integer(literal)
            case .null: id = .null
            default: throw reader.mismatch("expected the id of a request")
            }
        }
        guard let id else { throw reader.missing("id") }
        self.id = id
    }
}

/// `$/advanceClock`: moves the clock of a deterministic host; exists only there.
struct AdvanceClock {
    static let name = "$/advanceClock"
    let milliseconds: Int64

    init(from params: Params) throws(JSONError) {
        var reader = params.reader()
        var milliseconds: Int?
        try reader.beginObject()
        while let key = try reader.nextKey() {
            guard key == "ms" else { throw reader.mismatch("unknown field") }
            milliseconds = try reader.integer()
            guard (0...31_536_000_000).contains(milliseconds ?? 0) else { throw reader.mismatch("expected 0 to one year") }
        }
        guard let milliseconds else { throw reader.missing("ms") }
        self.milliseconds = Int64(milliseconds)
    }
}
