package import JSON

/// A conversation with a host, written down in a file.
///
/// ```
/// # What it shows.
/// $ serve --model scripted:hello.jsonl
/// > {"jsonrpc":"2.0","id":1,"method":"createConversation","params":{}}
/// < {"id":1,"result":{"conversation":{"id":"${conversation}"}}}
/// ```
/// - `#` begins a remark; blank lines are remarks too.
/// - `$ serve` gives the flags of `parley serve --deterministic`; files are relative to the transcript's folder. There are none without it.
/// - `>` is a line that is sent, with what was captured in the place of `${name}`. `>x` sends exactly the bytes that follow it, without a
///   line end, and `\xNN` stands for one byte.
/// - `<` is a line that is received: JSON, whose objects may have further members. `<=` allows none. Each stands after the sent line after
///   which the host came to rest again. `${name}` in a string captures what stands there, see `Captures`.
/// - `$ end of input` stands before what is received after the last line was sent and the input was closed.
package struct Transcript: Sendable {
    /// A line of the file.
    package struct Line: Sendable {
        /// What a line is.
        package enum Kind: Sendable {
            /// A remark, or the flags.
            case remark
            /// What is sent; a text may hold captures, and ends with a line end.
            case sent([UInt8], isText: Bool)
            /// What is received.
            case expected(JSONValue, isExact: Bool)
            /// The mark before what is received after the input's end.
            case endOfInput
        }

        /// Counted from 1.
        package let number: Int
        /// The whole line without its end.
        package let text: [UInt8]
        /// What it is.
        package let kind: Kind
    }

    /// A line after which the host acts, with the lines that stand below it.
    package struct Exchange: Sendable {
        /// What is sent, or the end of the input; nil for what stands before all that.
        package var head: Line?
        /// What is received, and remarks.
        package var lines: [Line] = []
    }

    /// A line that is none of those of a transcript.
    package struct FormatError: Error, CustomStringConvertible {
        /// Counted from 1.
        package let line: Int
        /// What is wrong, without an end mark.
        package let reason: String

        /// Where and what.
        package var description: String { "line \(line) \(reason)" }
    }

    /// The marks that lines begin with.
    private static let sent = Array("> ".utf8)
    private static let sentBytes = Array(">x ".utf8)
    private static let received = Array("<".utf8)
    private static let receivedExactly = Array("<=".utf8)
    private static let serve = Array("$ serve".utf8)
    private static let endOfInput = Array("$ end of input".utf8)

    /// The flags of `parley serve` beside `--deterministic`.
    package private(set) var flags: [String] = []
    /// The whole file, in order; the first has no head.
    package private(set) var exchanges = [Exchange()]
    /// Whether the file says what is to be received.
    package private(set) var hasExpectations = false
    /// How many lines are sent or received.
    package private(set) var count = 0

    /// Reads a transcript.
    ///
    /// - Parameter bytes: the whole file.
    /// - Throws: `FormatError`.
    package init(_ bytes: [UInt8]) throws(FormatError) {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(Array.init)
        if lines.last?.isEmpty == true { lines.removeLast() }
        var hasEnded = false
        for (index, text) in lines.enumerated() {
            let line = Line(number: index + 1, text: text, kind: try Self.kind(of: text, number: index + 1))
            switch line.kind {
            case .remark:
                if Self.isServe(text) {
                    flags = String(decoding: text, as: UTF8.self).split(separator: " ").dropFirst(2).map(String.init)
                }
                exchanges[exchanges.count - 1].lines.append(line)
            case .expected:
                hasExpectations = true
                count += 1
                exchanges[exchanges.count - 1].lines.append(line)
            case .sent, .endOfInput:
                guard !hasEnded else { throw FormatError(line: index + 1, reason: "comes after the end of the input") }
                if case .endOfInput = line.kind { hasEnded = true } else { count += 1 }
                exchanges.append(Exchange(head: line))
            }
        }
    }

    /// The flags for a host that runs elsewhere: files are found beside the transcript.
    ///
    /// - Parameter folder: the path of the transcript's folder.
    package func arguments(inFolder folder: String) -> [String] {
        func located(_ path: Substring) -> String { path.hasPrefix("/") ? String(path) : "\(folder)/\(path)" }
        return flags.enumerated().map { index, flag in
            for prefix in ["scripted:", "replay:"] where flag.hasPrefix(prefix) { return prefix + located(flag.dropFirst(prefix.count)) }
            return index > 0 && flags[index - 1] == "--config" ? located(flag[...]) : flag
        }
    }

    private static func isServe(_ line: [UInt8]) -> Bool {
        line.starts(with: serve) && (line.count == serve.count || line[serve.count] == UInt8(ascii: " "))
    }

    private static func kind(of line: [UInt8], number: Int) throws(FormatError) -> Line.Kind {
        if line.isEmpty || line[0] == UInt8(ascii: "#") || isServe(line) { return .remark }
        if line == endOfInput { return .endOfInput }
        if line.starts(with: sentBytes) { return .sent(try unescaped(line.dropFirst(sentBytes.count), number: number), isText: false) }
        if line.starts(with: sent) || line == [UInt8(ascii: ">")] {
            return .sent(line.dropFirst(sent.count) + [UInt8(ascii: "\n")], isText: true)
        }
        guard line.starts(with: received) else { throw FormatError(line: number, reason: "begins with none of # $ > <") }
        let isExact = line.starts(with: receivedExactly)
        do {
            return .expected(try JSONReader.parse(Array(line.dropFirst(isExact ? 2 : 1))), isExact: isExact)
        } catch {
            throw FormatError(line: number, reason: "is to be received, but is not JSON: \(error.reason)")
        }
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
                throw FormatError(line: number, reason: "has a \\x that is not followed by two hexadecimal digits")
            }
            bytes.append(escaped)
            rest = rest.dropFirst(3)
        }
        return bytes
    }
}
