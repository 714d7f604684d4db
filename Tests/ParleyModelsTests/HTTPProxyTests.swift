import ParleyModels
import ParleyTestSupport
import Testing

@Suite("HTTP client: proxies", .timeLimit(.minutes(5)))
struct HTTPProxyTests {
    private static let direct = HTTPProxySettings()
    /// A name that can have no address (RFC 1035, section 2.3.4), so that whoever asks it directly finds that out without asking anybody.
    private static let nameless = String(repeating: "a", count: 64) + ".invalid"

    @Test(
        "What the environment says",
        arguments: [
            ([:], direct), (["HTTPS_PROXY": "", "NO_PROXY": " , "], direct), (["HTTPS_PROXY": "s"], HTTPProxySettings(https: "s")),
            (["HTTPS_PROXY": "S", "https_proxy": "s"], HTTPProxySettings(https: "s")),
            (["HTTPS_PROXY": "S", "https_proxy": ""], HTTPProxySettings(https: "S")),
            (["HTTP_PROXY": "h"], HTTPProxySettings(http: "h")),
            (["HTTP_PROXY": "h", "REQUEST_METHOD": "GET"], direct),
            (["http_proxy": "h", "REQUEST_METHOD": "GET"], HTTPProxySettings(http: "h")),
            (["ALL_PROXY": "a"], HTTPProxySettings(https: "a", http: "a")),
            (["all_proxy": "a", "HTTP_PROXY": "h"], HTTPProxySettings(https: "a", http: "h")),
            (
                ["all_proxy": "a", "no_proxy": "example.com, .example.org\t10.0.0.0/8"],
                HTTPProxySettings(https: "a", http: "a", exceptions: ["example.com", ".example.org", "10.0.0.0/8"])
            ),
        ] as [([String: String], HTTPProxySettings)])
    func environment(environment: [String: String], expected: HTTPProxySettings) {
        #expect(HTTPProxySettings(environment: environment) == expected)
    }

    @Test("The configuration wins over the environment")
    func precedence() {
        let environment = ["HTTPS_PROXY": "s", "NO_PROXY": "n", "SSL_CERT_FILE": "b", "CURL_CA_BUNDLE": "a"]
        let open = HTTPClientConfiguration().completed(from: environment)
        #expect(open.proxy == HTTPProxySettings(https: "s", exceptions: ["n"]) && open.caBundle == "a")
        let own = HTTPClientConfiguration(caBundle: "c", proxy: HTTPProxySettings(http: "h")).completed(from: environment)
        #expect(own.proxy == HTTPProxySettings(http: "h") && own.caBundle == "c")
        #expect(HTTPClientConfiguration().completed(from: ["SSL_CERT_FILE": "b", "CURL_CA_BUNDLE": ""]).caBundle == "b")
        #expect(HTTPClientConfiguration().completed(from: [:]).caBundle == nil)
    }

    @Test("A proxy is asked for every host but loopback, and tells why it refuses")
    func proxy() async throws {
        let proxy = try LoopbackServer { request, connection in
            if request.method == "CONNECT" {
                connection.respond("407 Proxy Authentication Required", body: "no")
            } else {
                connection.respond(body: "through the proxy")
            }
        }
        let server = try LoopbackServer { _, connection in connection.respond(body: "direct") }
        let configuration = HTTPClientConfiguration(
            proxy: HTTPProxySettings(https: proxy.url, http: proxy.url), allowInsecureHTTPHosts: ["model.invalid"])
        let client = try HTTPClient(configuration: configuration)
        #expect(try await text(client.send(HTTPRequest(url: "http://model.invalid/a"))) == "through the proxy")
        for host in ["127.0.0.1", "localhost", "127.1"] {
            #expect(try await text(client.send(HTTPRequest(url: "http://\(host):\(server.port)/"))) == "direct")
        }
        let failure = await failure { _ = try await client.send(HTTPRequest(url: "https://model.invalid/b")) }
        #expect(failure?.kind == .connect)
        #expect(proxy.requests.map(\.path) == ["http://model.invalid/a", "model.invalid:443"])
    }

    @Test("Exceptions are asked directly", arguments: [nameless, ".invalid", "other.example,invalid", "*"])
    func exceptions(exceptions: String) async throws {
        let proxy = try LoopbackServer { _, connection in connection.respond() }
        let configuration = HTTPClientConfiguration(allowInsecureHTTPHosts: [Self.nameless])
            .completed(from: ["ALL_PROXY": proxy.url, "NO_PROXY": exceptions])
        let client = try HTTPClient(configuration: configuration)
        #expect(await failureKind { _ = try await client.send(HTTPRequest(url: "http://\(Self.nameless)/")) } == .resolve)
        #expect(proxy.connections.isEmpty)
    }

    @Test("Each kind of URL has its own proxy", arguments: [("HTTP_PROXY", false), ("HTTPS_PROXY", true), ("ALL_PROXY", true)])
    func ownProxies(variable: String, isAsked: Bool) async throws {
        let proxy = try LoopbackServer { _, connection in connection.respond("502 Bad Gateway") }
        let url = "http://user:canary@127.0.0.1:\(proxy.port)"
        let client = try HTTPClient(configuration: HTTPClientConfiguration().completed(from: [variable: url]))
        let failure = await failure { _ = try await client.send(HTTPRequest(url: "https://\(Self.nameless)/")) }
        #expect(failure?.kind == (isAsked ? .connect : .resolve))
        #expect(failure?.message.contains("canary") == false)
        // "user:canary", for the proxy alone to read.
        #expect(proxy.requests.map { $0.header("proxy-authorization") } == (isAsked ? ["Basic dXNlcjpjYW5hcnk="] : []))
    }

    @Test("Through a tunnel the peer is verified as ever, and the proxy learns no key", .enabled(if: TLSServer.isAvailable))
    func tunnel() async throws {
        let server = try await TLSServer()
        let port = UInt16(server.port)
        let proxy = try LoopbackServer { _, connection in connection.tunnel(to: port) }
        let environment = ["HTTPS_PROXY": proxy.url, "SSL_CERT_FILE": server.certificate]
        let client = try HTTPClient(configuration: HTTPClientConfiguration().completed(from: environment))
        let headers: HTTPHeaders = ["Authorization": "Bearer canary", "x-api-key": "canary"]
        let page = try await text(client.send(HTTPRequest(method: "GET", url: "https://model.invalid/", headers: headers)))
        #expect(page.contains("TLSv1.3"))
        let otherName = await failureKind { _ = try await client.send(HTTPRequest(method: "GET", url: "https://other.invalid/")) }
        #expect(otherName == .tls)
        #expect(proxy.requests.map(\.path) == ["model.invalid:443", "other.invalid:443"])
        for request in proxy.requests { #expect(!request.headers.contains { $0.value.contains("canary") }) }
    }
}
