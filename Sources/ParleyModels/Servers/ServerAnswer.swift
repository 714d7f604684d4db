import ParleyCore

/// An answer that is put together from what a server sends, in the words of one protocol.
///
/// What it has of the answer are events, which `takeEvents()` hands out. Once `ending` is there, whatever comes is passed over.
protocol ServerAnswer: Sendable {
    /// How it ended, once it has.
    var ending: AnswerEnding? { get }

    /// Takes an event of the stream.
    mutating func take(_ event: ServerSentEvent)

    /// Takes the stream's last event, which may be cut.
    mutating func take(unfinished event: ServerSentEvent)

    /// Takes a body that is one JSON document, though a stream was asked for.
    mutating func take(document: [UInt8])

    /// Takes the end of the stream.
    ///
    /// - Parameter isComplete: whether the server has said that this is the end.
    mutating func end(isComplete: Bool)

    /// Takes the news that nothing more will come. An answer that was done already is not spoiled by that.
    mutating func breakOff(_ failure: HTTPFailure)

    /// Ends the answer with a failure, unless it has ended.
    mutating func fail(_ failure: (FailureTranslation) -> Failure)

    /// Hands out the events since the last time.
    mutating func takeEvents() -> [ModelEvent]
}

/// How an answer ends.
enum AnswerEnding: Sendable {
    case finished
    case failed(Failure)
}
