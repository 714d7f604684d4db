import BenchmarkFloors
import Foundation

/// How many tokens pass through a host that a model's server sends as fast as it can, many in one write.
///
/// A token is an event of the server's; how many of them the host puts into one notification is its own affair. That all have come, in the
/// notifications and in the message as it was stored, is looked at while they come.
enum RelayFigures {
    static func relay(_ place: Workplace) throws -> [Figure] {
        let upstream = try Upstream(place)
        return [
            try figure(place, upstream, streams: 1, tokens: 200_000), try figure(place, upstream, streams: 100, tokens: 20_000),
        ]
    }

    private static func figure(_ place: Workplace, _ upstream: Upstream, streams: Int, tokens: Int) throws -> Figure {
        let host = try Host(place.serve("relay-\(streams).db", try upstream.flags("batch", tokens)))
        var (runs, floors) = ([Run](), [Run]())
        var (notifications, shares) = ([Double](), [Double]())
        for run in 0..<4 {
            var reader = TokenReader(streams: streams)
            let (start, own) = (floor_now(), clock())
            for number in 0..<streams {
                try host.child.write(#"{"jsonrpc":"2.0","id":\#(number),"method":"sendMessage","params":{"text":"Begin."}}"# + "\n")
            }
            var answered = 0
            var (seconds, share) = (0.0, 0.0)
            try host.child.lines { line in
                reader.take(line)
                if reader.ended == streams, seconds == 0 {
                    seconds = floor_now() - start
                    share = Double(clock() - own) / Double(CLOCKS_PER_SEC) / seconds
                }
                if line.answeredRequest != nil { answered += 1 }
                return answered == streams
            }
            try reader.require(tokens)
            var direct = 0.0
            guard floor_relay(upstream.port, Upstream.path("batch", tokens), Upstream.body, Int32(streams), &direct) == streams * tokens
            else { throw Wrong("the upstream has lost tokens") }
            // The first run warms up both.
            guard run > 0 else { continue }
            runs.append(Run(Double(streams * tokens) / seconds))
            floors.append(Run(Double(streams * tokens) / direct))
            shares.append(share * 100)
            notifications.append(Double(streams * tokens) / Double(reader.notifications))
        }
        try host.child.finish()
        let name = streams == 1 ? "one stream" : "\(streams) streams"
        return Figure(
            title: "tokens relayed, \(name)", name: "relay-\(streams)", unit: "/s", targets: [.atLeast(500_000)], runs: runs,
            floor: .init(name: "client in C", runs: floors),
            remarks: [
                "\(tokens) tokens a stream, none lost; \(Statistics.text(Statistics.median(notifications))) tokens in a notification; the"
                    + " benchmark itself took \(Statistics.text(Statistics.median(shares)))% of a core"
            ])
    }
}
