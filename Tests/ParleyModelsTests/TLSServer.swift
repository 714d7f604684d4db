import Foundation
import ParleyTestSupport
import Testing

/// A server of OpenSSL on loopback with a certificate of its own for the names "localhost" and "model.invalid"; it answers with a page about the connection.
final class TLSServer {
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
            certificate, "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,DNS:model.invalid",
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
