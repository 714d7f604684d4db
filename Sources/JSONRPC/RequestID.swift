package import JSON

/// The id of a request, echoed with its exact type and digits (JSON-RPC 2.0, section 4).
package enum RequestID: Sendable, JSONWritable {
    /// A string, which is never the same id as a number of the same digits.
    case string(String)
    /// The digits of an integer as they were written, of any length, with a minus sign perhaps.
    case integer(String)
    /// JSON's null, also used in the answer to a line whose id could not be read.
    case null

    /// Writes the id as it was read.
    package func write(to writer: inout JSONWriter) {
        switch self {
        case .string(let string): writer.string(string)
        case .integer(let digits): writer.number(literal: digits)
        case .null: writer.null()
        }
    }

    /// Reads an id.
    /// - Parameters:
    ///   - reader: stands before the value, and after it on return.
    ///   - bytes: what the reader reads.
    /// - Returns: nil when the value cannot be an id: a boolean, an array, an object, or a number with a fraction or an exponent.
    /// - Throws: `JSONError` of kind syntax.
    static func read(from reader: inout JSONReader, of bytes: [UInt8]) throws(JSONError) -> RequestID? {
        switch try reader.peek() {
        case .string:
            return .string(try reader.string())
        case .null:
            _ = try reader.skip()
            return .null
        case .number:
            let literal = bytes[try reader.skip()]
            let isInteger = literal.allSatisfy { $0 == UInt8(ascii: "-") || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
            return isInteger ? .integer(String(decoding: literal, as: UTF8.self)) : nil
        case .bool, .array, .object:
            _ = try reader.skip()
            return nil
        }
    }
}

/// Ids are the same when their bytes are, unlike strings, which also count as the same in another Unicode normal form.
extension RequestID: Hashable {
    /// Whether both are of one type and of the same bytes.
    package static func == (left: RequestID, right: RequestID) -> Bool {
        switch (left, right) {
        case (.string(let left), .string(let right)): left.utf8.elementsEqual(right.utf8)
        case (.integer(let left), .integer(let right)): left == right
        case (.null, .null): true
        default: false
        }
    }

    /// Feeds the bytes to the hasher.
    package func hash(into hasher: inout Hasher) {
        switch self {
        case .string(let text), .integer(let text):
            // Every Swift string on Linux has contiguous storage, and a string and a number that hash alike are still told apart by ==.
            text.utf8.withContiguousStorageIfAvailable { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        case .null:
            break
        }
    }
}
