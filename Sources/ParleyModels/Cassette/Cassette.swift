package import JSON
package import ParleyCore

/// Recorded exchanges with models, from which `ReplayProvider` answers without a network and without a key.
///
/// A cassette is a file of JSON Lines. The first line, and each line with which a host has gone on with the file, says who could be asked; each
/// other line is one exchange, written when it has ended. Blank lines and lines that begin with `#` are passed over:
/// ```
/// {"cassette":1,"recordedAt":"2026-01-01T00:00:00.000Z","model":"openai:m","fallback":[],"providers":[{"name":"openai","models":[{"model":"m"}]}]}
/// {"model":"openai:m","request":{"instructions":"Help.","messages":[{"role":"user","content":[{"text":"Hi"}]}]},
///  "answer":[{"atMs":210,"events":[{"text":"Hel"}]},{"atMs":250,"events":[{"text":"lo."},{"end":"endTurn"}]}]}
/// ```
/// (an exchange is one line in the file). `request` is all that the model could read and nothing else. Each element of `answer` is what came
/// together, so many milliseconds after the question, in the words of a script's steps (see `Script`). An exchange that did not come to an `end`
/// has a `failure`, or a `cut`, where whoever asked did not want to hear more.
///
/// What is recorded is what passes the port `ModelProvider`, not the bytes of HTTP. So every provider is recorded in the same way; no header
/// field, and no key in one, can come into the file; and a cassette outlives changes of how Parley speaks to servers, whose bytes the fixtures of
/// the decoders keep.
package struct Cassette: Sendable {
    /// Who could be asked when a host recorded.
    package struct Session: Hashable, Sendable {
        /// When it began, as RFC 3339; nil when nobody has said.
        package var recordedAt: String?
        /// The model that answered by default, as `PROVIDER:MODEL`.
        package var defaultModel: String
        /// The models that stood in for it, in the same form.
        package var fallback: [String]
        /// The providers in order.
        package var providers: [Provider]

        /// Makes one of its fields; see them for what the parameters mean.
        package init(recordedAt: String? = nil, defaultModel: String, fallback: [String] = [], providers: [Provider]) {
            self.recordedAt = recordedAt
            self.defaultModel = defaultModel
            self.fallback = fallback
            self.providers = providers
        }
    }

    /// One provider of a session.
    package struct Provider: Hashable, Sendable {
        /// The first half of `PROVIDER:MODEL`.
        package var name: String
        /// The models that it knew by name.
        package var models: [ModelDescription]

        /// Makes one of its fields; see them for what the parameters mean.
        package init(name: String, models: [ModelDescription]) {
            self.name = name
            self.models = models
        }
    }

    /// What a model was asked once, and what came of it.
    package struct Exchange: Hashable, Sendable {
        /// The model, as `PROVIDER:MODEL`.
        package var model: String
        /// What it could read, see `CassetteRequest`.
        package var request: JSONValue
        /// What it said.
        package var answer: [Batch]
        /// How that ended.
        package var ending: Ending

        /// Makes one of its fields; see them for what the parameters mean.
        package init(model: String, request: JSONValue, answer: [Batch], ending: Ending) {
            self.model = model
            self.request = request
            self.answer = answer
            self.ending = ending
        }
    }

    /// Events that came together.
    package struct Batch: Hashable, Sendable {
        /// When, in milliseconds after the question.
        package var atMilliseconds: Int64
        /// In order, and never empty.
        package var events: [ModelEvent]

        /// Makes one of its fields; see them for what the parameters mean.
        package init(atMilliseconds: Int64, events: [ModelEvent]) {
            self.atMilliseconds = atMilliseconds
            self.events = events
        }
    }

    /// How an exchange ended.
    package enum Ending: Hashable, Sendable {
        /// The last event is `finished`.
        case finished
        /// The call failed, so many milliseconds after the question.
        case failed(Failure, atMilliseconds: Int64)
        /// Whoever asked cancelled the call, or did not want to hear more.
        case cut(atMilliseconds: Int64)
    }

    /// The version of the form that is written, and the only one that is read.
    static let version = 1

    /// What the file is called in errors.
    package let name: String
    /// The sessions in order; at least one.
    package private(set) var sessions: [Session] = []
    /// The exchanges of all sessions, in order.
    package private(set) var exchanges: [Exchange] = []
    /// Up to where the bytes are whole lines.
    private(set) var wholeByteCount = 0
    /// Whether half a line follows, as a killed host may leave one.
    package private(set) var endsInHalfLine = false

    /// Reads a cassette.
    ///
    /// Only the last line may be half a line, which is passed over.
    ///
    /// - Parameters:
    ///   - bytes: the lines.
    ///   - name: what the cassette is called in errors.
    /// - Throws: `invalidParams` with the details `line`, `path` and `reason`.
    package init(_ bytes: [UInt8], name: String) throws(Failure) {
        self.name = name
        var line = 0
        var start = 0
        while start < bytes.count {
            let newline = bytes[start...].firstIndex(of: UInt8(ascii: "\n"))
            let end = newline ?? bytes.count
            line += 1
            do throws(JSONError) {
                if let first = bytes[start..<end].first(where: { $0 > 0x20 }), first != UInt8(ascii: "#") {
                    var reader = JSONReader(bytes, in: start..<end)
                    try read(&reader)
                    try reader.end()
                }
            } catch {
                if newline == nil, error.kind == .syntax, !sessions.isEmpty {
                    endsInHalfLine = true
                    break
                }
                let place = error.path.isEmpty ? "" : "\(error.path): "
                throw Failure(
                    .invalidParams,
                    sessions.isEmpty
                        ? "\(name) is no cassette (line \(line): \(place)\(error.reason))."
                        : "The cassette \(name) is wrong in line \(line): \(place)\(error.reason).",
                    details: [
                        .init("line", .integer(Int64(line))), .init("path", .string(error.path)), .init("reason", .string(error.reason)),
                    ])
            }
            start = end + 1
            wholeByteCount = min(start, bytes.count)
        }
        guard !sessions.isEmpty else { throw Failure(.invalidParams, "\(name) is no cassette: it is empty.") }
    }

    /// The providers of all sessions, each with all its models; of a model that was described twice, what was said last.
    package var providers: [Provider] {
        var all: [Provider] = []
        for provider in sessions.flatMap(\.providers) {
            guard let known = all.firstIndex(where: { $0.name == provider.name }) else {
                all.append(provider)
                continue
            }
            for model in provider.models {
                if let place = all[known].models.firstIndex(where: { $0.model == model.model }) {
                    all[known].models[place] = model
                } else {
                    all[known].models.append(model)
                }
            }
        }
        return all
    }

    private mutating func read(_ reader: inout JSONReader) throws(JSONError) {
        switch try CassetteLine(from: &reader, isFirst: sessions.isEmpty) {
        case .session(let session): sessions.append(session)
        case .exchange(let exchange): exchanges.append(exchange)
        }
    }
}
