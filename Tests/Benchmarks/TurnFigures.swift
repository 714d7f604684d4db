import BenchmarkFloors
import Foundation

/// What a turn takes whose model answers at once, one turn at a time.
enum TurnFigures {
    private static let tokens = 20

    /// How many conversations take turns in a run, twice each, and how many runs there are beside the first, which warms up everybody.
    private static let (conversations, runs) = (200, 5)

    /// How long the first token takes beyond what it takes a client that asks the same server itself over a connection that it keeps, and how
    /// long the whole turn takes, from the message to the answer of its request.
    ///
    /// The floor does in C, in one thread, what a turn needs that is there after a crash, with the statements that the host has run in as many
    /// turns before: see `Turn.c` in `Tests/BenchmarkFloors/Programs`. The client in C, which only reads the server's answer, the floor and the
    /// host are asked in turn, and what is subtracted of both is the client's median of the run.
    static func first(_ place: Workplace) throws -> [Figure] {
        let upstream = try Upstream(place)
        try place.makeEmptyDatabase()
        let command = place.serve("turns.db", try upstream.flags("each", tokens))
        let floor = try floor(place, upstream, command)
        try place.copy("empty.db", to: "turns.db")
        let host = try Host(command)
        let ids = try host.conversations(conversations)
        let connection = floor_connect(upstream.port)
        guard connection >= 0 else { throw Wrong("the upstream is gone") }
        defer { close(connection) }
        var (firsts, wholes, floorFirsts, floorWholes, directs) = ([Run](), [Run](), [Run](), [Run](), [Double]())
        for run in 0...runs {
            var (hosts, floors, direct) = (Times(), Times(), Times())
            for id in ids + ids {
                hosts.append(try turn(host.child, conversation: id))
                floors.append(try turn(floor, conversation: id))
                let answer = floor_ask(connection, Upstream.path("each", tokens), Upstream.body)
                guard answer.tokens == tokens else { throw Wrong("the upstream has given \(answer.tokens) tokens") }
                direct.append((answer.first * 1e3, answer.whole * 1e3))
            }
            // The first run warms up all of them.
            guard run > 0 else { continue }
            let own = Statistics.median(direct.firsts)
            firsts.append(Run(samples: hosts.firsts.map { $0 - own }))
            floorFirsts.append(Run(samples: floors.firsts.map { $0 - own }))
            wholes.append(Run(samples: hosts.wholes))
            floorWholes.append(Run(samples: floors.wholes))
            directs.append(Statistics.median(direct.wholes))
        }
        try host.child.finish()
        try floor.finish()
        let name = "the same in C, one thread"
        let client = "a client in C that asks the server itself takes \(Statistics.text(Statistics.median(directs))) ms"
        return [
            Figure(
                title: "first token, added to the upstream's", name: "first-token", unit: "ms", targets: [.atMost(0.5), .p99AtMost(2)],
                runs: firsts, floor: .init(name: name, runs: floorFirsts), remarks: [p99(floorFirsts)]),
            Figure(
                title: "turn of 20 tokens, whole", name: "turn", unit: "ms", targets: [.atMost(1)], runs: wholes,
                floor: .init(name: name, runs: floorWholes), remarks: [p99(floorWholes), client]),
        ]
    }

    /// What turns took, in milliseconds.
    private struct Times {
        var (firsts, wholes) = ([Double](), [Double]())

        mutating func append(_ time: (first: Double, whole: Double)) {
            firsts.append(time.first)
            wholes.append(time.whole)
        }
    }

    private static func p99(_ floors: [Run]) -> String {
        "the floor's p99 is \(Statistics.text(Statistics.median(floors.compactMap(\.p99)))) ms"
    }

    /// Starts the floor, with the statements of a host that has taken as many turns.
    private static func floor(_ place: Workplace, _ upstream: Upstream, _ command: [String]) throws -> Child {
        let recording = try Recording(place, command, database: "turns.db") { host in
            try host.conversations(conversations)
        } take: { host, ids in
            for _ in 0...runs { for id in ids + ids { _ = try turn(host.child, conversation: id) } }
            return (runs + 1) * 2 * ids.count
        }
        let program = "\(place.folder)/turn"
        try Workplace.compile("Turn.c", with: ["Replay.c", "System.c"], to: program, ["-lcurl", "-lsqlite3"])
        try place.copy("empty.db", to: "turns-again.db")
        let url = "http://127.0.0.1:\(upstream.port)\(Upstream.path("each", tokens))"
        return try Child([
            program, url, Upstream.body, recording.file, "\(recording.from)", "\(recording.to)", "\(place.folder)/turns-again.db",
        ])
    }

    /// - Returns: milliseconds to the first token, and to the answer.
    private static func turn(_ child: Child, conversation: String) throws -> (first: Double, whole: Double) {
        var reader = TokenReader(streams: 1)
        var first = 0.0
        let start = floor_now()
        try child.write(
            #"{"jsonrpc":"2.0","id":0,"method":"sendMessage","params":{"conversationId":"\#(conversation)","text":"Begin."}}"# + "\n")
        try child.lines { line in
            reader.take(line)
            if reader.received > 0, first == 0 { first = floor_now() - start }
            return line.answeredRequest == 0
        }
        let whole = floor_now() - start
        try reader.require(tokens)
        return (first * 1e3, whole * 1e3)
    }

    /// From the request to cancel a turn whose model has begun and says nothing more to the notification that it has ended.
    static func cancel(_ place: Workplace) throws -> [Figure] {
        let upstream = try Upstream(place)
        let host = try Host(place.serve("cancel.db", try upstream.flags("hang", 1)))
        let conversations = try host.conversations(50)
        var runs: [Run] = []
        for _ in 0..<5 {
            runs.append(Run(samples: try conversations.map { try milliseconds(host.child, conversation: $0) }))
        }
        try host.child.finish()
        return [Figure(title: "cancel to turnCompleted", name: "cancel", unit: "ms", targets: [.atMost(5)], runs: runs)]
    }

    private static func milliseconds(_ child: Child, conversation: String) throws -> Double {
        try child.write(
            #"{"jsonrpc":"2.0","id":1,"method":"sendMessage","params":{"conversationId":"\#(conversation)","text":"Begin."}}"# + "\n")
        var turn: String?
        try child.lines { line in
            guard line.contains(#""method":"messageDelta""#) else { return false }
            turn = line.text(after: #""turnId":""#)
            return true
        }
        guard let turn else { throw Wrong("a delta without its turn") }
        let start = floor_now()
        try child.write(#"{"jsonrpc":"2.0","id":2,"method":"cancelTurn","params":{"turnId":"\#(turn)"}}"# + "\n")
        var time = 0.0
        var answers = 0
        try child.lines { line in
            if line.contains(#""method":"turnCompleted""#) {
                time = floor_now() - start
                guard line.contains(#""status":"cancelled""#) else { throw Wrong("not cancelled: \(line.text)") }
            }
            if line.answeredRequest != nil { answers += 1 }
            return answers == 2
        }
        guard time > 0 else { throw Wrong("a turn that was cancelled has no end") }
        return time * 1e3
    }
}
