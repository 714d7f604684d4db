/// A conversation with a host, written down in a file.
///
/// ```
/// # What it shows.
/// $ serve --model scripted:hello.jsonl
/// > {"jsonrpc":"2.0","id":1,"method":"ping"}
/// < {"jsonrpc":"2.0","id":1,"result":{}}
/// ```
/// - `#` begins a remark; blank lines are remarks too.
/// - `$ serve` gives the flags of `parley serve --deterministic`; files are relative to the transcript's folder. There are none without it.
/// - `>` is a line that is sent. `>x` sends exactly the bytes that follow it, without a line end, and `\xNN` stands for one byte.
/// - `<` is a line that is received. Each stands after the sent line after which the host came to rest again.
/// - `$ end of input` stands before what is received after the last line was sent and the input was closed.
package struct Transcript: Sendable {
    /// A part of the file that its author wrote; what the host said is not kept.
    package enum Entry: Sendable {
        /// A line that stays as it is.
        case remark([UInt8])
        /// A line with the bytes that it sends.
        case sent(line: [UInt8], bytes: [UInt8])
    }

    /// A line that is none of those of a transcript.
    package struct FormatError: Error, CustomStringConvertible {
        /// What is wrong and where.
        package let description: String
    }

    /// The marks that lines begin with.
    private static let sent = Array("> ".utf8)
    private static let sentBytes = Array(">x ".utf8)
    private static let received = Array("<".utf8)
    private static let serve = Array("$ serve".utf8)
    private static let endOfInput = Array("$ end of input".utf8)

    /// The flags of `parley serve` beside `--deterministic`.
    package private(set) var flags: [String] = []
    /// What was written by the author, in order.
    package private(set) var entries: [Entry] = []
    /// Whether the file says what is to be received.
    package private(set) var hasExpectations = false

    /// Reads a transcript.
    ///
    /// - Parameter bytes: the whole file.
    /// - Throws: `FormatError`.
    package init(_ bytes: [UInt8]) throws(FormatError) {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(Array.init)
        if lines.last?.isEmpty == true { lines.removeLast() }
        for (index, line) in lines.enumerated() {
            if line.starts(with: Self.received) || line == Self.endOfInput {
                hasExpectations = true
            } else if line.starts(with: Self.sentBytes) {
                entries.append(.sent(line: line, bytes: try Self.unescaped(line.dropFirst(Self.sentBytes.count), number: index + 1)))
            } else if line.starts(with: Self.sent) || line == [UInt8(ascii: ">")] {
                entries.append(.sent(line: line, bytes: line.dropFirst(Self.sent.count) + [UInt8(ascii: "\n")]))
            } else if line.starts(with: Self.serve) {
                flags = String(decoding: line, as: UTF8.self).split(separator: " ").dropFirst(2).map(String.init)
                entries.append(.remark(line))
            } else if line.isEmpty || line[0] == UInt8(ascii: "#") {
                entries.append(.remark(line))
            } else {
                throw FormatError(description: "line \(index + 1) begins with none of # $ > <")
            }
        }
    }

    /// The file with what a host said.
    ///
    /// - Parameters:
    ///   - replies: for each sent line the lines that came after it, by the entry's index.
    ///   - last: the lines that came after the input was closed.
    /// - Returns: the bytes of the whole file.
    package func written(replies: [Int: [[UInt8]]], last: [[UInt8]]) -> [UInt8] {
        var file: [UInt8] = []
        func add(_ line: [UInt8]) {
            file += line
            file.append(UInt8(ascii: "\n"))
        }
        for (index, entry) in entries.enumerated() {
            switch entry {
            case .remark(let line): add(line)
            case .sent(let line, _):
                add(line)
                for reply in replies[index] ?? [] { add(Self.received + [UInt8(ascii: " ")] + reply) }
            }
        }
        if !last.isEmpty {
            add(Self.endOfInput)
            for reply in last { add(Self.received + [UInt8(ascii: " ")] + reply) }
        }
        return file
    }

    private static func unescaped(_ text: ArraySlice<UInt8>, number: Int) throws(FormatError) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), rest.first == UInt8(ascii: "x") else {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: rest.dropFirst().prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, let escaped = UInt8(digits, radix: 16) else {
                throw FormatError(description: "line \(number): \\x is to be followed by two hexadecimal digits")
            }
            bytes.append(escaped)
            rest = rest.dropFirst(3)
        }
        return bytes
    }
}
