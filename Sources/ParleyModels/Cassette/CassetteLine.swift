import JSON
import ParleyCore

/// One line of a cassette.
enum CassetteLine {
    case session(Cassette.Session)
    case exchange(Cassette.Exchange)

    /// Reads a line.
    ///
    /// - Parameter isFirst: whether nothing but a session can stand here.
    init(from reader: inout JSONReader, isFirst: Bool) throws(JSONError) {
        try reader.beginObject()
        let key = try reader.nextKey()
        switch key {
        case "cassette":
            let version = try reader.integer()
            guard version == Cassette.version else {
                throw reader.mismatch("is version \(version), and this program reads version \(Cassette.version)")
            }
            self = .session(try Self.session(&reader))
        case "model" where !isFirst:
            self = .exchange(try Self.exchange(of: try reader.string(), &reader))
        default:
            throw isFirst || key == nil ? reader.missing("cassette") : reader.mismatch("a line begins with \"cassette\" or with \"model\"")
        }
    }

    // MARK: Sessions

    private static func session(_ reader: inout JSONReader) throws(JSONError) -> Cassette.Session {
        var session = Cassette.Session(defaultModel: "", providers: [])
        while let key = try reader.nextKey() {
            switch key {
            case "recordedAt": session.recordedAt = try reader.string()
            case "model": session.defaultModel = try reader.string()
            case "fallback": session.fallback = try [String](from: &reader)
            case "providers":
                try reader.beginArray()
                while try reader.nextElement() { session.providers.append(try provider(&reader)) }
            default: throw reader.mismatch("is no field of a cassette's first line")
            }
        }
        guard !session.defaultModel.isEmpty else { throw reader.missing("model") }
        guard !session.providers.isEmpty else { throw reader.missing("providers") }
        return session
    }

    private static func provider(_ reader: inout JSONReader) throws(JSONError) -> Cassette.Provider {
        var provider = Cassette.Provider(name: "", models: [])
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "name": provider.name = try reader.string()
            case "models":
                try reader.beginArray()
                while try reader.nextElement() { provider.models.append(try model(&reader)) }
            default: throw reader.mismatch("is no field of a provider")
            }
        }
        guard !provider.name.isEmpty else { throw reader.missing("name") }
        return provider
    }

    private static func model(_ reader: inout JSONReader) throws(JSONError) -> ModelDescription {
        var model = ModelDescription(model: "")
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "model": model.model = try reader.string()
            case "contextWindow": model.contextWindow = try reader.countFromZero()
            case "demonstration": model.demonstration = try reader.bool()
            case "prices": model.prices = try prices(&reader)
            default: throw reader.mismatch("is no field of a model")
            }
        }
        guard !model.model.isEmpty else { throw reader.missing("model") }
        return model
    }

    private static func prices(_ reader: inout JSONReader) throws(JSONError) -> Prices {
        var prices = Prices(currency: "", input: 0, output: 0)
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "currency": prices.currency = try reader.string()
            case "inputMillionths": prices.input = Int64(try reader.countFromZero())
            case "cachedInputMillionths": prices.cachedInput = Int64(try reader.countFromZero())
            case "outputMillionths": prices.output = Int64(try reader.countFromZero())
            default: throw reader.mismatch("is no field of prices")
            }
        }
        return prices
    }

    /// Writes a session's line, without its newline.
    static func write(_ session: Cassette.Session, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("cassette", Cassette.version)
            writer.member("recordedAt", session.recordedAt)
            writer.member("model", session.defaultModel)
            writer.member("fallback", session.fallback)
            writer.key("providers")
            writer.array { writer in
                for provider in session.providers { write(provider, to: &writer) }
            }
        }
    }

    private static func write(_ provider: Cassette.Provider, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("name", provider.name)
            writer.key("models")
            writer.array { writer in
                for model in provider.models {
                    writer.object { writer in
                        writer.member("model", model.model)
                        writer.member("contextWindow", model.contextWindow)
                        if model.demonstration { writer.member("demonstration", true) }
                        guard let prices = model.prices else { return }
                        writer.key("prices")
                        writer.object { writer in
                            writer.member("currency", prices.currency)
                            writer.member("inputMillionths", Int(prices.input))
                            writer.member("cachedInputMillionths", prices.cachedInput.map { Int($0) })
                            writer.member("outputMillionths", Int(prices.output))
                        }
                    }
                }
            }
        }
    }

    // MARK: Exchanges

    private static func exchange(of model: String, _ reader: inout JSONReader) throws(JSONError) -> Cassette.Exchange {
        var exchange = Cassette.Exchange(model: model, request: .null, answer: [], ending: .finished)
        while let key = try reader.nextKey() {
            switch key {
            case "request": exchange.request = try reader.value()
            case "answer":
                try reader.beginArray()
                while try reader.nextElement() { exchange.answer.append(try batch(&reader)) }
            case "failure":
                let (failure, time) = try RecordedEvent.failure(from: &reader)
                exchange.ending = .failed(failure, atMilliseconds: time)
            case "cut":
                try reader.beginObject()
                var time = 0
                while let key = try reader.nextKey() {
                    guard key == "atMs" else { throw reader.mismatch("is no field of a cut") }
                    time = try reader.countFromZero()
                }
                exchange.ending = .cut(atMilliseconds: Int64(time))
            default: throw reader.mismatch("is no field of an exchange")
            }
        }
        guard case .object = exchange.request else { throw reader.missing("request") }
        // The last event alone may be an end, and is one unless the exchange ended otherwise.
        let events = exchange.answer.flatMap(\.events)
        let ends = events.indices.filter { if case .finished = events[$0] { true } else { false } }
        guard ends == (exchange.ending == .finished ? [events.count - 1] : []) else {
            throw reader.mismatch("an exchange has one ending: the last event, a failure or a cut")
        }
        return exchange
    }

    private static func batch(_ reader: inout JSONReader) throws(JSONError) -> Cassette.Batch {
        var batch = Cassette.Batch(atMilliseconds: 0, events: [])
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "atMs": batch.atMilliseconds = Int64(try reader.countFromZero())
            case "events":
                try reader.beginArray()
                while try reader.nextElement() { batch.events.append(try RecordedEvent.event(from: &reader)) }
            default: throw reader.mismatch("is no field of what came together")
            }
        }
        guard !batch.events.isEmpty else { throw reader.missing("events") }
        return batch
    }

    /// Writes an exchange's line, without its newline.
    static func write(_ exchange: Cassette.Exchange, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("model", exchange.model)
            writer.member("request", exchange.request)
            writer.key("answer")
            writer.array { writer in
                for batch in exchange.answer {
                    writer.object { writer in
                        writer.member("atMs", Int(batch.atMilliseconds))
                        writer.key("events")
                        writer.array { writer in
                            for event in batch.events { RecordedEvent.write(event, to: &writer) }
                        }
                    }
                }
            }
            switch exchange.ending {
            case .finished: break
            case .failed(let failure, let time):
                writer.key("failure")
                RecordedEvent.write(failure, atMilliseconds: time, to: &writer)
            case .cut(let time):
                writer.key("cut")
                writer.object { $0.member("atMs", Int(time)) }
            }
        }
    }
}

extension JSONReader {
    /// Reads a number of things or of milliseconds.
    mutating func countFromZero() throws(JSONError) -> Int {
        let count = try integer()
        guard count >= 0 else { throw mismatch("must not be negative") }
        return count
    }
}
