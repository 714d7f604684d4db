import Foundation
import JSON
import ParleyTestSupport
import Testing

/// What must not be found: secrets in anything that the program writes, and people who are deleted in any file. Bytes are looked for.
@Suite(.timeLimit(.minutes(5)))
struct CanaryTests {
    private static let apiKey = "sk-canary-7f3a9c51e0b24d68"
    private let folder: TemporaryFolder
    private let database: TemporaryFolder
    private let secret = SharedSecret("hs256-canary-" + UUID().uuidString + UUID().uuidString)

    init() throws {
        folder = try TemporaryFolder()
        database = try TemporaryFolder()
    }

    /// The flags of a host, or of `parley config`, with all that is secret.
    private func arguments(_ server: LoopbackServer) throws -> [String] {
        let settings = try folder.write(
            """
            {"model": "test:m", "auth": {"jwt": {"keyFile": "\(folder.write(secret.text, to: "key"))", "leewaySeconds": 0}},
             "providers": {"test": {"kind": "openai", "baseURL": "\(server.url)/v1", "apiKeyEnv": "TEST_KEY", "models": {"m": {}}}}}
            """, to: "settings.json")
        return ["--database", database.file("parley.db"), "--config", settings, "--log-level", "trace", "--log-format", "json"]
    }

    /// Where texts are found in the database with its side files: names of files.
    private func files(holding text: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: database.path).filter { name in
            try Data(contentsOf: URL(fileURLWithPath: database.file(name))).range(of: Data(text.utf8)) != nil
        }
    }

    /// A server that answers what it is asked for, and says the key again in every way in which a server can fail.
    private func tellTale() throws -> LoopbackServer {
        try LoopbackServer { request, connection in
            let key = request.header("authorization") ?? ""
            let question = String(decoding: request.body, as: UTF8.self)
            let body = #"{"error":{"message":"Incorrect API key provided: \#(key)","code":"\#(key)","type":"\#(key)","param":"\#(key)"}}"#
            switch ["401", "400", "429", "500", "stream", "broken"].first(where: { question.contains("Fail \($0)") }) {
            case "401": connection.respond("401 Unauthorized", ["Content-Type": "application/json", "X-Key": key], body: body)
            case "400": connection.respond("400 \(key)", ["Content-Type": "text/plain"], body: key)
            case "429": connection.respond("429 Too Many", ["Retry-After": key], body: body)
            case "500": connection.respond("500 Oops", ["Content-Type": "text/html"], body: "<html>\(key)</html>")
            case "stream":
                connection.sendHead(["Content-Type": "text/event-stream"])
                connection.sendChunk(#"data: {"choices":[{"delta":{"content":"So"}}]}\#n\#nevent: error\#ndata: \#(body)\#n\#n"#)
                connection.endChunks()
            case "broken":
                connection.sendHead(["Content-Type": "text/event-stream"])
                connection.sendChunk("data: {\(key)\n\n")
                connection.endChunks()
            default:
                connection.sendHead(["Content-Type": "text/event-stream"])
                connection.sendChunk(
                    #"data: {"choices":[{"delta":{"content":"An answer-canary."},"finish_reason":"stop"}]}\#n\#ndata: [DONE]\#n\#n"#)
                connection.endChunks()
            }
        }
    }

    @Test func noSecretIsWrittenAnywhere() async throws {
        let server = try tellTale()
        let flags = try arguments(server)
        let host = try ParleyProcess(
            ["serve", "--record", database.file("cassette.jsonl")] + flags, environment: ["TEST_KEY": Self.apiKey])
        let token = try await secret.token()
        let parts = token.split(separator: ".").map(String.init)
        let jwts = [
            token, try await secret.token(for: "bob"), try await secret.token(validFor: -60), try await SharedSecret().token(),
            try await secret.sign(#"{"sub":"ada"}"#), String(token.dropLast(4)), token + ".more",
            "\(TokenPart.encoded(#"{"alg":"none"}"#)).\(parts[1]).\(parts[2])",
            "\(parts[0]).\(TokenPart.encoded(#"{"sub":"operator","exp":4102444800}"#)).\(parts[2])",
        ]
        let anonymousTokens = try await talk(to: host, jwts)
        // Three of the eight failures may pass, and are tried three times each: 429, 500 and what is no stream.
        #expect(server.requests.count == 14)
        #expect(server.requests.allSatisfy { $0.header("authorization") == "Bearer \(Self.apiKey)" })

        // A JWT as a whole, what it says, and its signature; what no token shares with another text.
        let pieces = jwts.flatMap { [$0] + $0.split(separator: ".").dropFirst().map(String.init).filter { $0.count > 12 } }
        let secrets = Set([Self.apiKey, String(Self.apiKey.dropFirst(3)), secret.text, String(secret.text.prefix(30))] + pieces)
        for secret in secrets.union(anonymousTokens) {
            #expect(try files(holding: secret) == [], "\(secret) while it runs")
        }
        #expect(try files(holding: "Hello-canary").contains("cassette.jsonl"), "or else nothing is found at all")
        host.endInput()
        _ = await host.rest()
        #expect(await host.exitCode() == 0)
        let log = host.errorText()
        // What does not fit into the pipe is not logged.
        #expect(log.utf8.count < 60_000)
        #expect(log.contains("modelAuth") && log.contains("bad signature") && log.contains("expired"))
        #expect(host.output.contains("An answer-canary.") && host.output.contains("modelAuth") && host.output.contains("authRequired"))
        let config = try ParleyProcess(["config"] + flags, environment: ["TEST_KEY": Self.apiKey])
        config.endInput()
        let settings = await config.rest()
        #expect(await config.exitCode() == 0)
        #expect(settings.contains("key set"))
        for secret in secrets.union(anonymousTokens) {
            #expect(try files(holding: secret) == [], "\(secret) after the end")
            #expect(!log.contains(secret), "\(secret) in the log")
            #expect(!(settings + config.errorText()).contains(secret), "\(secret) in the settings")
        }
        for secret in secrets { #expect(!host.output.contains(secret), "\(secret) on stdout") }
        // Handed out once.
        for token in anonymousTokens { #expect(host.output.components(separatedBy: token).count == 2, "\(token) on stdout") }
        #expect(try !files(holding: "Hello-canary").isEmpty)
    }

    /// A session with everything in which a token or a key could be written down.
    ///
    /// - Parameter jwts: the first two are good.
    /// - Returns: the anonymous tokens that were handed out.
    private func talk(to host: ParleyProcess, _ jwts: [String]) async throws -> [String] {
        let (ada, bob): (JSONValue, JSONValue) = (["userToken": .string(jwts[0])], ["userToken": .string(jwts[1])])
        let visitor = try await host.makeAnonymousPerson()
        let bot = try await host.result(
            of: "createBot",
            ["caller": ParleyProcess.operatorCaller, "name": "Guide", "visibility": "published", "instructions": "Be kind."])["bot"]
        let hello = try await host.result(
            of: "sendMessage", ["text": "Hello-canary", "clientMessageId": "m-1", "clientAddress": "192.0.2.7"])
        let newcomer = try #require(hello["anonymousToken"]?.stringValue)
        _ = try await host.call(
            "sendMessage", ["caller": visitor.caller, "botId": bot?["id"] ?? .null, "text": "Hello?", "clientMessageId": "m-2"])
        for failure in ["401", "400", "429", "500", "stream", "broken"] {
            let reply = try await host.call("sendMessage", ["caller": ada, "text": .string("Fail \(failure)")])
            #expect(reply["result"]?["turn"]?["status"] == "failed", "\(failure)")
        }
        for token in jwts.dropFirst(2) {
            let caller: JSONValue = ["userToken": .string(token)]
            for (method, params) in [("sendMessage", ["text": "No."]), ("listBots", [:]), ("deleteUser", ["confirm": true])]
                as [(String, JSONValue)]
            {
                #expect(try await host.call(method, params.from(caller)).errorCode == "authRequired")
            }
            // Where it does not belong.
            let text = JSONValue.string(token)
            for caller: JSONValue in [
                ["anonymousToken": text], ["token": text], ["userToken": [text]], text, ["userToken": text, "userId": text],
            ] {
                #expect(try await host.call("listBots", ["caller": caller])["error"] != nil)
            }
            #expect(try await host.call("claimAnonymousUser", ["caller": bob, "anonymousToken": text, "confirm": true])["error"] != nil)
            host.write(#"{"jsonrpc":"2.0","id":"x","method":"listBots","params":{"caller":{"userToken":"\#(token)"# + "\n")
            _ = try await host.line { $0.errorCode == "parseError" }
        }
        _ = try await host.result(of: "initialize", ["protocolVersion": 1, "defaultCaller": ada])
        _ = try await host.result(of: "createBot", ["name": "Ada's"])
        for _ in 0..<2 {
            _ = try await host.result(of: "claimAnonymousUser", ["caller": bob, "anonymousToken": .string(newcomer), "confirm": true])
        }
        let claimed = try await host.call("sendMessage", ["caller": ["anonymousToken": .string(newcomer)], "text": "Still me?"])
        #expect(claimed.errorCode == "authRequired")
        let others = try await host.call("claimAnonymousUser", ["caller": ada, "anonymousToken": .string(newcomer)])
        #expect(others.errorCode == "authRequired")
        _ = try await host.result(of: "deleteUser", ["caller": visitor.caller, "confirm": true])
        #expect(try await host.call("listBots", ["caller": visitor.caller]).errorCode == "authRequired")
        return [visitor.token, newcomer]
    }

    @Test func whoIsDeletedIsInNoFile() async throws {
        let server = try tellTale()
        let flags = try arguments(server)
        let host = try ParleyProcess(
            ["serve"] + flags, environment: ["TEST_KEY": Self.apiKey])
        let canaries = [
            "ada-canary", "Bot-canary", "Instructions-canary", "Description-canary", "Title-canary", "Metadata-canary",
            "Message-canary", "Request-canary", "Visitor-canary", "Visitors-bot-canary", "answer-canary",
        ]
        let ada: JSONValue = ["userId": "ada-canary"]
        let visitor = try await host.makeAnonymousPerson()
        _ = try await host.result(
            of: "sendMessage", ["caller": visitor.caller, "text": "Visitor-canary"])
        _ = try await host.result(of: "createBot", ["caller": visitor.caller, "name": "Visitors-bot-canary"])
        let bot = try await host.result(
            of: "createBot",
            [
                "caller": ada, "name": "Bot-canary", "instructions": "Instructions-canary", "description": "Description-canary",
                "clientRequestId": "Request-canary",
            ])["bot"]
        let conversation = try await host.result(
            of: "createConversation",
            ["caller": ada, "title": "Title-canary", "botId": bot?["id"] ?? .null, "metadata": ["note": "Metadata-canary"]])["conversation"]
        for text in ["Message-canary", "Fail stream: Message-canary"] {
            _ = try await host.result(
                of: "sendMessage", ["caller": ada, "conversationId": conversation?["id"] ?? .null, "text": .string(text)])
        }
        _ = try await host.result(of: "sendMessage", ["caller": ["userId": "bob"], "text": "Fail 401: Bob stays"])
        _ = try await host.result(of: "claimAnonymousUser", ["caller": ada, "anonymousToken": .string(visitor.token), "confirm": true])
        for canary in canaries { #expect(try !files(holding: canary).isEmpty, "\(canary) is not stored at all") }
        let before = try await host.limits()
        #expect(before["system.turns"] == LimitReading(limit: 500, used: 4, held: 0))
        #expect(before["system.anonymousTurns"]?.used == 1)

        let deleted = try await host.result(of: "deleteUser", ["caller": ada, "confirm": true])
        #expect(deleted == ["deleted": true, "erasure": "pending"])
        #expect(try await host.limits() == before)
        #expect(await host.end() == 0)
        for canary in canaries { #expect(try files(holding: canary) == [], "\(canary) after the end") }
        #expect(try !files(holding: "Bob stays").isEmpty)

        // What was used stays used; asking for somebody who is gone does not bring the name back.
        let next = try ParleyProcess(["serve"] + flags, environment: ["TEST_KEY": Self.apiKey])
        #expect(try await next.limits() == before)
        #expect(try await next.limits(of: ["userId": "ada-canary"])["user.bots"] == LimitReading(limit: 3, used: 0, held: 0))
        #expect(
            try await next.call("getQuota", ["caller": ParleyProcess.operatorCaller, "subject": visitor.subject]).errorCode == "notFound")
        #expect(try await next.result(of: "listConversations", ["caller": ada])["data"] == [])
        #expect(try await next.result(of: "deleteUser", ["caller": ada, "confirm": true])["erasure"] == "done", "at the end before")
        #expect(await next.end() == 0)
        for canary in canaries { #expect(try files(holding: canary) == [], "\(canary) after the next end") }
    }
}
