package import JSON

/// What a peer asks for, a request or a notification, without its id.
package struct IncomingRequest: Sendable {
    /// The method's name as it was sent.
    package let method: String
    /// What it is to be called with.
    package let params: Params
}

/// The bytes of params, a JSON object that has been found well formed and is not yet parsed.
///
/// They are a slice of the lines that came in one read, without a copy, and so keep all of these alive: read them soon.
package struct Params: Sendable {
    /// What absent params and null read as.
    static let empty = Params(bytes: Array("{}".utf8), range: 0..<2)

    private let bytes: [UInt8]
    private let range: Range<Int>

    init(bytes: [UInt8], range: Range<Int>) {
        self.bytes = bytes
        self.range = range
    }

    /// Their length in bytes.
    package var count: Int { range.count }

    /// A reader of the object; the paths in its errors are relative to params.
    package func reader() -> JSONReader {
        JSONReader(bytes, in: range)
    }

    /// Reads the value of params.
    /// - Parameters:
    ///   - reader: stands before the value, and after it on return.
    ///   - bytes: what the reader reads.
    /// - Returns: nil when the value is neither an object nor null.
    /// - Throws: `JSONError` of kind syntax.
    static func read(from reader: inout JSONReader, of bytes: [UInt8]) throws(JSONError) -> Params? {
        let kind = try reader.peek()
        let range = try reader.skip()
        return switch kind {
        case .object: Params(bytes: bytes, range: range)
        case .null: .empty
        case .bool, .number, .string, .array: nil
        }
    }
}
