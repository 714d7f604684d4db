import Glibc

/// Reads what a host says of its turns, and looks whether each brings all tokens in their order.
///
/// The requests of the turns have the numbers from 0; a token is its number in seven digits and a space.
struct TokenReader {
    private(set) var started = 0
    private(set) var ended = 0
    private(set) var completed = 0
    private(set) var received = 0
    private(set) var notifications = 0
    private(set) var misplaced = 0
    /// How many turns have said something.
    private(set) var speaking = 0
    /// How many tokens stood in the messages as they were stored, in their order.
    private(set) var stored = 0
    /// What turns have failed with.
    private(set) var failure: String?
    /// The number of each stream's next token.
    private var next: [Int]

    static let tokenBytes = 8

    init(streams: Int) {
        next = Array(repeating: 0, count: streams)
    }

    /// Takes a line.
    mutating func take(_ line: Line) {
        guard let method = line.place(after: #""method":""#), method < 64 else {
            if line.contains(#""error":"#) { failure = line.text }
            return
        }
        let name = UnsafeRawBufferPointer(rebasing: line.bytes[method...])
        if name.starts(with: "messageDelta\"".utf8) {
            guard let stream = line.number(after: #""requestId":"#), let text = line.place(after: #""delta":""#) else {
                misplaced += 1
                return
            }
            notifications += 1
            if next[stream] == 0 { speaking += 1 }
            let before = next[stream]
            next[stream] = tokens(in: line.bytes, from: text, next: before)
            received += next[stream] - before
        } else if name.starts(with: "turnStarted\"".utf8) {
            started += 1
        } else if name.starts(with: "turnCompleted\"".utf8) {
            ended += 1
            if line.contains(#""status":"completed""#) { completed += 1 } else { failure = line.text }
            if let message = line.place(after: #""message":{"#), let text = line.place(after: #""text":""#, from: message) {
                stored += tokens(in: line.bytes, from: text, next: 0)
            }
        }
    }

    /// Counts the tokens of a text up to the quotation mark behind it.
    ///
    /// - Returns: the number of the token that must follow.
    private mutating func tokens(in bytes: UnsafeRawBufferPointer, from start: Int, next: Int) -> Int {
        var (place, next) = (start, next)
        while place + Self.tokenBytes < bytes.count, bytes[place] != UInt8(ascii: "\"") {
            var number = 0
            for digit in bytes[place..<place + Self.tokenBytes - 1] { number = number * 10 + Int(digit) - 0x30 }
            if number != next || bytes[place + Self.tokenBytes - 1] != UInt8(ascii: " ") { misplaced += 1 }
            next += 1
            place += Self.tokenBytes
        }
        return next
    }

    /// Makes sure that nothing was lost.
    ///
    /// - Parameter tokens: how many were sent to each stream.
    func require(_ tokens: Int) throws {
        if let failure { throw Wrong("a turn has failed: \(failure.prefix(500))") }
        let sent = next.count * tokens
        guard received == sent, stored == sent, misplaced == 0, completed == next.count else {
            throw Wrong(
                "of \(sent) tokens \(received) have come and \(stored) were stored, \(misplaced) out of place; of \(next.count) turns"
                    + " \(completed) completed")
        }
    }
}
