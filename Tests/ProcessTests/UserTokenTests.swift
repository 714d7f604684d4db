import Foundation
import JSON
import ParleyTestSupport
import Testing

/// Users' tokens through the real binary: whom they speak for, and that no other token does anything.
@Suite(.timeLimit(.minutes(5)))
struct UserTokenTests {
    private let folder: TemporaryFolder
    private let secret = SharedSecret()

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Starts a host that verifies tokens.
    ///
    /// - Parameters:
    ///   - keyFile: the key file's text; by default the secret.
    ///   - settings: `KEY=VALUE`.
    private func start(keyFile: String? = nil, _ settings: String...) throws -> ParleyProcess {
        let path = try folder.write(keyFile ?? secret.text, to: "key")
        return try ParleyProcess(
            ["serve", "--database", folder.file("parley.db"), "--set", "auth.jwt.keyFile=\(path)"] + settings.flatMap { ["--set", $0] })
    }

    private func caller(_ token: String) -> JSONValue { ["userToken": .string(token)] }

    /// The titles of somebody's conversations, the latest first.
    private func titles(_ caller: JSONValue, at host: ParleyProcess) async throws -> [String] {
        let list = try await host.result(of: "listConversations", ["caller": caller])
        return list["data"]?.arrayValue?.compactMap { $0["title"]?.stringValue } ?? []
    }

    private func expectToBeAda(_ token: String, at host: ParleyProcess) async throws {
        let ada: JSONValue = ["userId": "ada"]
        _ = try await host.result(of: "createConversation", ["caller": ada, "title": "By id"])
        _ = try await host.result(of: "createConversation", ["caller": caller(token), "title": "By token"])
        #expect(try await titles(caller(token), at: host).sorted() == ["By id", "By token"])
        #expect(try await titles(ada, at: host).sorted() == ["By id", "By token"])
        #expect(try await titles(["userId": "bob"], at: host).isEmpty)
        let reply = try await host.result(of: "sendMessage", ["caller": caller(token), "text": "Hello?", "stream": false])
        #expect(reply["turn"]?["status"] == "completed")
        let turn: JSONValue = ["caller": ada, "turnId": reply["turn"]?["id"] ?? .null]
        #expect(try await host.call("getTurn", turn)["result"]?["turn"]?["status"] == "completed")
    }

    /// Expects that tokens are refused, whatever they ask for, and have changed nothing.
    private func expectRefusal(of tokens: [(name: String, token: String)], at host: ParleyProcess) async throws {
        let ada: JSONValue = ["userId": "ada"]
        let conversation = try await host.result(of: "createConversation", ["caller": ada, "title": "Mine"])["conversation"]
        let id = conversation?["id"] ?? .null
        for (name, token) in tokens {
            let requests: [(String, JSONValue)] = [
                ("listConversations", [:]), ("createConversation", ["title": "Yours"]), ("getConversation", ["conversationId": id]),
                ("updateConversation", ["conversationId": id, "title": "Yours"]), ("deleteConversation", ["conversationId": id]),
                ("sendMessage", ["text": "Hello?"]), ("sendMessage", ["conversationId": id, "text": "Hello?"]),
                ("createBot", ["name": "Yours"]), ("getQuota", [:]), ("deleteUser", ["confirm": true]),
                ("resetQuota", ["subject": ["system": true]]),
            ]
            for (method, params) in requests {
                let answer = try await host.call(method, params.from(caller(token)))
                #expect(answer.errorCode == "authRequired", "\(method) by one that is \(name)")
                #expect(answer["error"]?["data"]?["httpStatus"] == 401)
            }
        }
        #expect(try await titles(ada, at: host) == ["Mine"])
        #expect(try await host.result(of: "listBots", ["caller": ada])["data"] == [])
        #expect(try await host.limits()["system.turns"]?.used == 0)
    }

    @Test func aTokenOfTheSharedSecretSpeaksForItsUser() async throws {
        try await expectToBeAda(await secret.token(), at: start())
    }

    @Test(arguments: [SignedToken.rs256, .es256, .ed25519])
    func aTokenOfAPublicKeySpeaksForItsUser(signed: SignedToken) async throws {
        try await expectToBeAda(signed.token, at: start(keyFile: signed.keyFile))
    }

    @Test func badTokensOfASharedSecretDoNothing() async throws {
        let host = try start("auth.jwt.issuer=gateway", "auth.jwt.audience=parley", "auth.jwt.leewaySeconds=0")
        let rest = #","iss":"gateway","aud":"parley""#
        let good = try await secret.token(with: rest)
        #expect(try await host.call("listBots", ["caller": caller(good)])["result"] != nil)
        let parts = good.split(separator: ".").map(String.init)
        let claims = #"{"sub":"ada","exp":4102444800\#(rest)}"#
        let forged = parts[0] + "." + TokenPart.encoded(claims)
        let later = Int(Date().timeIntervalSince1970) + 600
        var bad = [
            ("forged", "\(forged).\(parts[2])"), ("not signed", "\(forged)."), ("without a signature", forged),
            ("truncated", String(good.dropLast())), ("cut in half", String(good.prefix(good.count / 2))), ("nothing", "."),
            ("without a header", ".\(parts[1]).\(parts[2])"), ("with more behind it", good + "A"), ("with a fourth part", good + ".A"),
            ("with white space", good + " "), ("not a token", "ada"),
            ("alg none", "\(TokenPart.encoded(#"{"alg":"none"}"#)).\(TokenPart.encoded(claims))."),
            ("alg None with a signature", "\(TokenPart.encoded(#"{"alg":"None"}"#)).\(parts[1]).\(parts[2])"),
        ]
        bad += [
            ("signed with another key", try await SharedSecret().token(with: rest)),
            ("expired", try await secret.token(validFor: -1, with: rest)),
            ("not yet valid", try await secret.token(with: "\(rest),\"nbf\":\(later)")),
            ("issued in the future", try await secret.token(with: "\(rest),\"iat\":\(later)")),
            ("of another issuer", try await secret.token(with: #","iss":"somebody","aud":"parley""#)),
            ("of no issuer", try await secret.token(with: #","aud":"parley""#)),
            ("for somebody else", try await secret.token(with: #","iss":"gateway","aud":["elsewhere"]"#)),
            ("for nobody", try await secret.token(with: #","iss":"gateway""#)),
            ("without an end", try await secret.sign(#"{"sub":"ada"\#(rest)}"#, header: #"{"alg":"HS256"}"#)),
            ("of nobody", try await secret.sign(#"{"exp":4102444800\#(rest)}"#, header: #"{"alg":"HS256"}"#)),
            ("of an empty name", try await secret.token(for: "", with: rest)),
            ("said to be HS512", try await secret.sign(claims, header: #"{"alg":"HS512"}"#)),
            ("said to be RS256", try await secret.sign(claims, header: #"{"alg":"RS256"}"#)),
            ("of a critical extension", try await secret.sign(claims, header: #"{"alg":"HS256","crit":["b64"],"b64":false}"#)),
        ]
        try await expectRefusal(of: bad, at: host)
        #expect(try await host.call("listBots", ["caller": caller(good)])["result"] != nil)
    }

    @Test(arguments: [SignedToken.rs256, .es256, .ed25519])
    func badTokensOfAPublicKeyDoNothing(signed: SignedToken) async throws {
        let parts = signed.token.split(separator: ".").map(String.init)
        let others = [SignedToken.rs256, .es256, .ed25519].filter { $0.name != signed.name }.map {
            ("signed as \($0.name)", parts[0] + "." + parts[1] + "." + ($0.token.split(separator: ".").last ?? ""))
        }
        // Whoever knows the public key must not be able to sign with it as if it were a secret.
        let confused = SharedSecret(signed.keyFile)
        let claims = #"{"sub":"ada","exp":4102444800}"#
        let bad = [
            ("forged", "\(parts[0]).\(TokenPart.encoded(#"{"sub":"ada","exp":4102444801}"#)).\(parts[2])"),
            ("truncated", String(signed.token.dropLast(2))), ("not signed", "\(parts[0]).\(parts[1])."),
            ("alg none", "\(TokenPart.encoded(#"{"alg":"none"}"#)).\(parts[1])."),
            ("signed with the public key", try await confused.sign(claims)),
            ("signed so under its name", try await confused.sign(claims, header: #"{"alg":"HS256","kid":"rsa"}"#)),
        ]
        try await expectRefusal(of: bad + others, at: start(keyFile: signed.keyFile))
    }

    @Test func aHostThatDoesNotTrustItsParentTakesOnlyTokens() async throws {
        let host = try start("auth.trustParent=false")
        let token = try await secret.token()
        for other: JSONValue in [["userId": "ada"], ["operator": true]] {
            #expect(try await host.call("createConversation", ["caller": other]).errorCode == "authRequired")
            #expect(try await host.call("getQuota", ["caller": other]).errorCode == "authRequired")
            #expect(try await host.call("deleteUser", ["caller": other, "confirm": true]).errorCode == "authRequired")
        }
        _ = try await host.result(of: "createConversation", ["caller": caller(token), "title": "Mine"])
        #expect(try await titles(caller(token), at: host) == ["Mine"])
        let visitor = try await host.makeAnonymousPerson()
        let claim: JSONValue = ["anonymousToken": .string(visitor.token), "confirm": true]
        #expect(try await host.call("claimAnonymousUser", claim.from(["userId": "ada"])).errorCode == "authRequired")
        #expect(try await host.call("claimAnonymousUser", claim.from(caller(token)))["result"]?["confirmed"] == true)

        // A default is believed no more than a caller.
        _ = try await host.result(of: "initialize", ["protocolVersion": 1, "defaultCaller": ["userId": "ada"]])
        #expect(try await host.call("listConversations").errorCode == "authRequired")
        #expect(await host.end() == 0)
        let refused = try start("auth.trustParent=false", "caller=userId:ada")
        #expect(await refused.exitCode() == 78)
        #expect(refused.errorText().contains("auth.trustParent"))
    }

    @Test func aTokenStopsWorkingWhenItsTimeIsOver() async throws {
        let script = try folder.write(#"{"repeat":true,"steps":[{"delayMs":100},{"text":"Tick."}]}"#, to: "tick.jsonl")
        let host = try start("auth.jwt.leewaySeconds=0", "model=scripted:\(script)")
        _ = try await host.result(of: "createConversation", ["caller": ["userId": "ada"], "title": "In time"])
        // On a machine that is busy, a short time may be over before it is used.
        var token = ""
        var answer: JSONValue = .null
        for seconds in [3, 10, 30] where answer["result"] == nil {
            token = try await secret.token(validFor: seconds)
            answer = try await host.call("listConversations", ["caller": caller(token)])
        }
        let end = try #require(Self.expiry(of: token))
        #expect(answer["result"] != nil)
        while answer["result"] != nil {
            // Somebody else's turn takes its time, so that time passes.
            _ = try await host.result(of: "sendMessage", ["caller": ["userId": "bob"], "text": "Tick?"])
            answer = try await host.call("listConversations", ["caller": caller(token)])
        }
        #expect(Date().timeIntervalSince1970 >= end)
        #expect(answer.errorCode == "authRequired")
        #expect(answer["error"]?["message"] == "The user token has expired.")
        // Neither does it as a default.
        _ = try await host.result(of: "initialize", ["protocolVersion": 1, "defaultCaller": caller(token)])
        #expect(try await host.call("createConversation", ["title": "Too late"]).errorCode == "authRequired")
        #expect(try await titles(caller(await secret.token()), at: host) == ["In time"])
    }

    private static func expiry(of token: String) -> Double? {
        var claims = token.split(separator: ".").dropFirst().first.map(String.init) ?? ""
        claims = claims.replacing("-", with: "+").replacing("_", with: "/")
        claims += String(repeating: "=", count: (4 - claims.count % 4) % 4)
        return Data(base64Encoded: claims).flatMap { try? JSONReader.parse(Array($0)) }?["exp"]?.doubleValue
    }

    @Test func aDefaultCallerMayBeAToken() async throws {
        let host = try start()
        let token = try await secret.token(for: "ada")
        _ = try await host.result(of: "initialize", ["protocolVersion": 1, "defaultCaller": caller(token)])
        _ = try await host.result(of: "createConversation", ["title": "Ada's"])
        let sent = try await host.result(of: "sendMessage", ["text": "Hello?", "stream": false])
        #expect(sent["anonymousToken"] == nil)
        _ = try await host.result(of: "createConversation", ["title": "Bob's", "caller": caller(await secret.token(for: "bob"))])
        #expect(try await titles(["userId": "ada"], at: host) == ["Hello?", "Ada's"])
        #expect(try await titles(["userId": "bob"], at: host) == ["Bob's"])

        // A bad default leaves nobody else's in its place.
        _ = try await host.result(of: "initialize", ["protocolVersion": 1, "defaultCaller": caller(String(token.dropLast(3)))])
        for method in ["listConversations", "createConversation", "getQuota"] {
            #expect(try await host.call(method).errorCode == "authRequired", "\(method)")
        }
    }

    @Test func requestsOfOneTokenTakeEffectInTheirOrder() async throws {
        let host = try start()
        let (token, other) = (try await secret.token(), try await secret.token(validFor: 7_200))
        let conversation = try await host.result(of: "createConversation", ["caller": caller(token)])["conversation"]?["id"] ?? .null
        // However she says who she is, ada is one person.
        let callers: [JSONValue] = [caller(token), caller(other), ["userId": "ada"]]
        var lists: [Int: Int] = [:]
        for number in 1...60 {
            let caller = callers[number % 3]
            host.send("updateConversation", ["caller": caller, "conversationId": conversation, "title": .string("Title \(number)")])
            host.send("createConversation", ["caller": callers[number / 3 % 3], "title": "Another"])
            lists[host.send("listConversations", ["caller": callers[number / 7 % 3], "limit": 100])] = number
        }
        while !lists.isEmpty {
            let answer = try await host.line { line in line["id"]?.intValue.map { lists[$0] != nil } ?? false }
            guard let id = answer["id"]?.intValue, let number = lists.removeValue(forKey: id) else { continue }
            let data = answer["result"]?["data"]?.arrayValue ?? []
            #expect(data.count == number + 1)
            #expect(data.first { $0["id"] == conversation }?["title"] == .string("Title \(number)"))
        }
    }

    @Test(arguments: [
        ("short", "canary-of-31-bytes-is-too-short", "32"), ("empty", "", "32"),
        ("private", "-----BEGIN PRIVATE KEY-----\ncanary+canary+canary+canary+canary+canary\n-----END PRIVATE KEY-----\n", "private"),
        ("private in a set", #"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"canarycanary","d":"canarycanary"}]}"#, "private"),
        ("garbage in PEM", "-----BEGIN PUBLIC KEY-----\ncanary+canary+canary\n-----END PUBLIC KEY-----\n", "PEM"),
        ("no set", #"{"kty":"oct","k":"canary-canary-canary-canary-canary-canary-canary"}"#, "keys"),
        ("set of nothing", #"{"keys":[]}"#, "none"),
        ("weak set", #"{"keys":[{"kty":"oct","k":"canarycanary"}]}"#, "32"),
        ("broken set", #"{"keys":[{"kty":"RSA","n":"canary!","e":"AQAB"}]}"#, "base64url"),
        ("of SSH", "ssh-ed25519 AAAAcanarycanarycanarycanarycanarycanary ada@host\n", "PEM"),
    ])
    func aWrongKeyFileStopsTheStart(name: String, text: String, word: String) async throws {
        let host = try start(keyFile: text)
        #expect(await host.rest().isEmpty)
        #expect(await host.exitCode() == 78)
        let line = host.errorText()
        #expect(line.hasPrefix("parley: auth.jwt.keyFile: ") && line.contains(word), "\(line)")
        #expect(line.split(separator: "\n").count == 1 && !line.contains("canary") && !line.contains("AQAB"), "\(line)")
    }

    @Test func aMissingKeyFileStopsTheStart() async throws {
        for (settings, word) in [
            (["auth.jwt.keyFile=\(folder.file("nowhere"))"], "auth.jwt.keyFile"), (["auth.jwt.keyFile=\(folder.path)"], "auth.jwt.keyFile"),
            (["auth.jwt.keyFile="], "auth.jwt.keyFile"), (["auth.jwt.issuer=gateway"], "auth.jwt.issuer"),
            (["auth.jwt.audience=parley"], "auth.jwt.audience"), (["auth.jwt.leewaySeconds=-1"], "auth.jwt.leewaySeconds"),
        ] {
            let host = try ParleyProcess(["serve", "--database", ":memory:"] + settings.flatMap { ["--set", $0] })
            #expect(await host.exitCode() == 78)
            let line = host.errorText()
            #expect(line.hasPrefix("parley: ") && line.contains(word) && line.split(separator: "\n").count == 1, "\(line)")
        }
    }
}
