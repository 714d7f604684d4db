import JSON

/// Reading what a server may have sent in another type than expected: that is passed over instead of refused.
extension JSONReader {
    /// Goes into an object if there is one, and else over whatever there is.
    mutating func enterObject() throws(JSONError) -> Bool {
        guard try peek() == .object else {
            _ = try skip()
            return false
        }
        try beginObject()
        return true
    }

    /// Goes into an array if there is one, and else over whatever there is.
    mutating func enterArray() throws(JSONError) -> Bool {
        guard try peek() == .array else {
            _ = try skip()
            return false
        }
        try beginArray()
        return true
    }

    /// A string, or "" for anything else.
    mutating func textIfAny() throws(JSONError) -> String {
        guard try peek() == .string else {
            _ = try skip()
            return ""
        }
        return try string()
    }

    /// A string, or "" for anything else, and where the string lies.
    mutating func literalIfAny() throws(JSONError) -> (text: String, place: Range<Int>?) {
        let isString = try peek() == .string
        let text = try textIfAny()
        return (text, isString ? lastValue : nil)
    }

    /// The text of a tool call's arguments; some servers (Ollama) send the object itself.
    mutating func argumentsIfAny() throws(JSONError) -> String {
        switch try peek() {
        case .string: return try string()
        case .object: return String(decoding: JSONWriter.encode(try value()), as: UTF8.self)
        default:
            _ = try skip()
            return ""
        }
    }

    /// A number without its fraction, or nil for anything else and what is below 0.
    mutating func countIfAny() throws(JSONError) -> Int? {
        guard try peek() == .number else {
            _ = try skip()
            return nil
        }
        let count = Int(exactly: try double().rounded(.down)) ?? -1
        return count < 0 ? nil : count
    }

    /// One number of an object.
    mutating func count(in field: String) throws(JSONError) -> Int? {
        guard try enterObject() else { return nil }
        var count: Int?
        while let key = try nextKey() {
            if key == field { count = try countIfAny() } else { _ = try skip() }
        }
        return count
    }
}
