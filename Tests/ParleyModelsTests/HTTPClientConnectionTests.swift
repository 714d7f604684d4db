import ParleyModels
import ParleyTestSupport
import Testing

@Suite("HTTP client: kept connections", .timeLimit(.minutes(5)))
struct HTTPClientConnectionTests {
    @Test("Connections are kept and used again")
    func keepAlive() async throws {
        let server = try LoopbackServer { request, connection in connection.respond(body: request.path) }
        let client = try HTTPClient()
        for number in 0..<20 {
            #expect(try await text(client.send(HTTPRequest(url: server.url + "/\(number)"))) == "/\(number)")
        }
        #expect(server.connections.count == 1)
    }

    @Test("A server that closes every kept connection without a word is asked on a new one")
    func closedWhileIdle() async throws {
        let server = try LoopbackServer { request, connection in
            connection.respond(body: request.path)
            connection.close()
        }
        let client = try HTTPClient()
        for number in 0..<50 {
            #expect(try await text(client.send(HTTPRequest(url: server.url + "/\(number)"))) == "/\(number)")
        }
        #expect(server.requests.count == 50)
        #expect(server.connections.count == 50)
    }

    @Test("A request on a kept connection that closes before the first byte is repeated once", arguments: [false, true])
    func closedWhenAsked(byReset: Bool) async throws {
        let server = try LoopbackServer { request, connection in
            if connection.number == 0 && request.path == "/second" {
                byReset ? connection.reset() : connection.close()
            } else {
                connection.respond(body: request.path)
            }
        }
        let client = try HTTPClient()
        #expect(try await text(client.send(HTTPRequest(url: server.url + "/first"))) == "/first")
        let body = [UInt8](repeating: 0x62, count: 1000)
        #expect(try await text(client.send(HTTPRequest(url: server.url + "/second", body: body))) == "/second")
        #expect(server.requests.map(\.path) == ["/first", "/second", "/second"])
        #expect(server.requests.last?.body == body)
    }

    @Test(
        "A request whose answer has begun is not repeated, though its connection was a kept one",
        arguments: ["HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1234"])
    func closedAfterTheFirstByte(beginning: String) async throws {
        let server = try LoopbackServer { request, connection in
            guard request.path == "/second" else {
                connection.respond(body: request.path)
                return
            }
            connection.send(beginning)
            connection.close()
        }
        let client = try HTTPClient()
        #expect(try await text(client.send(HTTPRequest(url: server.url + "/first"))) == "/first")
        let kind = await failureKind { _ = try await client.send(HTTPRequest(url: server.url + "/second")).body(limit: 100) }
        #expect(kind == .closed)
        #expect(server.requests.map(\.path) == ["/first", "/second"] && server.connections.count == 1)
    }

    @Test("A request on a new connection is not repeated, whatever becomes of it", arguments: [false, true])
    func closedWhenNew(byReset: Bool) async throws {
        let server = try LoopbackServer { _, connection in byReset ? connection.reset() : connection.close() }
        let client = try HTTPClient()
        #expect(await failureKind { _ = try await client.send(HTTPRequest(url: server.url)) } == .closed)
        #expect(server.requests.count == 1)
    }

    @Test("HTTP/2 is offered in the TLS handshake when it is wanted", arguments: [HTTPClientConfiguration.Version.http1, .http2])
    func offeredVersions(version: HTTPClientConfiguration.Version) async throws {
        // Whoever offers something says so in the clear (RFC 7301, section 3.1), with the length before each name.
        let server = try LoopbackServer(accepting: { connection in
            let hello = connection.receive() ?? []
            if hello.firstRange(of: [8] + Array("http/1.1".utf8)) != nil { connection.gates.open("HTTP/1.1 is offered") }
            #expect((hello.firstRange(of: [2] + Array("h2".utf8) + [8]) != nil) == (version == .http2))
            connection.close()
        }) { _, _ in }
        let client = try HTTPClient(configuration: HTTPClientConfiguration(version: version))
        #expect(await failureKind { _ = try await client.send(HTTPRequest(url: "https://127.0.0.1:\(server.port)/")) } == .tls)
        await server.gates.opened("HTTP/1.1 is offered")
    }

    @Test("Without TLS nobody is asked for HTTP/2")
    func plain() async throws {
        let server = try LoopbackServer { _, connection in connection.respond(body: "HTTP/1.1") }
        let client = try HTTPClient(configuration: HTTPClientConfiguration(version: .http2))
        #expect(try await text(client.send(HTTPRequest(url: server.url))) == "HTTP/1.1")
        #expect(server.requests.first?.header("upgrade") == nil)
    }
}
