import JSON
import OrderedCollections

/// How far two requests are from each other, and where they part.
struct CassetteDifference {
    /// One place at which two requests differ.
    struct Place: Equatable {
        /// Such as `messages[2].content[0].text`.
        var path: String
        /// What was recorded there, shortened; nil for nothing.
        var recorded: String?
        /// What stands there now, shortened; nil for nothing.
        var current: String?
    }

    /// The first place, in the order in which requests are written; nil for equal ones.
    private(set) var first: Place?
    /// How many values are equal, less those that are not.
    private(set) var likeness = 0

    /// Compares two requests.
    init(recorded: JSONValue, current: JSONValue) {
        compare(recorded, current, path: "")
    }

    private mutating func compare(_ recorded: JSONValue?, _ current: JSONValue?, path: String) {
        switch (recorded, current) {
        case (.object(let old)?, .object(let new)?):
            let keys = OrderedSet(old.keys).union(new.keys)
            for key in keys { compare(old[key], new[key], path: path.isEmpty ? key : "\(path).\(key)") }
        case (.array(let old)?, .array(let new)?):
            for index in 0..<max(old.count, new.count) {
                compare(old.element(at: index), new.element(at: index), path: "\(path)[\(index)]")
            }
        default:
            if recorded == current {
                likeness += 1
            } else {
                likeness -= 1
                if first == nil { first = Self.place(path, recorded, current) }
            }
        }
    }

    private static func place(_ path: String, _ recorded: JSONValue?, _ current: JSONValue?) -> Place {
        guard case .string(let old)? = recorded, case .string(let new)? = current else {
            return Place(path: path, recorded: recorded.map { shown($0, from: 0) }, current: current.map { shown($0, from: 0) })
        }
        // Long texts are shown from a little before where they part.
        let common = zip(old, new).prefix { $0 == $1 }.count
        let start = max(0, common - 20)
        return Place(path: path, recorded: shown(.string(old), from: start), current: shown(.string(new), from: start))
    }

    private static func shown(_ value: JSONValue, from start: Int) -> String {
        let limit = 60
        if case .string(let text) = value {
            let rest = text.dropFirst(start)
            let piece = rest.prefix(limit)
            let shown = (start > 0 ? "…" : "") + piece + (piece.endIndex < rest.endIndex ? "…" : "")
            return String(decoding: JSONWriter.encode(JSONValue.string(String(shown))), as: UTF8.self)
        }
        let text = String(decoding: JSONWriter.encode(value), as: UTF8.self)
        let piece = text.prefix(limit)
        return piece.endIndex < text.endIndex ? piece + "…" : text
    }
}

extension [JSONValue] {
    fileprivate func element(at index: Int) -> JSONValue? {
        // `nil` alone would be JSON's null.
        indices.contains(index) ? self[index] : Optional.none
    }
}
