import JSON
import ParleyCore

/// `getQuota`: how the caller's limits stand; for the operator, those of anybody.
struct GetQuota: Method {
    static let name = "getQuota"
    let scope = Scope.caller(exclusive: true)
    private var subject: QuotaSubject?
    private(set) var clientAddress: ClientAddress?

    init(from params: inout ParamsReader) throws(JSONError) {
        while let field = try params.nextField() {
            switch field {
            case "subject": subject = try params.read(QuotaSubject.self)
            case "clientAddress": clientAddress = try params.clientAddress()
            default: throw params.unknownField()
            }
        }
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        let limits = try await call.host.quotas.get(subject, from: clientAddress, for: call.caller)
        return { writer in writer.object { $0.member("limits", limits) } }
    }
}

/// `resetQuota`: the operator forgets what was charged to somebody.
struct ResetQuota: Method {
    static let name = "resetQuota"
    let scope = Scope.caller(exclusive: true)
    private let subject: QuotaSubject
    private let quotaScope: QuotaKey.Scope?

    init(from params: inout ParamsReader) throws(JSONError) {
        var subject: QuotaSubject?
        var quotaScope: QuotaKey.Scope?
        while let field = try params.nextField() {
            switch field {
            case "subject": subject = try params.read(QuotaSubject.self)
            case "scope": quotaScope = try params.word(QuotaKey.Scope.self)
            default: throw params.unknownField()
            }
        }
        self.subject = try params.required(subject, "subject")
        self.quotaScope = quotaScope
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        let limits = try await call.host.quotas.reset(subject, scope: quotaScope, for: call.caller)
        return { writer in writer.object { $0.member("limits", limits) } }
    }
}
