import JSON
import OrderedCollections

/// How far two requests are from each other, and where they part.
struct CassetteDifference {
    /// One place at which two requests differ.
    struct Place {
        /// Such as `messages[2].content[0].text`.
        var path: String
        /// What was recorded there; nil for nothing.
        var recorded: JSONValue?
        /// What stands there now; nil for nothing.
        var current: JSONValue?
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
                if first == nil { first = Place(path: path, recorded: recorded, current: current) }
            }
        }
    }
}

extension CassetteDifference.Place {
    /// Both values as JSON, shortened, or `nothing`. Long texts are shown from a little before where they part.
    var shown: (recorded: String, current: String) {
        var start = 0
        if case .string(let old)? = recorded, case .string(let new)? = current {
            start = max(0, zip(old, new).prefix { $0 == $1 }.count - 20)
        }
        return (Self.shown(recorded, from: start), Self.shown(current, from: start))
    }

    private static func shown(_ value: JSONValue?, from start: Int) -> String {
        let limit = 60
        switch value {
        case nil: return "nothing"
        case .string(let text)?:
            let rest = text.dropFirst(start)
            let piece = rest.prefix(limit)
            let shown = (start > 0 ? "…" : "") + piece + (piece.endIndex < rest.endIndex ? "…" : "")
            return String(decoding: JSONWriter.encode(JSONValue.string(String(shown))), as: UTF8.self)
        case let value?:
            let text = String(decoding: JSONWriter.encode(value), as: UTF8.self)
            let piece = text.prefix(limit)
            return piece.endIndex < text.endIndex ? piece + "…" : text
        }
    }
}

extension [JSONValue] {
    fileprivate func element(at index: Int) -> JSONValue? {
        // `nil` alone would be JSON's null.
        indices.contains(index) ? self[index] : Optional.none
    }
}
