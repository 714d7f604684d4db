import JSON
import ParleyTestSupport
import Testing

/// Whoever attaches to a turn holds in the end what is stored, however often it is cut off and however slowly it reads.
@Suite("Attaching to turns", .timeLimit(.minutes(5))) struct AttachTests {
    /// Somebody who follows a turn, by one request after another.
    private struct Follower {
        var held = HeldTurn()
        /// The request that it follows the turn by; nil while it does not.
        var request: Int?
    }

    /// The people who follow a turn over one connection, and what chance makes them do.
    private struct Crowd {
        let client: TestClient
        var chance: SeededGenerator
        var followers = Array(repeating: Follower(), count: 4)
        private var lastRequest = 100

        init(client: TestClient, seed: UInt64) {
            self.client = client
            chance = SeededGenerator(seed: seed)
        }

        func send(_ message: JSONValue) { client.send(JSONWriter.encode(message) + [UInt8(ascii: "\n")]) }

        mutating func attach(_ index: Int, takingAll: Bool = false) {
            lastRequest += 1
            followers[index].request = lastRequest
            // Some take only so much at a time.
            let most = takingAll ? .max : Int64.random(in: 1...6_000, using: &chance)
            send([
                "jsonrpc": "2.0", "id": .integer(Int64(lastRequest)), "method": "attachTurn",
                "params": [
                    "turnId": "turn-1", "afterSeq": .integer(Int64(followers[index].held.sequence)),
                    "maxBytes": most < 2_000 ? .integer(most) : .null,
                ],
            ])
        }

        /// Lets one do something, or time pass.
        mutating func act() {
            let index = Int.random(in: 0..<followers.count, using: &chance)
            switch (Int.random(in: 0..<8, using: &chance), followers[index].request) {
            case (0...1, nil): attach(index)
            case (0, let request?):
                // What still comes of it is lost.
                followers[index].request = nil
                send(["jsonrpc": "2.0", "method": "$/cancelRequest", "params": ["id": .integer(Int64(request))]])
            default:
                let time = Int64.random(in: 0...60, using: &chance)
                send(["jsonrpc": "2.0", "method": "$/advanceClock", "params": ["ms": .integer(time)]])
            }
        }

        /// Reads all that has been sent.
        mutating func read() throws {
            for line in try client.linesUntilRest() {
                let message = try JSONReader.parse(line)
                let asked = message["params"]?["requestId"]?.intValue ?? message["id"]?.intValue
                guard let index = followers.firstIndex(where: { $0.request != nil && $0.request == asked }) else { continue }
                if message["method"] != nil {
                    try followers[index].held.take(message)
                } else {
                    let result = message["result"]
                    if result?["more"] == true {
                        #expect(result?["turn"]?["id"] == "turn-1" && result?["message"] == nil)
                    } else {
                        #expect(result?["turn"] != nil && result?["turn"] == followers[index].held.ended)
                    }
                    followers[index].request = nil
                }
            }
        }
    }

    /// - Returns: how many snapshots there were, and how many deltas were joined.
    @discardableResult
    private static func follow(seed: UInt64, longest: Int) async throws -> (snapshots: Int, joined: Int) {
        let folder = try TemporaryFolder()
        var chance = SeededGenerator(seed: seed)
        let script = try folder.write(
            HeldTurn.script(steps: 3, pieces: 5...40, longest: longest, delays: 0...30, using: &chance), to: "turn.jsonl")
        return try await TestHost.inProcess(
            ["--deterministic", "--log-level", "critical", "--caller", "userId:ada", "--model", "scripted:\(script)"]
        ) { client in
            var crowd = Crowd(client: client, seed: seed &+ 1_000)
            crowd.send([
                "jsonrpc": "2.0", "id": 1, "method": "sendMessage",
                "params": ["text": "Go.", "wait": false, "stream": .bool(Bool.random(using: &crowd.chance))],
            ])
            for _ in 0..<60 where crowd.followers.contains(where: { $0.held.ended == nil }) {
                // The fewer of these there are, the slower the client reads.
                for _ in 0..<Int.random(in: 1...8, using: &crowd.chance) { crowd.act() }
                try crowd.read()
            }
            crowd.send(["jsonrpc": "2.0", "method": "$/advanceClock", "params": ["ms": 60_000]])
            try crowd.read()
            // Also who was away at the end; one attaches for nothing but the end.
            for index in crowd.followers.indices where index == 0 || crowd.followers[index].held.ended == nil {
                crowd.attach(index, takingAll: true)
            }
            try crowd.read()
            let page = try client.result(
                of: "listMessages", ["conversationId": "conversation-1", "includeReasoning": true, "limit": 200])
            let stored = HeldTurn.contents(of: page["data"]?.arrayValue ?? [])
            #expect(!stored.messages.isEmpty && !stored.toolResults.isEmpty)
            for follower in crowd.followers {
                #expect(follower.held.ended?["status"] == "completed")
                #expect(follower.held.messages == stored.messages)
                #expect(follower.held.toolResults == stored.toolResults)
            }
            return crowd.followers.reduce((0, 0)) { ($0.0 + $1.held.counts.snapshots, $0.1 + $1.held.counts.joined) }
        }
    }

    @Test("cut off and attached again by chance, all hold what is stored", arguments: 0..<30 as Range<UInt64>)
    func cuts(seed: UInt64) async throws {
        do {
            try await Self.follow(seed: seed, longest: 8)
        } catch {
            Issue.record("seed \(seed): \(error)")
        }
    }

    /// Long pieces fill the connection, so that frames wait, are joined and are cut.
    @Test("however slowly they read, all hold what is stored", arguments: 100..<108 as Range<UInt64>)
    func slowness(seed: UInt64) async throws {
        do {
            let counts = try await Self.follow(seed: seed, longest: 1_500)
            #expect(counts.joined > 0, "seed \(seed)")
        } catch {
            Issue.record("seed \(seed): \(error)")
        }
    }
}
