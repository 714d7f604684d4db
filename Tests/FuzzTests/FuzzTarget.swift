/// What is fuzzed: a reader of bytes that come from outside, with what it promises of any bytes at all.
///
/// The fuzzer (`Tests/run --fuzz`) looks for bytes that break a promise; the ordinary tests replay those that it has found interesting.
enum FuzzTarget: String, CaseIterable, Sendable {
    /// Lines cut out of a stream.
    case lines
    /// A JSON document read, written and read again.
    case json
    /// A JSON document read by calls in any order.
    case reader
    /// A line of the protocol, and the params of every method.
    case requests
    /// A stream of server-sent events.
    case events
    /// The answer of a model's server.
    case answers
    /// The text of a model, with thoughts and tool calls in it.
    case texts
    /// A message that may be a command, and the tool that it calls.
    case commands
    /// A conversation in a file.
    case files

    /// Reads an input and looks whether every promise is kept.
    ///
    /// - Parameter input: any bytes.
    /// - Throws: `BrokenPromise`.
    func check(_ input: [UInt8]) throws(BrokenPromise) {
        switch self {
        case .lines: try LineTarget.check(input)
        case .json: try JSONTarget.check(input)
        case .reader: try ReaderTarget.check(input)
        case .requests: try RequestTarget.check(input)
        case .events: try EventTarget.check(input)
        case .answers: try AnswerTarget.check(input)
        case .texts: try TextTarget.check(input)
        case .commands: try CommandTarget.check(input)
        case .files: try FileTarget.check(input)
        }
    }
}

/// Something that must hold for any input does not hold for this one.
struct BrokenPromise: Error, CustomStringConvertible {
    let description: String
}

/// Makes sure that a promise is kept.
///
/// - Parameter promise: what should be, as a sentence.
func expect(_ isKept: Bool, _ promise: @autoclosure () -> String) throws(BrokenPromise) {
    if !isKept { throw BrokenPromise(description: promise()) }
}

/// How a stream is cut, told by one byte of the input, so that a mutation of that byte cuts it in another way.
struct Cuts {
    private let sizes: [Int]

    init(_ byte: UInt8) {
        sizes = [Int(byte & 0x0F) + 1, Int(byte >> 4) + 1]
    }

    /// The stream in pieces.
    func pieces<Stream: RandomAccessCollection>(of stream: Stream) -> [Stream.SubSequence] {
        var pieces: [Stream.SubSequence] = []
        var rest = stream[...]
        while !rest.isEmpty {
            let size = sizes[pieces.count % sizes.count]
            pieces.append(rest.prefix(size))
            rest = rest.dropFirst(size)
        }
        return pieces
    }
}
