import Foundation
import JSON
import ParleyTestSupport
import Testing

@testable import ParleySQLite
@testable import parley

/// Searches beside other requests, while one takes long.
@Suite(.timeLimit(.minutes(5))) struct SearchScopeTests {
    @Test func othersGoOnAndASearchThatIsCancelledIsAnswered() async throws {
        let folder = try TemporaryFolder()
        let serve = try Serve.parse(["--database", folder.file("parley.db"), "--model", "demo", "--log-level", "critical"])
        let composition = try await Composition.open(serve.options.flags, deterministic: false)
        let store = composition.store
        let mayEnd = DispatchSemaphore(value: 0)
        let answers = try await HostUnderTest.inProcess(
            serve: { input, output in
                let hasBegun = AsyncStream<Void>.makeStream()
                async let long: Void = store.searches.read { _ in
                    hasBegun.continuation.finish()
                    mayEnd.wait()
                }
                for await _ in hasBegun.stream {}
                await composition.serve(input: input, output: output)
                try await long
            },
            body: { client in
                defer { mayEnd.signal() }
                func request(_ id: Int, _ method: String, _ params: String = "", of person: String) {
                    let params = #"{\#(params)"caller":{"userId":"\#(person)"}}"#
                    client.send(
                        Array(#"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":\#(params)}"#.utf8) + [UInt8(ascii: "\n")])
                }
                func answer() throws -> String {
                    let message = try JSONReader.parse(try #require(try client.nextLine()))
                    let id = try #require(message["id"]?.intValue)
                    return "\(id) \(message["error"]?["data"]?["code"]?.stringValue ?? "found")"
                }
                for number in 1...8 { request(number, "searchConversations", #""query":"word","#, of: "ann\(number)") }
                request(9, "listConversations", of: "ann1")
                request(10, "listConversations", of: "bob")
                var answers = [try answer()]
                client.send(Array((#"{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":1}}"# + "\n").utf8))
                answers += [try answer(), try answer()]
                mayEnd.signal()
                return answers + (try (2...8).map { _ in try answer() }).sorted()
            })
        // Somebody else's request goes on at once, the person's own when their search is given up.
        #expect(answers.first == "10 found" && Set(answers.dropFirst().prefix(2)) == ["1 cancelled", "9 found"])
        #expect(answers.dropFirst(3) == ["2 found", "3 found", "4 found", "5 found", "6 found", "7 found", "8 found"])
    }
}
