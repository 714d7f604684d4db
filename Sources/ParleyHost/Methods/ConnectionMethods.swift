import JSON
import JSONRPC
import ParleyCore

/// `initialize`: says who the client is and whom it acts for by default; optional.
struct Initialize: ImmediateMethod {
    static let name = "initialize"
    /// The newest and the oldest protocol version that the client speaks.
    private let newest: Int
    private let oldest: Int
    private let defaultCaller: CallerClaim?
    private let capabilities: ClientCapabilities

    init(from params: inout ParamsReader) throws(JSONError) {
        var newest: Int?
        var oldest: Int?
        var defaultCaller: CallerClaim?
        var capabilities = ClientCapabilities()
        while let field = try params.nextField() {
            switch field {
            case "protocolVersion":
                newest = try params.integer()
                guard newest ?? 1 >= 1 else { throw params.refused("expected at least 1") }
            case "minProtocolVersion":
                oldest = try params.integer()
                guard oldest ?? 1 >= 1 else { throw params.refused("expected at least 1") }
            case "clientInfo": _ = try params.read(ClientInfo.self)
            case "capabilities": capabilities = try params.read(ClientCapabilities.self) ?? ClientCapabilities()
            case "defaultCaller": defaultCaller = try params.read(CallerClaim.self)
            default: throw params.unknownField()
            }
        }
        self.newest = try params.required(newest, "protocolVersion")
        self.oldest = oldest ?? 1
        self.defaultCaller = defaultCaller
        self.capabilities = capabilities
    }

    func run(on host: AgentHost) throws(RPCError) -> ResultWriter {
        guard oldest <= newest else { throw .invalidParams(path: "minProtocolVersion", reason: "larger than protocolVersion") }
        let spoken = AgentHost.protocolVersions
        let version = min(spoken.upperBound, newest)
        guard spoken.contains(version), version >= oldest else { throw .protocolVersionUnsupported(spoken) }
        if let defaultCaller { host.setDefaultCaller(defaultCaller) }
        host.setCapabilities(capabilities)
        return { writer in
            writer.object { writer in
                writer.member("protocolVersion", version)
                writer.member("serverInfo", host.info)
                writer.key("capabilities")
                writer.object { writer in
                    writer.key("methods")
                    writer.array { writer in
                        for row in MethodTable.rows { writer.string(row.name) }
                    }
                }
                writer.member("limits", host.limits)
            }
        }
    }

    /// What a client says of itself; read so that a mistake is found, and for the log.
    private struct ClientInfo: JSONReadable {
        init(from reader: inout JSONReader) throws(JSONError) {
            try reader.beginObject()
            while let key = try reader.nextKey() {
                switch key {
                case "name", "title", "version": _ = try reader.string()
                default: throw reader.mismatch("unknown field")
                }
            }
        }
    }
}

/// What a client says that it can do; it may know of more than this host.
struct ClientCapabilities: Hashable, Sendable, JSONReadable {
    /// Whether it answers `requestApproval`.
    var approvals = false

    init() {}

    init(from reader: inout JSONReader) throws(JSONError) {
        try reader.beginObject()
        while let key = try reader.nextKey() {
            if key == "approvals" { approvals = try reader.bool() } else { _ = try reader.skip() }
        }
    }
}

/// `ping`: answers.
struct Ping: ImmediateMethod {
    static let name = "ping"

    init(from params: inout ParamsReader) throws(JSONError) { try params.expectNoFields() }

    func run(on host: AgentHost) -> ResultWriter {
        { writer in writer.object { _ in } }
    }
}

/// `getStatus`: what the process is and does.
struct GetStatus: ImmediateMethod {
    static let name = "getStatus"

    init(from params: inout ParamsReader) throws(JSONError) { try params.expectNoFields() }

    func run(on host: AgentHost) -> ResultWriter {
        let status = host.status
        return { writer in writer.value(status) }
    }
}

/// `shutdown`: answers, then ends the process as the end of input does.
struct Shutdown: ImmediateMethod {
    static let name = "shutdown"

    init(from params: inout ParamsReader) throws(JSONError) { try params.expectNoFields() }

    func run(on host: AgentHost) -> ResultWriter {
        { writer in writer.object { _ in } }
    }

    func answered(on host: AgentHost) {
        // At once, so that it never depends on the moment whether the next line is still read.
        host.connection.stopReading()
        host.end(.draining)
    }
}

/// `listModels`: the models that a message or a bot of the caller's may name.
struct ListModels: Method {
    static let name = "listModels"
    let scope = Scope.free

    init(from params: inout ParamsReader) throws(JSONError) { try params.expectNoFields() }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        try await call.host.store.verify(call.caller)
        let entries = call.host.models.entries(for: call.caller.kind)
        return { writer in writer.object { $0.member("data", entries) } }
    }
}

extension ParamsReader {
    /// Reads params that hold nothing but a caller.
    mutating func expectNoFields() throws(JSONError) {
        guard try nextField() == nil else { throw unknownField() }
    }
}
