import JSON
import ParleyContract
import ParleyTestSupport
import Testing

@testable import ParleyHost

/// `rpc.discover`, which no transcript shows because its answer is the whole contract.
struct DiscoveryTests {
    @Test("a host describes its own method table, and its clock's notification where it can be moved")
    func describesItself() async throws {
        let answer = try await TestHost.inProcess(["--deterministic", "--log-level", "critical"]) { try $0.call("rpc.discover", [:]) }
        #expect(answer.result == Contract.compiledIn.document)
    }

    @Test("the contract and the method table name the same methods")
    func tableAndContract() {
        #expect(Contract.compiledIn.names("methods").sorted() == MethodTable.rows.map(\.name).sorted())
        for row in MethodTable.rows { #expect(AgentHost.protocolVersions.contains(row.since), "\(row.name)") }
    }

    @Test("the contract is that of the newest protocol version that the host speaks")
    func version() {
        #expect(Contract.compiledIn.document["info"]?["version"]?.stringValue == "\(AgentHost.protocolVersions.upperBound)")
    }

    @Test("a host whose clock goes by itself does not offer to move it")
    func withoutClock() async throws {
        let answer = try await TestHost.inProcess(["--database", ":memory:", "--log-level", "critical", "--model", "demo"]) {
            try $0.call("rpc.discover", [:])
        }
        let document = Contract(document: try #require(answer.result))
        #expect(document.names("x-notifications") == Contract.compiledIn.names("x-notifications").filter { $0 != "$/advanceClock" })
        #expect(document.document["components"]?["schemas"]?["AdvanceClockParams"] == nil)
        #expect(document.document["components"]?["schemas"]?["Caller"] != nil)
    }
}
