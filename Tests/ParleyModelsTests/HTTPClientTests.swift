import Foundation
import ParleyModels
import ParleyTestSupport
import Testing

@Suite("HTTP client: exchanges", .timeLimit(.minutes(5)))
struct HTTPClientTests {
    @Test("The request arrives as it was made")
    func request() async throws {
        let server = try LoopbackServer { _, connection in connection.respond("201 Created", ["X-Request-Id": "r1"], body: "made") }
        let client = try HTTPClient()
        let headers: HTTPHeaders = ["Authorization": "Bearer k", "Content-Type": "application/json", "X-Empty": ""]
        let response = try await client.send(HTTPRequest(url: server.url + "/v1/chat?x=1", headers: headers, body: Array(#"{"a":1}"#.utf8)))
        #expect(response.status == 201)
        #expect(response.headers["x-request-ID"] == "r1")
        #expect(response.headers["absent"] == nil)
        #expect(try await text(response) == "made")
        let request = try #require(server.requests.first)
        #expect(request.method == "POST")
        #expect(request.path == "/v1/chat?x=1")
        #expect(request.body == Array(#"{"a":1}"#.utf8))
        #expect(request.header("authorization") == "Bearer k")
        #expect(request.header("content-type") == "application/json")
        #expect(request.header("x-empty") == "")
        #expect(request.header("accept-encoding") == "identity")
    }

    @Test("libcurl adds no Expect and no content type of its own, however large the body is")
    func addedHeaders() async throws {
        let server = try LoopbackServer { _, connection in connection.respond() }
        let client = try HTTPClient()
        let body = [UInt8](repeating: 0x61, count: 3 << 20)
        _ = try await client.send(HTTPRequest(url: server.url, body: body))
        let request = try #require(server.requests.first)
        #expect(Set(request.headers.map(\.name)) == ["host", "accept", "accept-encoding", "content-length"])
        #expect(request.body == body)
    }

    @Test(
        "Every method", arguments: [("GET", ""), ("POST", ""), ("PUT", "x"), ("PATCH", "x"), ("DELETE", ""), ("DELETE", "x"), ("HEAD", "")])
    func methods(method: String, body: String) async throws {
        let server = try LoopbackServer { request, connection in
            if request.method == "HEAD" {
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
            } else {
                connection.respond(body: "hello")
            }
        }
        let client = try HTTPClient()
        let response = try await client.send(HTTPRequest(method: method, url: server.url + "/p", body: Array(body.utf8)))
        #expect(try await text(response) == (method == "HEAD" ? "" : "hello"))
        let request = try #require(server.requests.first)
        #expect(request.method == method)
        #expect(request.body == Array(body.utf8))
    }

    @Test(
        "A response of any status comes with its body",
        arguments: ["401 Unauthorized", "429 Too Many Requests", "500 Internal Server Error", "529 Overloaded", "302 Found"])
    func statuses(status: String) async throws {
        let server = try LoopbackServer { _, connection in
            connection.respond(status, ["Retry-After": "7", "Location": "/elsewhere"], body: #"{"error":"no"}"#)
        }
        let client = try HTTPClient()
        let response = try await client.send(HTTPRequest(url: server.url))
        #expect(response.status == Int(status.prefix(3)))
        #expect(response.headers["retry-after"] == "7")
        #expect(try await response.body(limit: 1 << 16) == Array(#"{"error":"no"}"#.utf8))
        #expect(server.requests.count == 1)
    }

    @Test("A long error body is cut at the limit", arguments: [0, 1, 4, 14, 15])
    func bodyLimit(limit: Int) async throws {
        let server = try LoopbackServer { _, connection in connection.respond("400 Bad Request", body: #"{"error":"no"}"#) }
        let client = try HTTPClient()
        let body = try await client.send(HTTPRequest(url: server.url)).body(limit: limit)
        #expect(body == Array(#"{"error":"no"}"#.utf8.prefix(limit)))
    }

    @Test("A body may be framed in every way of HTTP/1.1, and be cut anywhere", arguments: Framing.allCases, [1, 7, 1 << 20])
    func framings(framing: Framing, step: Int) async throws {
        let server = try LoopbackServer { _, connection in
            let bytes = Array(framing.response("data: hello\n\ndata: world\n\n").utf8)
            for start in stride(from: 0, to: bytes.count, by: step) { connection.send(bytes[start..<min(start + step, bytes.count)]) }
            if framing == .close { connection.close() }
        }
        let client = try HTTPClient()
        let response = try await client.send(HTTPRequest(url: server.url))
        #expect(response.status == 200)
        #expect(response.headers["x-one"] == "1")
        #expect(try await text(response) == "data: hello\n\ndata: world\n\n")
        #expect(try await response.next() == nil)
    }

    @Test("The header and each part of the body are handed over when they come")
    func streaming() async throws {
        let server = try LoopbackServer { _, connection in
            connection.sendHead(["Content-Type": "text/event-stream"])
            for number in 0..<5 {
                connection.gates.wait("part \(number)")
                connection.sendChunk("data: \(number)\n\n")
            }
            connection.gates.wait("end")
            connection.endChunks()
        }
        let client = try HTTPClient()
        let response = try await client.send(HTTPRequest(url: server.url))
        for number in 0..<5 {
            server.gates.open("part \(number)")
            #expect(try await response.next() == Array("data: \(number)\n\n".utf8))
        }
        server.gates.open("end")
        #expect(try await response.next() == nil)
    }

    @Test("Requests beyond the number of connections wait for one")
    func maximumConnections() async throws {
        let server = try LoopbackServer { request, connection in connection.respond(body: request.path) }
        let client = try HTTPClient(configuration: HTTPClientConfiguration(maximumConnections: 2))
        try await withThrowingTaskGroup { group in
            for number in 0..<40 {
                group.addTask { try await text(client.send(HTTPRequest(url: server.url + "/\(number)"))) == "/\(number)" }
            }
            for try await isRight in group { #expect(isRight) }
        }
        #expect(server.connections.count == 2)
    }

    @Test("A child process does not inherit the connections")
    func closeOnExec() async throws {
        let server = try LoopbackServer { _, connection in
            connection.sendHead()
            connection.waitForPeer()
        }
        let client = try HTTPClient()
        let response = try await client.send(HTTPRequest(url: server.url))
        // A server that nobody needs any more closes its connections, and so ends ours.
        withExtendedLifetime(server) {
            let ours = descriptors(connectedTo: server.port)
            #expect(ours.count == 1)
            for descriptor in ours { #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0) }
        }
        response.cancel()
    }
}

/// The ways in which a response says where its body ends, each with something else that a client has to bear.
enum Framing: CaseIterable, Sendable {
    case length, chunks, close, informational, trailers

    func response(_ body: String) -> String {
        let start = "HTTP/1.1 200 OK\r\nX-One: 1\r\n"
        switch self {
        case .length:
            return start + "Content-Length: \(body.utf8.count)\r\n\r\n" + body
        case .chunks:
            let chunks = body.map { "1;extension=x\r\n\($0)\r\n" }.joined()
            return start + "Transfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n"
        case .close:
            return "HTTP/1.0 200 OK\r\nX-One: 1\r\n\r\n" + body
        case .informational:
            let hints = "HTTP/1.1 103 Early Hints\r\nX-One: 0\r\n\r\n"
            return "HTTP/1.1 100 Continue\r\n\r\n" + hints + Framing.length.response(body)
        case .trailers:
            let chunk = "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n"
            return start + "Transfer-Encoding: chunked\r\n\r\n" + chunk + "0\r\nX-Two: 2\r\nX-Three: 3\r\n\r\n"
        }
    }
}

/// The whole body of a response.
func text(_ response: HTTPResponse) async throws -> String {
    String(decoding: try await response.body(limit: .max), as: UTF8.self)
}

/// How an operation fails, or nil if it does not.
func failure(_ operation: () async throws -> Void) async -> HTTPFailure? {
    do {
        try await operation()
        return nil
    } catch let failure as HTTPFailure {
        return failure
    } catch {
        Issue.record(error)
        return nil
    }
}

/// The descriptors of this process that are connected to a port.
private func descriptors(connectedTo port: UInt16) -> [Int32] {
    // Of as many as there may be: tests that run beside this one have some thousands open.
    (0..<Int32(clamping: sysconf(Int32(_SC_OPEN_MAX)))).filter { descriptor in
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &length) }
        }
        return code == 0 && address.sin_family == AF_INET && UInt16(bigEndian: address.sin_port) == port
    }
}
