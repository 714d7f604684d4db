package import ParleyCore

/// A provider that writes each exchange to a cassette when it has ended, and is otherwise the one that it asks.
///
/// While a model speaks, what it says is only kept; it becomes JSON at the end.
package struct RecordingProvider: ModelProvider {
    private let provider: any ModelProvider
    private let writer: CassetteWriter
    private let ambient: any Ambient

    /// Wraps a provider.
    ///
    /// - Parameters:
    ///   - provider: what is asked.
    ///   - writer: where exchanges go.
    ///   - ambient: whose clock says when something came.
    package init(_ provider: any ModelProvider, writer: CassetteWriter, ambient: any Ambient) {
        self.provider = provider
        self.writer = writer
        self.ambient = ambient
    }

    package var name: String { provider.name }
    package var models: [ModelDescription] { provider.models }

    package func stream(_ request: ModelRequest) async throws(Failure) -> any ModelStream {
        let recording = Recording(of: request, model: "\(name):\(request.model)", writer: writer, ambient: ambient)
        do throws(Failure) {
            return RecordingStream(stream: try await provider.stream(request), recording: recording)
        } catch {
            recording.end(with: error)
            throw error
        }
    }
}

/// An answer that is recorded while it is heard.
private struct RecordingStream: ModelStream {
    var stream: any ModelStream
    let recording: Recording

    mutating func next() async throws(Failure) -> [ModelEvent]? {
        do throws(Failure) {
            guard let events = try await stream.next() else { return nil }
            recording.add(events)
            return events
        } catch {
            recording.end(with: error)
            throw error
        }
    }
}

/// One exchange while it lasts.
///
/// It ends with the event `finished`, after which nobody asks for more; with a failure; or, where somebody does not want to hear more, when
/// its stream is dropped.
private final class Recording: Sendable {
    private let request: ModelRequest
    private let model: String
    private let writer: CassetteWriter
    private let ambient: any Ambient
    private let startedAt: Int64
    /// Nil after the end.
    private let answer = Locked<[Cassette.Batch]?>([])

    init(of request: ModelRequest, model: String, writer: CassetteWriter, ambient: any Ambient) {
        self.request = request
        self.model = model
        self.writer = writer
        self.ambient = ambient
        startedAt = ambient.monotonicMilliseconds()
    }

    deinit {
        end(.cut(atMilliseconds: elapsed))
    }

    func add(_ events: [ModelEvent]) {
        let batch = Cassette.Batch(atMilliseconds: elapsed, events: events)
        answer.withLock { $0?.append(batch) }
        if case .finished? = events.last { end(.finished) }
    }

    func end(with failure: Failure) {
        end(failure.code == .cancelled ? .cut(atMilliseconds: elapsed) : .failed(failure, atMilliseconds: elapsed))
    }

    private var elapsed: Int64 { ambient.monotonicMilliseconds() - startedAt }

    private func end(_ ending: Cassette.Ending) {
        let answer: [Cassette.Batch]? = answer.withLock { answer in
            defer { answer = nil }
            return answer
        }
        guard let answer else { return }
        writer.append(Cassette.Exchange(model: model, request: CassetteRequest.json(of: request), answer: answer, ending: ending))
    }
}
