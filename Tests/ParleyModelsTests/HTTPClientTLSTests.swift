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

/// A server of OpenSSL on loopback with a certificate of its own for the name "localhost"; it answers with a page about the connection.
private final class TLSServer {
    static let isAvailable = FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")

    let certificate: String
    let port: Int
    private let folder: TemporaryFolder
    private let process: ChildProcess

    init() async throws {
        folder = try TemporaryFolder()
        certificate = folder.file("certificate.pem")
        let key = folder.file("key.pem")
        let (code, output) = try await ChildProcess.run([
            "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
            certificate, "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
        ])
        try #require(code == 0, "\(output)")
        process = try ChildProcess(
            ["/usr/bin/openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key", key, "-www"], environment: [:])
        // The server writes "ACCEPT 127.0.0.1:PORT" when it listens.
        var text = ""
        while text.firstMatch(of: #/ACCEPT .*:(\d+)\n/#) == nil, let bytes = LineReader.read(process.output) {
            text += String(decoding: bytes, as: UTF8.self)
        }
        port = try #require(text.firstMatch(of: #/ACCEPT .*:(\d+)\n/#).flatMap { Int($0.1) })
    }

    deinit {
        kill(process.id, SIGKILL)
        waitpid(process.id, nil, 0)
    }
}
