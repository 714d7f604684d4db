import JSON
import ParleyClient

/// The host that a client speaks to, with the requests that are made of it one after the other.
final class HostLink {
    /// Why a client cannot go on as it was.
    enum Trouble: Error {
        /// The host has refused the request.
        case refused(HostConnection.Refusal)
        /// The host has ended.
        case hostEnded
        /// Somebody wants the client to end, with that exit code.
        case leave(Int32)
    }

    /// How long a host may take for its end, in milliseconds: it may have to clean up.
    private static let endPatience = 10_000
    /// How long when nobody wants to wait for it.
    private static let shortPatience = 2_000

    let events: Events
    private let options: ChatOptions
    private let isInteractive: Bool
    private(set) var connection: HostConnection?
    /// What the host allows: the object `limits` of `initialize`.
    private(set) var limits: JSONValue = [:]
    /// What came of the input while nobody asked for it.
    var typedAhead: [UInt8] = []
    private(set) var hasInputEnded = false

    init(_ options: ChatOptions, _ events: Events, isInteractive: Bool) {
        self.options = options
        self.events = events
        self.isInteractive = isInteractive
    }

    /// Starts the host and waits until it can be spoken to.
    ///
    /// - Throws: `hostEnded` when it does not come that far; `SpawnedProcess.StartFailure`.
    func start() throws {
        let connection = try HostConnection(options.hostPath, options.hostArguments)
        self.connection = connection
        events.host = connection
        let welcome = try call(
            "initialize",
            ["protocolVersion": 1, "clientInfo": ["name": "parley-chat"], "capabilities": ["approvals": .bool(isInteractive)]])
        limits = welcome["limits"] ?? [:]
    }

    /// Ends the host.
    ///
    /// - Parameter isHurried: whether to wait only shortly.
    /// - Returns: what became of it, unless it ended with 0, and the end of its log.
    @discardableResult
    func end(isHurried: Bool = false) -> (ending: SpawnedProcess.Ending?, log: [String]) {
        guard let connection else { return (nil, []) }
        events.host = nil
        self.connection = nil
        let ending = connection.end(within: isHurried ? Self.shortPatience : Self.endPatience)
        return (ending, connection.lastLines(5))
    }

    /// Sends a request.
    ///
    /// - Returns: its id.
    func send(_ method: String, _ params: JSONValue) throws(Trouble) -> Int {
        guard let connection else { throw .hostEnded }
        return connection.send(method, params)
    }

    /// Sends a request and waits for its answer.
    func call(_ method: String, _ params: JSONValue = [:]) throws(Trouble) -> JSONValue {
        let id = try send(method, params)
        while true {
            switch events.next() {
            case .message(.response(id, .success(let result))): return result
            case .message(.response(id, .failure(let refusal))): throw .refused(refusal)
            case .message(.request(let other, _, _)): connection?.refuse(other)
            // What is told of turns that nobody follows any more.
            case .message, .nothing: break
            case .hostEnded: throw .hostEnded
            case .input(let bytes): typedAhead += bytes
            case .inputEnded: hasInputEnded = true
            case .signal(let number): try Self.check(number)
            }
        }
    }

    /// Takes note that nothing more will be typed.
    func endInput() {
        hasInputEnded = true
    }

    /// Leaves when a signal says so.
    static func check(_ signal: Int32) throws(Trouble) {
        if EndSignals.all.contains(signal) { throw .leave(128 + signal) }
    }
}
