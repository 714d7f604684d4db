import BenchmarkFloors
import Foundation

/// What a turn takes whose model answers at once, one turn at a time.
enum TurnFigures {
    private static let tokens = 20

    /// How long the first token takes beyond what it takes a client that asks the same server itself over a connection that it keeps, and how
    /// long the whole turn takes, from the message to the answer of its request.
    ///
    /// The client in C and the host are asked in turn, and what is subtracted is the client's median of the run. `curl`, which connects anew for
    /// each request, would make the host look better than it is: what it takes is only shown.
    static func first(_ place: Workplace) throws -> [Figure] {
        let upstream = try Upstream(place)
        let host = try Host(place.serve("turns.db", try upstream.flags("each", tokens)))
        let conversations = try host.conversations(200)
        let connection = floor_connect(upstream.port)
        guard connection >= 0 else { throw Wrong("the upstream is gone") }
        defer { close(connection) }
        var (firsts, wholes, directFirsts, directWholes) = ([Run](), [Run](), [Run](), [Run]())
        for run in 0..<6 {
            var (first, whole, directFirst, directWhole) = ([Double](), [Double](), [Double](), [Double]())
            for id in conversations + conversations {
                let turn = try turn(host.child, conversation: id)
                first.append(turn.first)
                whole.append(turn.whole)
                let direct = floor_ask(connection, Upstream.path("each", tokens), Upstream.body)
                guard direct.tokens == tokens else { throw Wrong("the upstream has given \(direct.tokens) tokens") }
                directFirst.append(direct.first * 1e3)
                directWhole.append(direct.whole * 1e3)
            }
            // The first run warms up both.
            guard run > 0 else { continue }
            let own = Statistics.median(directFirst)
            firsts.append(Run(samples: first.map { $0 - own }))
            wholes.append(Run(samples: whole))
            directFirsts.append(Run(samples: directFirst))
            directWholes.append(Run(samples: directWhole))
        }
        try host.child.finish()
        return [
            Figure(
                title: "first token, added to the upstream's", name: "first-token", unit: "ms", targets: [.atMost(0.5), .p99AtMost(2)],
                runs: firsts, floor: .init(name: "client in C, subtracted", runs: directFirsts)),
            Figure(
                title: "turn of 20 tokens, whole", name: "turn", unit: "ms", targets: [.atMost(1)], runs: wholes,
                floor: .init(name: "client in C", runs: directWholes)),
        ]
    }

    /// What `curl` takes for the same answer, without its start.
    private static func curl(_ place: Workplace, _ upstream: Upstream) throws -> String {
        let url = "http://127.0.0.1:\(upstream.port)\(Upstream.path("each", tokens))"
        let times = try (0..<20).map { _ in
            let child = try Child(["curl", "-s", "-o", "/dev/null", "-w", "%{time_total}\n", "-d", Upstream.body, url])
            var seconds = 0.0
            try child.lines {
                seconds = Double($0.text) ?? .nan
                return true
            }
            return seconds * 1e3
        }
        return "curl takes \(Statistics.text(Statistics.median(times))) ms for the same answer, connecting anew"
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
