/// A value that can be read from JSON.
package protocol JSONReadable {
    /// Reads one whole value.
    ///
    /// - Parameter reader: stands before the value, and after it on return.
    /// - Throws: ``JSONError`` when the text is not JSON or not such a value.
    init(from reader: inout JSONReader) throws(JSONError)
}

extension String: JSONReadable {
    /// Reads a JSON string.
    package init(from reader: inout JSONReader) throws(JSONError) {
        self = try reader.string()
    }
}

extension Int: JSONReadable {
    /// Reads a number that is written as an integer.
    package init(from reader: inout JSONReader) throws(JSONError) {
        self = try reader.integer()
    }
}

extension Double: JSONReadable {
    /// Reads any number that a double can hold.
    package init(from reader: inout JSONReader) throws(JSONError) {
        self = try reader.double()
    }
}

extension Bool: JSONReadable {
    /// Reads `true` or `false`.
    package init(from reader: inout JSONReader) throws(JSONError) {
        self = try reader.bool()
    }
}

extension Array: JSONReadable where Element: JSONReadable {
    /// Reads an array whose elements are all of one type.
    package init(from reader: inout JSONReader) throws(JSONError) {
        self = []
        try reader.beginArray()
        while try reader.nextElement() {
            append(try Element(from: &reader))
        }
    }
}
