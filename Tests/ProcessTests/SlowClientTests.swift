import Foundation
import JSON
import ParleyCore
import ParleyTestSupport
import Testing

/// A client that stops reading in the middle of an answer: the model's server is no longer read either, and nothing is lost.
@Suite("Slow clients", .timeLimit(.minutes(5)))
struct SlowClientTests {
    /// What becomes of the client.
    enum Fate: CaseIterable {
        /// It reads on, having said that it will ask no more.
        case readsOn
        case dies
        /// It never reads on, and the process is told to end.
        case outlives
    }

    /// The answer: of how many pieces, how long each is, and how much beside them comes from the server.
    private static let (pieces, length, padding) = (3_000, 500, 10_000)
    /// How much more memory than before the first request a host has for one turn that nobody reads, in bytes.
    private static let turnBytes = 16 << 20

    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private static func isReasoning(_ number: Int) -> Bool { number / 100 % 3 == 1 }

    private static func text(_ number: Int) -> String { "\(number) 🙂" + String(repeating: "x", count: length) }

    /// The body of the server's answer in chunks.
    private static func body() -> [UInt8] {
        var bytes: [UInt8] = []
        let comment = ": " + String(repeating: ".", count: padding) + "\n\n"
        for number in 0...pieces {
            let choice =
                number == pieces
                ? #"{"delta":{},"finish_reason":"stop"}"#
                : #"{"delta":{"\#(isReasoning(number) ? "reasoning_content" : "content")":"\#(text(number))"}}"#
            let event = comment + #"data: {"choices":[\#(choice)]}"# + "\n\n"
            bytes += "\(String(event.utf8.count, radix: 16))\r\n\(event)\r\n".utf8
        }
        return bytes + "0\r\n\r\n".utf8
    }

    private func serve(_ url: String) throws -> [String] {
        let settings = try folder.write(
            #"{"model":"test:m","providers":{"test":{"kind":"openai","baseURL":"\#(url)/v1","models":{"m":{}}}}}"#, to: "settings.json")
        return ["--database", folder.file("parley.db"), "--caller", "userId:ada", "--config", settings, "--set", "shutdown.graceSeconds=0"]
    }

    @Test("the server is held up, and the client has lost nothing", arguments: Fate.allCases)
    func stops(fate: Fate) async throws {
        let body = Self.body()
        let sent = Locked(0)
        let server = try LoopbackServer { _, connection in
            connection.sendHead(["Content-Type": "text/event-stream"])
            var done = 0
            while true {
                let count = connection.sendUntilStuck(Array(body[done...]), patience: 300)
                done += count
                if count == 0 { break }
            }
            sent.withLock { $0 = done }
            connection.gates.open("stuck")
            connection.gates.wait("go on")
            connection.send(body[done...])
            connection.waitForPeer()
        }
        let turn = Locked((id: JSONValue.null, conversation: JSONValue.null, held: HeldTurn()))
        let code = try await UnreadHost.run(try serve(server.url)) { host in
            #expect(try host.call("ping")["result"] == [:])
            let idle = try host.peakMemory()
            let request = host.send("sendMessage", ["text": "Hello"])
            var events: [JSONValue] = []
            try host.readLines { line in
                events.append(try line.value())
                return line.isEvent("turnStarted")
            }
            let begun = try #require(events.last?["params"])
            for _ in 0..<20 { #expect(host.readByte()) }
            server.gates.wait("stuck")
            try host.waitUntilAtRest()
            let bytes = sent.withLock { $0 }
            var peak = try host.peakMemory()
            #expect(bytes < body.count / 2, "the server has got rid of \(bytes >> 10) of \(body.count >> 10) KiB")
            #expect(peak <= idle + Self.turnBytes || ChildProcess.isSanitized, "\(peak >> 20) MiB, and \(idle >> 20) MiB before")

            switch fate {
            case .readsOn: host.endInput()
            case .dies: host.breakOutput()
            case .outlives: host.signal(SIGTERM)
            }
            var held = HeldTurn()
            if fate == .readsOn {
                server.gates.open("go on")
                try host.readLines { line in
                    events.append(try line.value())
                    // Most of the reply is still to come, which says the same: until it is read, the host lives.
                    if line.isEvent("turnCompleted") { peak = try host.peakMemory() }
                    return line.answeredID == request
                }
                for event in events where event["method"] != nil { try held.take(event) }
                #expect(events.last?["result"]?["turn"]?["status"] == "completed")
                #expect(peak <= idle + 2 * Self.turnBytes || ChildProcess.isSanitized, "\(peak >> 20) MiB, and \(idle >> 20) MiB before")
            }
            turn.withLock { $0 = (begun["turnId"] ?? .null, begun["conversationId"] ?? .null, held) }
            // Nobody reads: it must end nevertheless.
            if fate != .readsOn { host.waitForTheEnd() }
        }
        #expect(code == 0)

        let (id, conversation, held) = turn.withLock { $0 }
        let next = try ParleyProcess(["serve"] + serve(server.url))
        let found = try await next.call("getTurn", ["turnId": id])["result"]
        #expect(found?["turn"]?["status"] == (fate == .readsOn ? "completed" : "interrupted"))
        let page = try await next.call("listMessages", ["conversationId": conversation, "includeReasoning": true])["result"]
        let stored = HeldTurn.contents(of: page?["data"]?.arrayValue ?? []).messages
        let whole = (0..<Self.pieces).map(Self.text).joined()
        let runs = try #require(stored.values.first)
        if fate == .readsOn {
            #expect(held.counts.joined > 0 && held.counts.snapshots == 0)
            #expect(held.messages == stored)
            #expect(runs.map(\.text).joined() == whole)
        } else {
            #expect(whole.hasPrefix(runs.map(\.text).joined()) && !runs.isEmpty)
        }
        next.endInput()
        #expect(await next.exitCode() == 0)
    }
}
