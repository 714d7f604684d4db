import JSON
import ParleyCore

/// The params `cursor` and `limit` that every list takes.
struct PageParams: Sendable {
    private var cursor: String?
    private var limit: Int?

    /// Reads the field if it is one of the two; refuses it otherwise.
    mutating func read(_ field: String, from params: inout ParamsReader) throws(JSONError) {
        switch field {
        case "cursor": cursor = try params.string()
        case "limit":
            limit = try params.integer()
            guard limit ?? 1 >= 1 else { throw params.refused("expected at least 1") }
        default: throw params.unknownField()
        }
    }

    /// The page that is wanted.
    var request: PageRequest { PageRequest(cursor: cursor, limit: limit) }
}

extension Page where Element: JSONWritable {
    /// Writes `{data, nextCursor?}`.
    var result: ResultWriter {
        { writer in
            writer.object { writer in
                writer.member("data", elements)
                writer.member("nextCursor", nextCursor)
            }
        }
    }
}

extension ParamsReader {
    /// Reads params that hold one string beside a caller.
    mutating func onlyField(_ name: String) throws(JSONError) -> String {
        try required(onlyFieldIfAny(name), name)
    }

    /// Reads params that hold one string at most, besides a caller.
    mutating func onlyFieldIfAny(_ name: String) throws(JSONError) -> String? {
        var value: String?
        while let field = try nextField() {
            guard field == name else { throw unknownField() }
            value = try string()
        }
        return value
    }
}

/// Writes `{deleted: true, id}`.
func deletionResult(id: String) -> ResultWriter {
    { writer in
        writer.object { writer in
            writer.member("deleted", true)
            writer.member("id", id)
        }
    }
}
