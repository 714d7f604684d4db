import JSON
import ParleyCore

/// An answer that is put together from what a server sends, in the words of one protocol.
///
/// What it has of the answer are events, which `takeEvents()` hands out. Once `ending` is there, whatever comes is passed over.
protocol ServerAnswer: Sendable {
    /// What one event of the stream, or a whole body, says.
    associatedtype Piece: ServerPiece

    /// How it ended, once it has.
    var ending: AnswerEnding? { get }

    /// Reads what comes.
    var pieces: PieceReader<Piece> { get set }

    /// Whether the model has said why it stopped, so that nothing more of the answer comes.
    var hasStopped: Bool { get }

    /// Takes an event of the stream. It is the same for all answers, and asked of each so that it is compiled for each.
    mutating func take(_ event: ServerSentEvent)

    /// Takes what an event of the stream says.
    ///
    /// - Parameter event: the event's type.
    mutating func take(_ piece: Piece, event: String)

    /// Takes what a body that is one JSON document says, though a stream was asked for.
    ///
    /// - Returns: false for what is no answer, and so can only be an error of an unknown shape.
    mutating func take(document: Piece) -> Bool

    /// Takes the end of the stream.
    ///
    /// - Parameter isComplete: whether the server has said that this is the end.
    mutating func end(isComplete: Bool)

    /// Ends the answer with a failure, unless it has ended.
    mutating func fail(_ failure: (FailureTranslation) -> Failure)

    /// Hands out the events since the last time.
    mutating func takeEvents() -> [ModelEvent]
}

/// What is of interest in one event of a stream, or in a whole body.
protocol ServerPiece: Sendable {
    /// Whether it tells of an error, which `ProviderError` reads.
    var hasError: Bool { get }

    /// The text that it adds to the answer, if it adds one; to set it says another instead, which lies nowhere.
    var text: String { get set }

    /// Where in the data that text lies, with its quotation marks; nil where it is not one string.
    var textLiteral: Range<Int>? { get }

    /// Reads the data of one event, or a whole body.
    ///
    /// - Throws: `JSONError` of kind syntax.
    init(_ data: [UInt8]) throws(JSONError)
}

extension ServerAnswer {
    mutating func take(_ event: ServerSentEvent) {
        guard ending == nil, !event.data.isEmpty, event.event != "ping" else { return }
        guard !event.data.starts(with: done) else { return end(isComplete: true) }
        do {
            let piece = try pieces.read(event.data)
            if piece.hasError || event.event == "error" { return fail(with: event.data) }
            take(piece, event: event.event)
        } catch {
            if event.event == "error" { return fail(with: event.data) }
            fail { $0.unintelligible(underlying: "an event of the stream is no JSON: \(error.reason)") }
        }
    }

    /// Takes the stream's last event, which may be cut.
    mutating func take(unfinished event: ServerSentEvent) {
        let isWhole = event.event == "error" || event.data.starts(with: done) || (try? Piece(event.data)) != nil
        if isWhole { take(event) }
    }

    /// Takes a body that is one JSON document, though a stream was asked for.
    mutating func take(document body: [UInt8]) {
        guard ending == nil else { return }
        do {
            let piece = try Piece(body)
            guard !piece.hasError, take(document: piece) else { return fail(with: body) }
            end(isComplete: true)
        } catch {
            fail { $0.unintelligible(underlying: "the body is neither a stream nor JSON: \(error.reason)") }
        }
    }

    /// Takes the news that nothing more will come. An answer that was done already is not spoiled by that.
    mutating func breakOff(_ failure: HTTPFailure) {
        if hasStopped, failure.kind != .cancelled { return end(isComplete: false) }
        fail { $0.failure(failure, isInAnswer: true) }
    }

    private mutating func fail(with body: [UInt8]) {
        fail { $0.failure(ProviderError(body: body)) }
    }
}

/// What ends a stream of OpenAI, and of some who translate one.
private let done = Array("[DONE]".utf8)

/// How an answer ends.
enum AnswerEnding: Sendable {
    case finished
    case failed(Failure)
}
