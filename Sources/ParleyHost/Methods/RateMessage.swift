import JSON
import ParleyCore

/// `rateMessage`: says what the caller thinks of an answer.
struct RateMessage: Method {
    static let name = "rateMessage"
    // Which conversation the message is in is not known yet, and what is asked for later must show the rating.
    let scope = Scope.caller(exclusive: true)
    private let messageID: String
    private let verdict: Message.Rating.Verdict?
    private let note: String?

    init(from params: inout ParamsReader) throws(JSONError) {
        var messageID: String?
        var verdict: Message.Rating.Verdict??
        var note: String?
        while let field = try params.nextField() {
            switch field {
            case "messageId": messageID = try params.string()
            case "rating": verdict = .some(try params.word(Message.Rating.Verdict.self))
            case "note": note = try params.string()
            default: throw params.unknownField()
            }
        }
        self.messageID = try params.required(messageID, "messageId")
        self.verdict = try params.required(verdict, "rating")
        self.note = note
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        let message = try await call.host.conversations.rate(messageID, as: verdict, note: note, for: call.caller)
        return { writer in writer.object { $0.member("message", message) } }
    }
}
