import ParleyCore
import ParleyModels
import ParleyTestSupport
import Testing

/// Many answers at once through one client, some of which stand still.
@Suite(.timeLimit(.minutes(5)))
struct ManyStreamsTests {
    private static func event(_ text: String) -> String {
        "data: {\"choices\":[{\"delta\":{\"content\":\"\(text)\"}}]}\n\n"
    }

    @Test("Neither a reader that stops nor a server that falls silent delays two hundred others")
    func nobodyWaitsForAnother() async throws {
        let server = try LoopbackServer { request, connection in
            connection.sendHead(["Content-Type": "text/event-stream"])
            if request.contains("flood") {
                // Far more than fits between the two: the server is held up here until its reader has gone.
                let flood = String(repeating: Self.event(String(repeating: "x", count: 4_000)), count: 250)
                while connection.sendChunk(flood) {}
                connection.gates.open("the flood has ended")
            } else if request.contains("silence") {
                connection.sendChunk(Self.event("One word"))
                connection.waitForPeer()
                connection.gates.open("the silence has ended")
            } else {
                for number in 0..<25 { connection.sendChunk(Self.event("\(number) ")) }
                connection.gates.wait("all have begun")
                for number in 25..<50 { connection.sendChunk(Self.event("\(number) ")) }
                connection.sendChunk("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
                connection.endChunks()
            }
        }
        let (provider, client) = try OpenAIFixtureTests.provider(server)
        defer { client.close() }
        var flooded = try await provider.stream(.conversation(model: "m", "flood"))
        #expect(try await flooded.next()?.isEmpty == false)
        var silent = try await provider.stream(.conversation(model: "m", "silence"))
        #expect(try await silent.next() == [.textDelta("One word")])

        let expected = (0..<50).map { "\($0) " }.joined()
        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    var stream = try await provider.stream(.conversation(model: "m", "Hello"))
                    if server.requests.count == 202 { server.gates.open("all have begun") }
                    var text = ""
                    while let events = try await stream.next() {
                        for case .textDelta(let delta) in events { text += delta }
                    }
                    return text
                }
            }
            for try await text in group { #expect(text == expected) }
        }
        #expect(server.connections.count == 202)
        #expect(server.connections[0].bytesSent < 64 << 20, "the flood is held up")
        // The two are still there, and end with whoever asked for them.
        client.close()
        await server.gates.opened("the flood has ended")
        await server.gates.opened("the silence has ended")
    }
}

extension LoopbackRequest {
    fileprivate func contains(_ word: String) -> Bool {
        String(decoding: body, as: UTF8.self).contains(word)
    }
}
