import Foundation
import ParleyModels
import ParleyTestSupport
import Testing

@Suite("HTTP client: failures", .timeLimit(.minutes(5)))
struct HTTPClientFailureTests {
    @Test("A port to which nobody listens")
    func closedPort() async throws {
        let client = try HTTPClient()
        try await LoopbackServer.withClosedPort { port in
            let failure = await failure { _ = try await client.send(HTTPRequest(url: "http://127.0.0.1:\(port)/v1")) }
            #expect(failure?.kind == .connect)
            #expect(failure?.message == "no connection to 127.0.0.1:\(port): Connection refused")
        }
    }

    @Test("A name that can have no address")
    func resolve() async throws {
        // A label of more than 63 bytes is refused before anybody is asked (RFC 1035, section 2.3.4).
        let client = try HTTPClient()
        let failure = await failure { _ = try await client.send(HTTPRequest(url: "https://\(String(repeating: "a", count: 64)).invalid/")) }
        #expect(failure?.kind == .resolve)
    }

    @Test("A peer that speaks no TLS")
    func tls() async throws {
        let server = try LoopbackServer(accepting: { $0.send("HTTP/1.1 400 Bad Request\r\n\r\n") }, { _, _ in })
        let client = try HTTPClient()
        #expect(await failureKind { _ = try await client.send(HTTPRequest(url: "https://127.0.0.1:\(server.port)/")) } == .tls)
    }

    @Test(
        "A response that is cut is told from one that ended",
        arguments: [
            "", "HTTP/1.1 20", "HTTP/1.1 200 OK\r\nX-One: 1\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0",
        ],
        [false, true])
    func cut(response: String, byReset: Bool) async throws {
        let server = try LoopbackServer { _, connection in
            connection.send(response)
            if byReset {
                // With RST the peer loses what it has not read.
                if response.contains("\r\n\r\n") { connection.gates.wait("the header is in") }
                connection.reset()
            } else {
                connection.close()
            }
        }
        let client = try HTTPClient()
        let failure = await failure {
            let response = try await client.send(HTTPRequest(url: server.url))
            server.gates.open("the header is in")
            while let bytes = try await response.next() { #expect(!bytes.isEmpty) }
        }
        #expect(failure?.kind == .closed)
    }

    @Test("What came before a body was cut is handed over first")
    func partialBody() async throws {
        let server = try LoopbackServer { _, connection in
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
            connection.close()
        }
        let client = try HTTPClient()
        let response = try await client.send(HTTPRequest(url: server.url))
        var body: [UInt8] = []
        let failure = await failure {
            while let bytes = try await response.next() { body += bytes }
        }
        #expect(body == Array("12345".utf8))
        #expect(failure?.kind == .closed)
        #expect(await failureKind { _ = try await response.next() } == .closed)
    }

    @Test("What is no HTTP")
    func noHTTP() async throws {
        let server = try LoopbackServer { _, connection in
            connection.send("SSH-2.0-OpenSSH_9.2\r\n")
            connection.close()
        }
        let client = try HTTPClient()
        #expect(await failureKind { _ = try await client.send(HTTPRequest(url: server.url)) } == .other)
    }

    @Test(
        "A header is bounded",
        arguments: [
            (99, 100, false, false), (101, 100, false, true), (1, 9_900, false, false), (1, 10_000, false, true), (1, 200_000, false, true),
            (101, 100, true, true),
        ])
    func largeHeader(lines: Int, length: Int, inTrailer: Bool, isTooLarge: Bool) async throws {
        let fields = String(repeating: "X-A: \(String(repeating: "b", count: length - 7))\r\n", count: lines)
        let server = try LoopbackServer { _, connection in
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\(inTrailer ? "" : fields)\r\n")
            connection.send("5\r\nhello\r\n0\r\n\(inTrailer ? fields : "")\r\n")
        }
        let client = try HTTPClient()
        let request = HTTPRequest(url: server.url, maximumHeaderBytes: 10_000)
        let failure = await failure { _ = try await client.send(request).body(limit: 1000) }
        #expect(failure?.kind == (isTooLarge ? .tooLarge : nil))
    }

    @Test(
        "No answer within the time for the first byte", arguments: ["", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 OK\r\nX-One: 1\r\n"])
    func firstByteTimeout(beginning: String) async throws {
        let server = try LoopbackServer { _, connection in
            connection.send(beginning)
            connection.waitForPeer()
            connection.gates.open("the client has gone")
        }
        let client = try HTTPClient()
        let request = HTTPRequest(url: server.url, firstByteTimeout: .milliseconds(30))
        let failure = await failure { _ = try await client.send(request) }
        #expect(failure?.kind == .timeout(.firstByte))
        #expect(failure?.message == "127.0.0.1:\(server.port) did not begin to respond within 0.03 s")
        await server.gates.opened("the client has gone")
    }

    @Test("No byte within the idle time", arguments: ["", "data: one\n\n"])
    func idleTimeout(beginning: String) async throws {
        let server = try LoopbackServer { _, connection in
            // In one piece, so that the beginning cannot come too late.
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + beginning)
            connection.waitForPeer()
            connection.gates.open("the client has gone")
        }
        let client = try HTTPClient()
        let response = try await client.send(HTTPRequest(url: server.url, firstByteTimeout: .seconds(500), idleTimeout: .milliseconds(30)))
        var body: [UInt8] = []
        let failure = await failure {
            while let bytes = try await response.next() { body += bytes }
        }
        #expect(failure?.kind == .timeout(.idle))
        #expect(body == Array(beginning.utf8))
        await server.gates.opened("the client has gone")
    }

    @Test("A stream that brings any byte now and then is not idle")
    func busyStream() async throws {
        let server = try LoopbackServer { _, connection in
            connection.sendHead()
            for _ in 0..<60 {
                connection.sendChunk(":\n")
                connection.wait(atMost: 20)
            }
            connection.endChunks()
        }
        let client = try HTTPClient()
        let response = try await client.send(HTTPRequest(url: server.url, idleTimeout: .milliseconds(600)))
        #expect(try await text(response) == String(repeating: ":\n", count: 60))
    }

    @Test("A TLS handshake without an answer counts as connecting")
    func connectTimeout() async throws {
        // The server takes the handshake for the beginning of a request and waits for more.
        let server = try LoopbackServer { _, _ in }
        let client = try HTTPClient()
        let request = HTTPRequest(url: "https://127.0.0.1:\(server.port)/", connectTimeout: .milliseconds(30))
        #expect(await failureKind { _ = try await client.send(request) } == .timeout(.connect))
    }

    @Test(
        "A URL that may not be asked is refused without any traffic",
        arguments: [
            "", "/v1", "model.example/v1", "https://", "https://a b/", "https://host:99999/", "ftp://127.0.0.1/", "file:///etc/passwd",
            "http://192.0.2.1/", "http://model.example/", "http://127.0.0.1.example/", "http://localhost.example/", "http://128.0.0.1/",
            "http://[::2]/", "http://0.0.0.0/", "http://127.0.0.1@model.example/", "http://model.example#@127.0.0.1/",
            "https://host\0.example/",
            "http://127.0.0.1\\@model.example/",
        ])
    func badURL(url: String) async throws {
        let client = try HTTPClient()
        #expect(await failureKind { _ = try await client.send(HTTPRequest(url: url)) } == .badURL)
    }

    @Test("Plain HTTP goes to loopback by every name of it", arguments: ["127.0.0.1", "localhost", "127.1", "LOCALHOST"])
    func loopbackNames(host: String) async throws {
        let server = try LoopbackServer { _, connection in connection.respond(body: "here") }
        let client = try HTTPClient()
        #expect(try await text(client.send(HTTPRequest(url: "http://\(host):\(server.port)/"))) == "here")
    }

    @Test(
        "A method or header that would begin a line of its own is refused",
        arguments: [
            ("POST", "X-A", "b\r\nX-C: d"), ("POST", "X-A", "b\nX-C: d"), ("POST", "X-A\r\nX-C", "d"), ("POST", "X A", "b"),
            ("POST", "", "b"),
            ("POST", "X-A", "b\0"), ("POST / HTTP/1.1\r\nX-C: d\r\n", "X-A", "b"), ("", "X-A", "b"),
        ])
    func injection(method: String, name: String, value: String) async throws {
        let server = try LoopbackServer { _, connection in connection.respond() }
        let client = try HTTPClient()
        var headers = HTTPHeaders()
        headers.append(name: name, value: value)
        let request = HTTPRequest(method: method, url: server.url, headers: headers)
        #expect(await failureKind { _ = try await client.send(request) } == .other)
        #expect(server.connections.isEmpty)
    }

    @Test("No message holds a secret")
    func secrets() async throws {
        let server = try LoopbackServer { request, connection in
            if request.path.hasPrefix("/cut") {
                connection.send("HTTP/1.1 200 OK\r\nX-One: canary\r\nContent-Length: 10\r\n\r\ncanary")
                connection.close()
            } else {
                connection.waitForPeer()
            }
        }
        let client = try HTTPClient()
        let place = "canary:canary@127.0.0.1"
        try await LoopbackServer.withClosedPort { closed in
            let urls = [
                "http://\(place):\(closed)/canary?key=canary", "http://\(place):\(server.port)/cut?key=canary#canary",
                "http://\(place):\(server.port)/hang?key=canary", "https://\(place):\(server.port)/?key=canary",
                "http://canary:canary@192.0.2.1/?key=canary", "http://\(place):x/?key=canary", "https://canary:canary@/?key=canary",
            ]
            for url in urls {
                let request = HTTPRequest(
                    url: url, headers: ["X-Key": "canary"], body: Array("canary".utf8), connectTimeout: .milliseconds(50),
                    firstByteTimeout: .milliseconds(50))
                let failure = await failure { _ = try await client.send(request).body(limit: 100) }
                #expect(failure != nil, "\(url)")
                #expect(failure?.message.contains("canary") == false, "\(url)")
            }
        }
    }
}

/// The kind of an operation's failure, or nil if it does not fail.
func failureKind(_ operation: () async throws -> Void) async -> HTTPFailure.Kind? {
    await failure(operation)?.kind
}
