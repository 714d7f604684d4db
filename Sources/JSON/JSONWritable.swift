/// A value that can be written as JSON.
package protocol JSONWritable {
    /// Writes exactly one whole value.
    ///
    /// - Parameter writer: takes the value at the place where one is due.
    func write(to writer: inout JSONWriter)
}

extension String: JSONWritable {
    /// Writes a JSON string.
    package func write(to writer: inout JSONWriter) {
        writer.string(self)
    }
}

extension Int: JSONWritable {
    /// Writes a number.
    package func write(to writer: inout JSONWriter) {
        writer.integer(self)
    }
}

extension Double: JSONWritable {
    /// Writes a number, or `null` when it is not finite.
    package func write(to writer: inout JSONWriter) {
        writer.double(self)
    }
}

extension Bool: JSONWritable {
    /// Writes `true` or `false`.
    package func write(to writer: inout JSONWriter) {
        writer.bool(self)
    }
}

extension Array: JSONWritable where Element: JSONWritable {
    /// Writes an array.
    package func write(to writer: inout JSONWriter) {
        writer.beginArray()
        for element in self {
            element.write(to: &writer)
        }
        writer.endArray()
    }
}
