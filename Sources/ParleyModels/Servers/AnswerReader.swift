import ParleyCore

/// Reads the body of a response to a request for a streamed answer, whatever the server has made of it.
///
/// The body may be cut anywhere. Besides a stream of events it may be one JSON document, an answer or an error, or a web page: the first
/// byte tells, because the content type does not always.
struct AnswerReader<Answer: ServerAnswer>: Sendable {
    private enum Shape { case events, document }

    /// How large a body that is no stream may be.
    private static var maximumDocumentBytes: Int { 16 << 20 }

    private var shape: Shape?
    private var parser = ServerSentEventParser()
    private var document: [UInt8] = []
    private var answer: Answer

    /// Begins to read.
    ///
    /// - Parameter answer: an answer of which nothing has come yet.
    init(_ answer: Answer) {
        self.answer = answer
    }

    /// How the answer ended, once it has; then nothing more need be read.
    var ending: AnswerEnding? { answer.ending }

    /// Reads the next bytes.
    ///
    /// - Returns: the events that they complete.
    mutating func read(_ bytes: [UInt8]) -> [ModelEvent] {
        guard shape == nil else {
            take(bytes)
            return answer.takeEvents()
        }
        // White space and a byte order mark mean nothing in any of the shapes.
        guard let start = bytes.firstIndex(where: { $0 > 0x20 && ![0xEF, 0xBB, 0xBF].contains($0) }) else { return [] }
        switch bytes[start] {
        case UInt8(ascii: "<"): answer.fail { $0.webPage() }
        case UInt8(ascii: "{"), UInt8(ascii: "["): shape = .document
        default: shape = .events
        }
        take(start == 0 ? bytes : Array(bytes[start...]))
        return answer.takeEvents()
    }

    /// Reads the end of the body.
    ///
    /// - Returns: the last events.
    mutating func readEnd() -> [ModelEvent] {
        if shape == .document { answer.take(document: document) }
        takeUnfinishedEvent()
        answer.end(isComplete: false)
        return answer.takeEvents()
    }

    /// Reads that the body broke off.
    ///
    /// - Parameter failure: why.
    /// - Returns: the last events: the end, if the model had said that it was done.
    mutating func readBreak(_ failure: HTTPFailure) -> [ModelEvent] {
        if failure.kind != .cancelled, shape == .events { takeUnfinishedEvent() }
        answer.breakOff(failure)
        return answer.takeEvents()
    }

    private mutating func take(_ bytes: [UInt8]) {
        switch shape {
        case .events:
            do {
                try parser.feed(bytes) { answer.take($0) }
            } catch {
                answer.breakOff(error)
            }
        case .document:
            guard document.count + bytes.count <= Self.maximumDocumentBytes else {
                return answer.fail { $0.failure(HTTPFailure(.tooLarge, "a body of more than \(Self.maximumDocumentBytes) bytes")) }
            }
            document += bytes
        case nil:
            break
        }
    }

    /// Takes an event whose blank line is missing, if it is whole otherwise.
    private mutating func takeUnfinishedEvent() {
        do {
            if let event = try parser.finish() { answer.take(unfinished: event) }
        } catch {
            answer.breakOff(error)
        }
    }
}
