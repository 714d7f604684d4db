import JSON
import ParleyCore

/// `attachTurn`: what a turn has produced and goes on to produce, to its end; the reply comes after its terminal event, or when what comes
/// next is more than the client takes.
struct AttachTurn: Method {
    static let name = "attachTurn"
    let scope = Scope.caller(exclusive: false)
    private let turnID: String
    private let sequence: Int
    private let maximumBytes: Int

    init(from params: inout ParamsReader) throws(JSONError) {
        var turnID: String?
        var sequence = 0
        var maximumBytes = Int.max
        while let field = try params.nextField() {
            switch field {
            case "turnId": turnID = try params.string()
            case "afterSeq": sequence = try params.integer() ?? 0
            case "maxBytes": maximumBytes = try params.integer() ?? .max
            default: throw params.unknownField()
            }
        }
        self.turnID = try params.required(turnID, "turnId")
        self.sequence = sequence
        self.maximumBytes = maximumBytes
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        guard maximumBytes > 0 else { throw .invalidParams(path: "maxBytes", reason: "expected at least 1") }
        let attachment = TurnAttachment(queue: call.host.attachments, requestID: call.requestID, maximumBytes: maximumBytes) {
            call.handle.endsWithTurn()
        }
        defer { attachment.stop() }
        // What has ended is told whole and at once; what goes on is told as fast as the connection takes it.
        let place = try await call.place()
        let result = try await call.host.turns.attach(to: turnID, after: sequence, for: call.caller, follower: attachment) {
            place.leave()
            call.release()
        }
        if let result { return result.result }
        let turn = try await call.host.turns.get(turnID, for: call.caller).turn
        return { writer in
            writer.object { writer in
                writer.member("turn", turn)
                writer.member("more", true)
                writer.member("nextBytes", attachment.neededBytes)
            }
        }
    }
}
