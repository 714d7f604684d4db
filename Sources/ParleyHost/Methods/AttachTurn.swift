import JSON
import ParleyCore

/// `attachTurn`: what a turn has produced and goes on to produce, to its end; the reply comes after its terminal event.
struct AttachTurn: Method {
    static let name = "attachTurn"
    let scope = Scope.caller(exclusive: false)
    private let turnID: String
    private let sequence: Int

    init(from params: inout ParamsReader) throws(JSONError) {
        var turnID: String?
        var sequence = 0
        while let field = try params.nextField() {
            switch field {
            case "turnId": turnID = try params.string()
            case "afterSeq": sequence = try params.integer() ?? 0
            default: throw params.unknownField()
            }
        }
        self.turnID = try params.required(turnID, "turnId")
        self.sequence = sequence
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        let attachment = TurnAttachment(queue: call.host.attachments, requestID: call.requestID) { call.handle.endsWithTurn() }
        defer { attachment.stop() }
        // What has ended is told whole and at once; what goes on is told as fast as the connection takes it.
        let place = try await call.place()
        return try await call.host.turns.attach(to: turnID, after: sequence, for: call.caller, follower: attachment) {
            place.leave()
            call.release()
        }.result
    }
}
