import ParleyModels
import ParleyTestSupport
import Testing

@Suite("HTTP client: lifetimes and bounds", .timeLimit(.minutes(5)))
struct HTTPClientLifetimeTests {
    /// A server that tells when it has been asked and when the client has gone, and sends a beginning meanwhile.
    private func silentServer(_ beginning: String = "") throws -> LoopbackServer {
        try LoopbackServer { _, connection in
            connection.send(beginning)
            connection.gates.open("asked")
            connection.waitForPeer()
            connection.gates.open("gone")
        }
    }

    private static let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    /// Runs an operation in a task, cancels that when the server has been asked, and returns how it failed.
    private func failureWhenCancelled(
        _ server: LoopbackServer, _ operation: @escaping @Sendable () async throws -> Void
    ) async -> HTTPFailure? {
        await withTaskGroup { group in
            group.addTask { await failure(operation) }
            await server.gates.opened("asked")
            group.cancelAll()
            return await group.next() ?? nil
        }
    }

    @Test("Cancelling the task before the header ends the transfer")
    func cancelSend() async throws {
        let server = try silentServer()
        let client = try HTTPClient()
        let failure = await failureWhenCancelled(server) { _ = try await client.send(HTTPRequest(url: server.url)) }
        #expect(failure?.kind == .cancelled)
        await server.gates.opened("gone")
    }

    @Test("Cancelling the task in the middle of the body ends the transfer")
    func cancelNext() async throws {
        let server = try silentServer(Self.head + "5\r\nhello\r\n")
        let client = try HTTPClient()
        let failure = await failureWhenCancelled(server) {
            let response = try await client.send(HTTPRequest(url: server.url))
            while let bytes = try await response.next() { #expect(bytes == Array("hello".utf8)) }
        }
        #expect(failure?.kind == .cancelled)
        await server.gates.opened("gone")
    }

    @Test("A task that was cancelled before asks nothing")
    func cancelledBefore() async throws {
        let server = try silentServer()
        let client = try HTTPClient()
        let kind = await withTaskGroup(of: HTTPFailure.Kind?.self) { group in
            group.cancelAll()
            group.addTask { await failureKind { _ = try await client.send(HTTPRequest(url: server.url)) } }
            return await group.next() ?? nil
        }
        #expect(kind == .cancelled)
        client.close()
        #expect(server.connections.isEmpty)
    }

    @Test("Cancelling the response ends the transfer, also for who waits")
    func cancelResponse() async throws {
        let server = try silentServer(Self.head)
        let client = try HTTPClient()
        let response = try await client.send(HTTPRequest(url: server.url))
        async let kind = failureKind { _ = try await response.next() }
        response.cancel()
        #expect(await kind == .cancelled)
        #expect(await failureKind { _ = try await response.next() } == .cancelled)
        await server.gates.opened("gone")
    }

    @Test("Dropping the response ends the transfer")
    func drop() async throws {
        let server = try silentServer(Self.head + "5\r\nhello\r\n")
        let client = try HTTPClient()
        _ = try await client.send(HTTPRequest(url: server.url))
        await server.gates.opened("gone")
    }

    @Test("A response that was read to its end may be dropped and cancelled without harm to its connection")
    func dropAtEnd() async throws {
        let server = try LoopbackServer { _, connection in connection.respond(body: "hello") }
        let client = try HTTPClient()
        for _ in 0..<10 {
            let response = try await client.send(HTTPRequest(url: server.url))
            #expect(try await text(response) == "hello")
            response.cancel()
            #expect(try await response.next() == nil)
        }
        #expect(server.connections.count == 1)
    }

    @Test("Many cancellations at every moment leave nothing behind")
    func cancelStorm() async throws {
        let server = try LoopbackServer { _, connection in
            connection.sendHead()
            for _ in 0..<20 { connection.sendChunk("data: x\n\n") }
            connection.endChunks()
        }
        let client = try HTTPClient()
        for round in 0..<50 {
            await withTaskGroup { group in
                for _ in 0..<8 {
                    group.addTask {
                        let failure = await failure {
                            let response = try await client.send(HTTPRequest(url: server.url))
                            while try await response.next() != nil {}
                        }
                        #expect(failure == nil || failure?.kind == .cancelled)
                    }
                }
                for _ in 0..<(round % 10) { await Task.yield() }
                group.cancelAll()
            }
        }
        #expect(try await text(client.send(HTTPRequest(url: server.url))).count == 180)
    }

    @Test("Closing the client ends what is running, and then everything is refused")
    func close() async throws {
        let server = try silentServer(Self.head)
        let silent = try silentServer()
        let client = try HTTPClient()
        let response = try await client.send(HTTPRequest(url: server.url))
        async let next = failureKind { _ = try await response.next() }
        async let send = failureKind { _ = try await client.send(HTTPRequest(url: silent.url)) }
        await silent.gates.opened("asked")
        client.close()
        client.close()
        #expect(await next == .cancelled)
        #expect(await send == .cancelled)
        await server.gates.opened("gone")
        await silent.gates.opened("gone")
        #expect(await failureKind { _ = try await client.send(HTTPRequest(url: server.url)) } == .cancelled)
    }

    @Test("Dropping the client ends what is running")
    func dropClient() async throws {
        let server = try silentServer(Self.head)
        var client: HTTPClient? = try HTTPClient()
        let response = try await client?.send(HTTPRequest(url: server.url))
        client = nil
        await server.gates.opened("gone")
        #expect(await failureKind { _ = try await response?.next() } == .cancelled)
    }

    @Test("Closing races with sending, and nobody waits for ever")
    func closeRaces() async throws {
        let server = try LoopbackServer { _, connection in connection.respond(body: "hello") }
        for round in 0..<50 {
            let client = try HTTPClient()
            await withTaskGroup { group in
                for _ in 0..<4 {
                    group.addTask {
                        let failure = await failure {
                            for _ in 0..<20 { _ = try await client.send(HTTPRequest(url: server.url)).body(limit: 100) }
                        }
                        #expect(failure == nil || failure?.kind == .cancelled)
                    }
                }
                for _ in 0..<round { await Task.yield() }
                client.close()
            }
        }
    }

    @Test("Only one task may read a response")
    func twoReaders() async throws {
        let server = try silentServer(Self.head)
        let client = try HTTPClient()
        let response = try await client.send(HTTPRequest(url: server.url))
        let kinds = await withTaskGroup { group in
            for _ in 0..<2 { group.addTask { await failureKind { _ = try await response.next() } } }
            let first = await group.next() ?? nil
            response.cancel()
            return [first, await group.next() ?? nil]
        }
        #expect(kinds == [.other, .cancelled])
    }

    @Test("A reader that stops holds up the server, and time does not run for it")
    func backpressure() async throws {
        let size = 64 << 20
        let server = try LoopbackServer { _, connection in
            let body = [UInt8](repeating: 0x78, count: size)
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
            let done = connection.sendUntilStuck(body, patience: 800)
            connection.gates.open("stuck")
            connection.gates.wait("go on")
            connection.send(body[done...])
        }
        let client = try HTTPClient()
        // The reader's own pause is longer than the idle time.
        let response = try await client.send(HTTPRequest(url: server.url, idleTimeout: .milliseconds(400)))
        var first = 0
        while first < 1 << 20 { first += try await response.next()?.count ?? size }
        await server.gates.opened("stuck")
        // The first part, the bounded buffer, and what Linux lets two sockets hold (10 MiB by default).
        #expect(server.connections[0].bytesSent < 16 << 20)
        server.gates.open("go on")
        let parts = try await response.next()?.count ?? 0
        #expect(parts <= 512 << 10)
        var total = first + parts
        while let bytes = try await response.next() { total += bytes.count }
        #expect(total == size)
    }

    @Test("One reader that stops does not hold up another")
    func noHeadOfLineBlocking() async throws {
        let server = try LoopbackServer { request, connection in
            if request.path == "/slow" {
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(64 << 20)\r\n\r\n")
                connection.send([UInt8](repeating: 0x78, count: 64 << 20)[...])
            } else {
                connection.respond(body: "hello")
            }
        }
        let client = try HTTPClient()
        let slow = try await client.send(HTTPRequest(url: server.url + "/slow"))
        for _ in 0..<100 { #expect(try await text(client.send(HTTPRequest(url: server.url))) == "hello") }
        slow.cancel()
    }
}
