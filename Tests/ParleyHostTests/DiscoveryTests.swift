import JSON
import ParleyContract
import ParleyCore
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

    /// Also of those codes that no transcript can show.
    @Test("the contract and the host agree on what every error code goes with")
    func errors() throws {
        let schemas = try #require(Contract.compiledIn.document["components"]?["schemas"])
        let words = try #require(schemas["ErrorCode"]?["oneOf"]?.arrayValue).compactMap { $0["const"]?.stringValue }
        var rules: [String: JSONValue] = [:]
        for rule in try #require(schemas["Error"]?["allOf"]?.arrayValue) {
            let code = rule["if"]?["properties"]?["data"]?["properties"]?["code"]?["const"]?.stringValue
            rules[try #require(code)] = rule["then"]?["properties"]
        }
        #expect(rules.keys.sorted() == words.sorted())
        // What comes of a tool call is its result, never an error; and some errors are found before the core hears of a request.
        let inside: Set<Failure.Code> = [.toolFailed, .toolTimeout, .toolDenied]
        let edge: Set = ["parseError", "invalidRequest", "inputTooLarge", "methodNotFound", "protocolVersionUnsupported"]
        #expect(Set(words) == Set(Failure.Code.allCases.filter { !inside.contains($0) }.map(\.rawValue)).union(edge))
        for code in Failure.Code.allCases where !inside.contains(code) {
            let rule = try #require(rules[code.rawValue])
            #expect(rule["code"]?["const"]?.intValue == code.wire.number, "\(code)")
            guard let data = rule["data"]?["properties"] else { continue }  // Says more than a constant.
            #expect(data["httpStatus"]?["const"]?.intValue == code.wire.httpStatus, "\(code)")
            #expect(data["retryable"]?["const"]?.boolValue ?? code.wire.retryable == code.wire.retryable, "\(code)")
        }
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
