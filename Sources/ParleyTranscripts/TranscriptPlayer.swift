import JSON

/// Plays a transcript to a host and compares what the host says with what the transcript expects.
package struct TranscriptPlayer {
    /// How to tell that a host has said all that follows from a line.
    package enum Pace: Sendable {
        /// The host is deterministic: it is asked.
        case untilRest
        /// Whoever speaks there does so when it wants: the expected lines are waited for.
        case asExpected
    }

    /// What came of it.
    package struct Outcome: Sendable {
        /// What was not as expected, each with its place and one line or several.
        package internal(set) var differences: [String] = []
        /// What kept the transcript from being played to its end or from being updated; nil when nothing did.
        package var obstacle: String?
        /// The transcript with what the host has said.
        package internal(set) var updated: [UInt8] = []

        /// Nothing has been played.
        package init() {}
    }

    /// How long a command must be silent to have said everything, in milliseconds, where nothing says what it will say.
    private static let silence: Int32 = 200

    private let transcript: Transcript
    private let name: String
    private let isExact: Bool
    private let isUpdate: Bool
    private let pace: Pace
    private var comparison = Comparison()
    private var outcome = Outcome()

    /// Prepares a transcript.
    ///
    /// - Parameters:
    ///   - name: what differences call it.
    ///   - isExact: whether objects may have no further members in any line.
    ///   - isUpdate: whether what the host says is to be taken for what is expected.
    package init(_ transcript: Transcript, name: String, isExact: Bool, isUpdate: Bool, pace: Pace) {
        self.transcript = transcript
        self.name = name
        self.isExact = isExact
        self.isUpdate = isUpdate
        self.pace = pace
    }

    /// Plays it, to the end of the host's output.
    ///
    /// A line that cannot be sent ends the play, and so does the first difference where nobody can ask whether the host has come to rest.
    ///
    /// - Throws: `Trouble` when the host says nothing for longer than the client waits, or stops within a line.
    package func play(on client: LineClient) throws(LineClient.Trouble) -> Outcome {
        var player = self
        return try player.run(client)
    }

    private mutating func run(_ client: LineClient) throws(LineClient.Trouble) -> Outcome {
        var last = Transcript.Exchange()
        for exchange in transcript.exchanges {
            switch exchange.head?.kind {
            case .sent(let bytes, let isText):
                let filled: [UInt8]
                do throws(Captures.Unknown) {
                    filled = isText ? try comparison.captures.filled(bytes) : bytes
                } catch {
                    outcome.obstacle = described(exchange.head, "${\(error.name)} is to be sent, but nothing was captured under that name")
                    return leave(client)
                }
                client.send(filled)
                if let head = exchange.head { append(head.text) }
                compare(exchange, with: try received(filled, exchange, client))
            case .endOfInput:
                last = exchange
            case .expected, .remark, nil:
                compare(exchange, with: try received([], exchange, client))
            }
            // Everything after it would only differ, too.
            if case .asExpected = pace, !isUpdate, !outcome.differences.isEmpty { return leave(client) }
        }
        client.endInput()
        let lines = try client.remainingLines()
        if !lines.isEmpty || last.lines.count > last.expectations.count { append(last.head?.text ?? Array("$ end of input".utf8)) }
        compare(last, with: lines)
        return outcome
    }

    /// Ends the play early. What the host still says is read, for a program may fail when nobody reads what it writes.
    private func leave(_ client: LineClient) -> Outcome {
        client.endInput()
        // Something has gone wrong already; that the host is slow to end, too, is found out by whoever waits for its end.
        _ = try? client.remainingLines()
        return outcome
    }

    // MARK: Receiving

    private func received(
        _ sent: [UInt8], _ exchange: Transcript.Exchange, _ client: LineClient
    ) throws(LineClient.Trouble) -> [[UInt8]] {
        let count = exchange.expectations.count
        switch pace {
        case .untilRest:
            // Within a line there is no way to ask whether the host has come to rest, and before the first it says nothing.
            return sent.last == UInt8(ascii: "\n") ? try client.linesUntilRest() : []
        case .asExpected where isUpdate:
            return try linesUntilSilence(after: sent, client)
        case .asExpected:
            var lines: [[UInt8]] = []
            do throws(LineClient.Trouble) {
                while lines.count < count, let line = try client.nextLine() { lines.append(line) }
            } catch {
                // What is missing is a difference.
                guard error.isSilence else { throw error }
            }
            return lines
        }
    }

    /// What a command says: the answer, if a request was sent, and all that comes without a pause.
    private func linesUntilSilence(after sent: [UInt8], _ client: LineClient) throws(LineClient.Trouble) -> [[UInt8]] {
        // What is no JSON is answered, too, but nothing tells which answer it is.
        let request = try? JSONReader.parse(sent)
        var awaited = request?["method"] == nil ? nil : request?["id"]
        var lines: [[UInt8]] = []
        do throws(LineClient.Trouble) {
            while let line = try client.nextLine(within: awaited == nil ? Self.silence : nil) {
                lines.append(line)
                if let answer = try? JSONReader.parse(line), answer["method"] == nil, answer["id"] == awaited { awaited = nil }
            }
        } catch {
            // That is what was waited for.
            guard error.isSilence else { throw error }
        }
        return lines
    }

    // MARK: Comparing

    private mutating func compare(_ exchange: Transcript.Exchange, with received: [[UInt8]]) {
        let expected = exchange.expectations
        // A line that is no JSON goes with nothing that can be expected.
        let values = received.map { try? JSONReader.parse($0) }
        let steps = Alignment.steps(expected.map { ($0.value, $0.isExact || isExact) }, values, after: comparison)
        var before: Transcript.Line? = exchange.head
        var rest = exchange.lines[...]
        func remarks() -> [Transcript.Line] {
            let end = rest.firstIndex { if case .expected = $0.kind { true } else { false } } ?? rest.endIndex
            defer { rest = rest[end...] }
            return Array(rest[..<end])
        }
        for step in steps {
            switch step {
            case .both(let index, let place):
                for remark in remarks() { append(remark.text) }
                rest = rest.dropFirst()
                before = expected[index].line
                if let value = values[place] { compare(expected[index], with: value, received[place]) }
            case .missing(let index):
                for remark in remarks() { append(remark.text) }
                rest = rest.dropFirst()
                before = expected[index].line
                outcome.differences.append(described(before, "is missing", expected: expected[index]))
            case .unexpected(let place):
                guard let value = values[place] else {
                    outcome.obstacle = described(before, "is followed by a line that is not JSON", received: received[place])
                    continue
                }
                outcome.differences.append(described(before, "is followed by a line that was not expected", received: received[place]))
                let literal = Captures.literal(value)
                append(Array("< ".utf8) + (literal == value ? received[place] : JSONWriter.encode(literal)))
            }
        }
        for remark in remarks() { append(remark.text) }
    }

    private mutating func compare(_ expected: Expectation, with value: JSONValue, _ line: [UInt8]) {
        let isExact = isExact || expected.isExact
        guard let mismatch = comparison.mismatch(expected.value, value, isExact: isExact) else { return append(expected.line.text) }
        outcome.differences.append(described(expected.line, "\(mismatch)", expected: expected, received: line))
        // What is captured here may be sent further below.
        let revised = comparison.revised(expected.value, by: value, isExact: isExact)
        append(expected.mark + JSONWriter.encode(revised))
    }

    // MARK: Writing

    private func described(
        _ line: Transcript.Line?, _ what: String, expected: Expectation? = nil, received: [UInt8]? = nil
    ) -> String {
        var text = "\(line.map { "\(name):\($0.number):" } ?? "\(name): the end of the input") \(what)"
        if let expected { text += "\n    expected \(expected.text)" }
        if let received { text += "\n    received \(String(decoding: received, as: UTF8.self))" }
        return text
    }

    private mutating func append(_ line: [UInt8]) {
        outcome.updated += line
        outcome.updated.append(UInt8(ascii: "\n"))
    }
}

/// A line that is expected.
private struct Expectation {
    let line: Transcript.Line
    let value: JSONValue
    let isExact: Bool

    /// What the line begins with.
    var mark: [UInt8] { Array((isExact ? "<= " : "< ").utf8) }

    /// What follows that.
    var text: String {
        String(decoding: line.text.dropFirst(isExact ? 2 : 1).drop { $0 == UInt8(ascii: " ") }, as: UTF8.self)
    }
}

extension Transcript.Exchange {
    fileprivate var expectations: [Expectation] {
        lines.compactMap { line in
            if case .expected(let value, let isExact) = line.kind { Expectation(line: line, value: value, isExact: isExact) } else { nil }
        }
    }
}
