import Glibc
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

    /// How a host has ended.
    struct End {
        /// What can be said about it.
        let explanation: [String]
        /// The exit code for a client that cannot go on without it: the host's own, or 1.
        let exitCode: Int32

        init(_ ending: SpawnedProcess.Ending?, log: [String]) {
            exitCode = ending?.exitCode ?? 1
            let own = "parley: the host \(ending?.description ?? "has ended")."
            // A host that could not start has said why.
            let isExplained = ending?.exitCode != nil && log.last?.hasPrefix("parley: ") == true
            explanation = isExplained ? log.suffix(1) : log + [own]
        }
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
    /// - Returns: how it has ended.
    @discardableResult
    func end(isHurried: Bool = false) -> End {
        guard let connection else { return End(nil, log: []) }
        events.host = nil
        self.connection = nil
        let ending = connection.end(within: isHurried ? Self.shortPatience : Self.endPatience)
        return End(ending, log: connection.lastLines(5))
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
        var interrupts = 0
        while true {
            switch events.next() {
            case .message(.response(id, .success(let result))): return result
            case .message(.response(id, .failure(let refusal))): throw .refused(refusal)
            case .message(.request(let other, _, _)): connection?.refuse(other)
            // What is told of turns that nobody follows any more.
            case .message, .nothing: break
            case .hostEnded: throw .hostEnded
            case .input(let bytes):
                typedAhead += bytes
                // Who presses Ctrl-C twice does not want to wait for whatever this is.
                interrupts += bytes.count { $0 == 0x03 }
                if interrupts > 1 { throw .leave(128 + SIGINT) }
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
