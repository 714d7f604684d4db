import JSON

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

    /// A reader of the object; the paths in its errors are relative to params.
    package func reader() -> JSONReader {
        JSONReader(bytes, in: range)
    }
}
