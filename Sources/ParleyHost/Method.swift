import JSON
import JSONRPC
import ParleyCore

/// One method of the protocol: its name, its params, its scope and what it does.
protocol Method: Sendable {
    /// The name on the wire.
    static var name: String { get }
    /// The protocol version that brought it.
    static var since: Int { get }
    /// Who may call it: a known person, unless the method says otherwise.
    var callerRule: CallerRule { get }
    /// Whether it is taken even when too many requests are unanswered, because it makes room.
    var bypassesLimit: Bool { get }
    /// Whether it runs a turn: it goes on where the model's answer will most likely arrive, so that its admission and its end wake no other thread.
    var asksModel: Bool { get }
    /// Whether its answer may be long, so that it begins only when the connection takes more; see `AnswerGate`.
    var answersAtLength: Bool { get }
    /// Where the client comes from, as the parent process says; a person whom the request makes comes from there too.
    var clientAddress: ClientAddress? { get }
    /// What must be held while it takes effect.
    var scope: Scope { get }
    /// Reads the params; refuses what it does not know.
    init(from params: inout ParamsReader) throws(JSONError)
    /// Does it.
    ///
    /// - Returns: what writes the result; nil when the reply was given already.
    func run(_ call: Call) async throws(Failure) -> ResultWriter?
}

extension Method {
    static var since: Int { 1 }
    var callerRule: CallerRule { .known }
    var bypassesLimit: Bool { false }
    var asksModel: Bool { false }
    var answersAtLength: Bool { false }
    var clientAddress: ClientAddress? { nil }
}

/// A method that concerns the connection or the process, answered on the spot, in the order of the lines, even by an overloaded host.
protocol ImmediateMethod: Sendable {
    static var name: String { get }
    static var since: Int { get }
    init(from params: inout ParamsReader) throws(JSONError)
    func run(on host: AgentHost) throws(RPCError) -> ResultWriter
    /// What follows once the answer is on its way.
    func answered(on host: AgentHost)
}

extension ImmediateMethod {
    static var since: Int { 1 }
    func answered(on host: AgentHost) {}
}

/// Writes the value of `result`.
typealias ResultWriter = @Sendable (inout JSONWriter) -> Void

/// Who may call a method.
enum CallerRule: Sendable {
    /// Only a known person.
    case known
    /// A known person, or nobody: who names no caller becomes a new anonymous person.
    case knownOrNew
    /// Nobody yet: the request makes a new anonymous person, whoever asks.
    case new
}

/// A request on its way: what a method needs beside its params.
struct Call: Sendable {
    let host: AgentHost
    let requestID: RequestID
    /// Whom the request acts for.
    let caller: Caller
    /// The token of a person whom this request makes, to be handed out once.
    let newToken: AnonymousToken?
    let handle: RequestHandle
    let reply: Reply
    /// Lets requests of the same scope go on, because this one has taken effect.
    let release: @Sendable () -> Void

    /// Waits until the connection takes an answer that may be long.
    ///
    /// - Parameter gate: where to wait; nil for the gate of all that is no search.
    /// - Throws: `cancelled`; `shuttingDown` when the process ends before.
    func place(at gate: AnswerGate? = nil) async throws(Failure) -> AnswerGate.Place {
        guard let place = await (gate ?? host.answerGate).enter() else { throw cancellation }
        return place
    }

    /// Why the request's task is cancelled: somebody wants it, or the process ends.
    var cancellation: Failure {
        handle.isCancelled ? Failure(.cancelled, "The request was cancelled.") : Failure(.shuttingDown, "The host is shutting down.")
    }
}
