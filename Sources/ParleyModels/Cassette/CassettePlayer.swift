import Foundation
import JSON
package import ParleyCore

/// Finds in a cassette what a request was answered with.
///
/// A request is answered by the exchanges whose request was the same, each once and in their order; a model asked again after an outage is
/// answered as it was then. What the cassette does not know, or no longer, fails and says why, so that a test never goes on with something else.
package final class CassettePlayer: Sendable {
    /// What is played.
    package let cassette: Cassette
    private let requests: [ComparableRequest]
    /// The exchanges whose requests are alike, in order.
    private let groups: [[Int]]
    /// Where the group of a request is.
    private let groupPlaces: [JSONValue: Int]
    /// How many exchanges of each group have been played.
    private let played: Locked<[Int]>

    /// Prepares a cassette.
    package init(_ cassette: Cassette) {
        self.cassette = cassette
        requests = cassette.exchanges.map { ComparableRequest($0.request, model: $0.model) }
        var groups: [[Int]] = []
        var groupPlaces: [JSONValue: Int] = [:]
        for (index, request) in requests.enumerated() {
            if let place = groupPlaces[request.form] {
                groups[place].append(index)
            } else {
                groupPlaces[request.form] = groups.count
                groups.append([index])
            }
        }
        self.groups = groups
        self.groupPlaces = groupPlaces
        played = Locked(Array(repeating: 0, count: groups.count))
    }

    /// Reads the cassette of a file; its last path component is what it is called in errors.
    ///
    /// - Parameter path: where the file is.
    /// - Throws: `invalidParams` when the file cannot be read or is no cassette; its message names the file, the line and the field.
    package convenience init(path: String) throws(Failure) {
        let file = URL(filePath: path)
        let bytes: Data
        do {
            bytes = try Data(contentsOf: file)
        } catch {
            throw Failure(.invalidParams, "The cassette \(file.lastPathComponent) cannot be read.", underlying: String(describing: error))
        }
        self.init(try Cassette(Array(bytes), name: file.lastPathComponent))
    }

    /// The providers that were recorded, each under its name and with its models.
    ///
    /// - Parameters:
    ///   - ambient: in whose time silence lasts.
    ///   - keepsTime: whether as much time passes between what comes as did then; otherwise everything comes at once.
    package func providers(ambient: any Ambient, keepsTime: Bool) -> [any ModelProvider] {
        cassette.providers.map {
            ReplayProvider(name: $0.name, models: $0.models, player: self, ambient: ambient, keepsTime: keepsTime)
        }
    }

    /// Takes the next answer to a request.
    ///
    /// - Parameter model: `PROVIDER:MODEL`.
    /// - Returns: the exchange, with the ids of this host where the model's calls name those of the host that recorded.
    /// - Throws: `modelRejected` when there is none, with the details `cassette` and, where others were recorded, `differsAt`,
    ///   `recorded` and `current`.
    func take(_ request: ModelRequest, of model: String) throws(Failure) -> Cassette.Exchange {
        let request = ComparableRequest(CassetteRequest.json(of: request), model: model)
        // Found before the lock is taken, under which 10,000 calls may meet.
        guard let group = groupPlaces[request.form] else { throw unknown(request) }
        let known = groups[group]
        let number = played.withLock { played in
            defer { played[group] += 1 }
            return played[group]
        }
        guard number < known.count else {
            throw rejection(
                "The cassette \(cassette.name) has no more answers to this request: \(known.count == 1 ? "its one answer has" : "all \(known.count) have") been played."
            )
        }
        let place = known[number]
        return cassette.exchanges[place].translated(by: requests[place].translation(to: request))
    }

    private func unknown(_ request: ComparableRequest) -> Failure {
        let differences = requests.map { CassetteDifference(recorded: $0.form, current: request.form) }
        guard let nearest = differences.max(by: { $0.likeness < $1.likeness })?.first else {
            return rejection("The cassette \(cassette.name) has no such exchange; it has none at all.")
        }
        let (recorded, current) = nearest.shown
        return rejection(
            "The cassette \(cassette.name) has no such exchange. The nearest one differs at \(nearest.path): recorded \(recorded), now \(current).",
            [.init("differsAt", .string(nearest.path)), .init("recorded", .string(recorded)), .init("current", .string(current))])
    }

    private func rejection(_ message: String, _ details: [Failure.Detail] = []) -> Failure {
        Failure(
            .modelRejected, message, details: [.init("cassette", .string(cassette.name))] + details, isRetryable: false)
    }
}

extension Cassette.Exchange {
    /// The exchange with other ids in the arguments of its calls. Its texts stay as they were recorded.
    fileprivate func translated(by translation: [String: String]) -> Cassette.Exchange {
        guard !translation.isEmpty else { return self }
        var translated = self
        translated.answer = answer.map { batch in
            var batch = batch
            batch.events = batch.events.map { event in
                guard case .toolCall(var call) = event else { return event }
                call.arguments = call.arguments.mapStrings { HostID.replaced(in: $0) { translation[$0] ?? $0 } }
                return .toolCall(call)
            }
            return batch
        }
        return translated
    }
}
