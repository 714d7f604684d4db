import Foundation
import JSON
import ParleyTestSupport
import Testing

/// What `parley doctor --models` says of servers of models, through real sockets, and that no secret is ever in it.
@Suite(.timeLimit(.minutes(5)))
struct DoctorModelTests {
    private static let key = "sk-canary-5d2f8a714c9e0b36"
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Diagnoses a server with two models, the first of which answers by default.
    /// - Parameter patience: how long a server is waited for, in seconds; a busy machine may need many.
    private func diagnose(
        _ url: String, _ arguments: String..., patience: Int = 60, environment: [String: String] = ["TEST_KEY": key]
    ) async throws -> Diagnosis {
        let settings = try folder.write(
            """
            {"model": "test:m", "models": {"firstByteTimeoutSeconds": \(patience)}, "providers": {"test": {
                "kind": "openai", "baseURL": "\(url)/v1", "apiKeyEnv": "TEST_KEY", "models": {"m": {}, "n": {}}}}}
            """, to: "settings.json")
        return try await Diagnosis(
            ["--database", folder.file("parley.db"), "--config", settings] + arguments, environment: environment)
    }

    private func answering() throws -> LoopbackServer {
        try LoopbackServer { _, connection in
            connection.respond(body: #"data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"length"}]}\#n\#n"#)
        }
    }

    @Test func nobodyIsAskedWithoutConsent() async throws {
        let server = try answering()
        let diagnosis = try await diagnose(server.url)
        #expect(diagnosis.code == 0)
        #expect(diagnosis.message("models", "ok", "test:m answers") == "test:m answers by default.")
        #expect(diagnosis.message("models", "ok", server.url) == "test at \(server.url)/v1: key set.")
        #expect(diagnosis.message("models", "ok", "Not asked").contains("parley doctor --models"))
        #expect(server.requests.isEmpty)
    }

    @Test func everyModelIsAskedForLittle() async throws {
        let server = try answering()
        let diagnosis = try await diagnose(server.url, "--models")
        #expect(diagnosis.code == 0, "\(diagnosis.output)")
        #expect(diagnosis.message("models", "ok", "test:m answered").hasPrefix("test:m answered after "))
        #expect(diagnosis.message("models", "ok", "test:n answered") != "")
        let bodies = try server.requests.map { try JSONReader.parse($0.body) }
        #expect(bodies.map { $0["model"] } == ["m", "n"])
        #expect(bodies.allSatisfy { $0["max_tokens"] == 16 && $0["stream"] == true })
        #expect(server.requests.allSatisfy { $0.header("authorization") == "Bearer \(Self.key)" })
    }

    @Test(
        arguments: [
            ("401 Unauthorized", #"{"error":{"message":"Bad key"}}"#, "problem", "refuses access", "Put a valid key into TEST_KEY.", 1),
            ("402 Payment Required", #"{"error":{"message":"Pay"}}"#, "problem", "no credit", "account", 1),
            ("404 Not Found", #"{"error":{"message":"No m","code":"model_not_found"}}"#, "problem", "rejected", "right name", 2),
            ("400 Bad Request", #"{"error":{"message":"No max_tokens"}}"#, "problem", "(No max_tokens)", "switches of providers", 2),
            ("429 Too Many Requests", #"{"error":{"message":"Slowly"}}"#, "warning", "rate", "takes the key", 1),
            ("500 Internal Server Error", "oops", "problem", "not available", "trouble of its own", 1),
            ("200 OK", "<html>The hotel's network</html>", "problem", "web page", "is it right", 1),
        ])
    func whatAServerSaysIsTranslated(
        status: String, body: String, mark: String, message: String, advice: String, requests: Int
    ) async throws {
        let server = try LoopbackServer { _, connection in
            connection.respond(status, ["Content-Type": body.hasPrefix("{") ? "application/json" : "text/html"], body: body)
        }
        let diagnosis = try await diagnose(server.url, "--models", "--yes")
        #expect(diagnosis.code == (mark == "problem" ? 1 : 0))
        #expect(diagnosis.message("models", mark, message).hasPrefix("test:m: "), "\(diagnosis.output)")
        #expect(diagnosis.advice("models", mark, message).contains(advice), "\(diagnosis.output)")
        // What is wrong with the server is not asked again of its next model.
        #expect(server.requests.count == requests)
    }

    @Test func aServerThatIsNotThereIsTold() async throws {
        let diagnosis = try await LoopbackServer.withClosedPort { port in try await diagnose("http://127.0.0.1:\(port)", "--models") }
        #expect(diagnosis.code == 1)
        #expect(diagnosis.message("models", "problem", "cannot be reached").contains("Connection refused"), "\(diagnosis.output)")
        #expect(diagnosis.advice("models", "problem", "cannot be reached").contains("models.http.proxy"))
    }

    @Test func aServerThatSaysNothingIsTold() async throws {
        let server = try LoopbackServer { _, connection in connection.waitForPeer() }
        let diagnosis = try await diagnose(server.url, "--models", patience: 1)
        #expect(diagnosis.code == 1)
        #expect(diagnosis.advice("models", "problem", "did not answer in time").contains(server.url), "\(diagnosis.output)")
    }

    @Test func aKeyThatIsMissingIsTold() async throws {
        let server = try answering()
        let diagnosis = try await diagnose(server.url, environment: [:])
        #expect(diagnosis.code == 1)
        #expect(diagnosis.message("models", "problem", "TEST_KEY") == "test at \(server.url)/v1: TEST_KEY is not set.")
        #expect(diagnosis.advice("models", "problem", "TEST_KEY").contains("environment of the host"))
    }

    @Test func aPresetNeedsNothingButItsKey() async throws {
        let server = try LoopbackServer { _, connection in
            connection.respond("401 Unauthorized", ["Content-Type": "application/json"], body: #"{"error":{"message":"no"}}"#)
        }
        let diagnosis = try await Diagnosis(
            ["--database", folder.file("parley.db"), "--models"],
            environment: ["OPENAI_API_KEY": Self.key, "OPENAI_BASE_URL": "\(server.url)/v1"])
        #expect(diagnosis.advice("models", "problem", "openai:gpt") == "Put a valid key into OPENAI_API_KEY.")
    }

    @Test func somebodyAtATerminalIsAskedFirst() async throws {
        let server = try answering()
        let script = """
            import os, pty, sys
            pid, fd = pty.fork()
            if pid == 0: os.execv(sys.argv[2], sys.argv[2:])
            text, has_answered = b"", False
            while True:
                try: piece = os.read(fd, 65536)
                except OSError: break
                if not piece: break
                text += piece
                if b"[y/N] " in text and not has_answered: has_answered = os.write(fd, sys.argv[1].encode() + b"\\n")
            print(text.decode())
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            """
        let settings = try folder.write(
            #"{"model": "test:m", "providers": {"test": {"kind": "openai", "baseURL": "\#(server.url)/v1", "models": {"m": {}}}}}"#,
            to: "settings.json")
        for (answer, requests, said) in [("n", 0, "Not asked."), ("y", 1, "test:m answered after")] {
            let (code, output) = try await ChildProcess.run(
                ["/usr/bin/python3", "-c", script, answer, ParleyProcess.binary.path, "doctor", "--models"]
                    + ["--database", folder.file("parley.db"), "--config", settings])
            #expect(code == 0 && output.contains("asks 1 model for an answer of at most 16 tokens") && output.contains(said), "\(output)")
            #expect(server.requests.count == requests)
        }
    }

    @Test(arguments: [true, false])
    func noSecretIsPrinted(asJSON: Bool) async throws {
        let secrets = [Self.key, "url-canary-77", "proxy-canary-88", "header-canary-99"]
        let server = try LoopbackServer { request, connection in
            let said = [request.header("authorization"), request.header("x-team")].compactMap(\.self).joined(separator: " ")
            connection.respond("400 \(said)", ["Content-Type": "application/json"], body: #"{"error":{"message":"You said \#(said)"}}"#)
        }
        let settings = try folder.write(
            """
            {"model": "test:m", "models": {"http": {"proxy": "http://me:proxy-canary-88@127.0.0.1:1"}}, "providers": {
             "test": {"kind": "openai", "baseURL": "\(server.url.replacing("http://", with: "http://me:url-canary-77@"))/v1?key=url-canary-77",
                "apiKeyEnv": "TEST_KEY", "headersEnv": {"X-Team": "TEST_TEAM"}, "models": {"m": {}, "n": {}}}}}
            """, to: "settings.json")
        let process = try ParleyProcess(
            ["doctor", "--models", "--database", folder.file("parley.db"), "--config", settings] + (asJSON ? ["--json"] : []),
            environment: ["TEST_KEY": Self.key, "TEST_TEAM": "header-canary-99", "NO_PROXY": "127.0.0.1"])
        process.endInput()
        let output = await process.rest()
        #expect(await process.exitCode() == 1)
        #expect(output.contains("You said") && !server.requests.isEmpty, "\(output)")
        for secret in secrets { #expect(!(output + process.errorText()).contains(secret), "\(secret)") }
    }
}
