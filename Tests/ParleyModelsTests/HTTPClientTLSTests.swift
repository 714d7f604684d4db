import Foundation
import ParleyModels
import ParleyTestSupport
import Testing

@Suite("HTTP client: TLS", .enabled(if: TLSServer.isAvailable, "needs the openssl command"), .timeLimit(.minutes(5)))
struct HTTPClientTLSTests {
    @Test("A server is trusted by the given authorities alone, and for its own name alone")
    func trust() async throws {
        let server = try await TLSServer()
        let trusting = try HTTPClient(configuration: HTTPClientConfiguration(caBundle: server.certificate))
        #expect(try await text(trusting.send(HTTPRequest(method: "GET", url: "https://localhost:\(server.port)/"))).contains("TLSv1.3"))
        let otherName = await failure { _ = try await trusting.send(HTTPRequest(method: "GET", url: "https://127.0.0.1:\(server.port)/")) }
        #expect(otherName?.kind == .tls)
        let stranger = try HTTPClient()
        let failure = await failure { _ = try await stranger.send(HTTPRequest(method: "GET", url: "https://localhost:\(server.port)/")) }
        #expect(failure?.kind == .tls)
        #expect(failure?.message.contains("self-signed certificate") == true)
    }

    @Test("A file of authorities that is missing is no reason to go without")
    func missingAuthorities() async throws {
        let server = try await TLSServer()
        let client = try HTTPClient(configuration: HTTPClientConfiguration(caBundle: server.certificate + ".missing"))
        #expect(await failureKind { _ = try await client.send(HTTPRequest(url: "https://localhost:\(server.port)/")) } == .tls)
    }
}
