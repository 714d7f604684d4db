import JSON
import ParleyCore

/// `createAnonymousUser`: makes a person who is not signed in.
struct CreateAnonymousUser: Method {
    static let name = "createAnonymousUser"
    var callerRule: CallerRule { .new }
    let scope = Scope.free
    private(set) var clientAddress: ClientAddress?

    init(from params: inout ParamsReader) throws(JSONError) {
        while let field = try params.nextField() {
            guard field == "clientAddress" else { throw params.unknownField() }
            clientAddress = try params.clientAddress()
        }
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        let user = try await call.host.people.create(call.caller)
        return { writer in
            writer.object { writer in
                writer.member("anonymousUser", user)
                writer.member("anonymousToken", call.newToken?.text)
            }
        }
    }
}

/// `claimAnonymousUser`: gives what an anonymous person owns to a user, or counts what that would be.
struct ClaimAnonymousUser: Method {
    static let name = "claimAnonymousUser"
    var scope: Scope { .claim(of: tokenHash) }
    private let tokenHash: AnonymousToken.Hash
    private let isConfirmed: Bool

    init(from params: inout ParamsReader) throws(JSONError) {
        var token: String?
        var isConfirmed = false
        while let field = try params.nextField() {
            switch field {
            case "anonymousToken":
                token = try params.string()
                guard (1...256).contains(token?.utf8.count ?? 1) else { throw params.refused("expected 1 to 256 bytes") }
            case "confirm": isConfirmed = try params.bool() ?? false
            default: throw params.unknownField()
            }
        }
        tokenHash = AnonymousToken.hash(ofText: try params.required(token, "anonymousToken"))
        self.isConfirmed = isConfirmed
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        let claim = try await call.host.people.claim(tokenHash, isConfirmed: isConfirmed, for: call.caller)
        return { writer in
            writer.object { writer in
                writer.member("confirmed", claim.isConfirmed)
                writer.member("conversations", claim.conversations)
                writer.member("bots", claim.bots)
            }
        }
    }
}

/// `deleteUser`: deletes the caller with all that belongs to it.
struct DeleteUser: Method {
    static let name = "deleteUser"
    let scope = Scope.caller(exclusive: true)

    init(from params: inout ParamsReader) throws(JSONError) {
        var isConfirmed: Bool?
        while let field = try params.nextField() {
            guard field == "confirm" else { throw params.unknownField() }
            isConfirmed = try params.bool()
            guard isConfirmed != false else { throw params.refused("expected true") }
        }
        _ = try params.required(isConfirmed, "confirm")
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        let isErased = try await call.host.people.delete(call.caller)
        call.host.storeCare.noteDeletion()
        return { writer in
            writer.object { writer in
                writer.member("deleted", true)
                writer.member("erasure", isErased ? "done" : "pending")
            }
        }
    }
}

extension ParamsReader {
    /// Reads the address that a client comes from.
    mutating func clientAddress() throws(JSONError) -> ClientAddress? {
        guard let text = try string() else { return nil }
        guard let address = ClientAddress(text) else { throw refused("expected 1 to \(ClientAddress.maximumBytes) bytes") }
        return address
    }
}
