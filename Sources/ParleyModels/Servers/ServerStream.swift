import ParleyCore

/// An answer as it comes in.
struct ServerStream<Answer: ServerAnswer>: ModelStream {
    private let response: HTTPResponse
    private var reader: AnswerReader<Answer>

    /// Begins to read.
    ///
    /// - Parameters:
    ///   - response: a response that promises success.
    ///   - answer: an answer of which nothing has come yet.
    init(_ response: HTTPResponse, _ answer: Answer) {
        self.response = response
        reader = AnswerReader(answer)
    }

    nonisolated(nonsending) mutating func next() async throws(Failure) -> [ModelEvent]? {
        while true {
            switch reader.ending {
            case .finished: return nil
            case .failed(let failure): throw failure
            case nil: break
            }
            let events: [ModelEvent]
            do {
                events = if let bytes = try await response.next() { reader.read(bytes) } else { reader.readEnd() }
                // The next call then finds a connection that stands, TLS included.
                if case .finished = reader.ending { response.letEnd() }
            } catch {
                events = reader.readBreak(error)
            }
            if !events.isEmpty { return events }
        }
    }
}
