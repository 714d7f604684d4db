import JSON
import ParleyContract

/// `rpc.discover`: the protocol as this process offers it.
struct Discover: ImmediateMethod {
    static let name = "rpc.discover"

    init(from params: inout ParamsReader) throws(JSONError) { try params.expectNoFields() }

    func run(on host: AgentHost) -> ResultWriter {
        let document = host.isDeterministic ? Self.deterministicDocument : Self.document
        return { writer in writer.raw(document) }
    }

    /// The document of a host whose clock goes by itself.
    private static let document = encoded { $0 != AdvanceClock.name }
    private static let deterministicDocument = encoded { _ in true }

    private static func encoded(notifications: (String) -> Bool) -> [UInt8] {
        JSONWriter.encode(Contract.compiledIn.restricted(methods: { MethodTable.byName[$0] != nil }, notifications: notifications).document)
    }
}
