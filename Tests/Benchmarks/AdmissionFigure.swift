import BenchmarkFloors
import Foundation

/// What it costs to accept a message with few and with very many turns inside the windows that it counts against.
///
/// Both databases are served by the same binary at the same time and asked in turn, so that whatever else the machine does falls on both.
enum AdmissionFigure {
    private static let conversations = 200

    static func admission(_ place: Workplace) throws -> [Figure] {
        let windows = ["--set", "quotas.user.turns.limit=100000000", "--set", "quotas.user.turns.windowSeconds=18000"]
        let hosts = try [1_000, 1_000_000].map { turns in
            let command = place.serve("admission-\(turns).db", try place.scripted() + windows)
            let host = try Host(command)
            let ids = try host.conversations(conversations)
            try host.child.finish()
            Workplace.progress("  filling a database with \(turns) turns")
            let database = "\(place.folder)/admission-\(turns).db"
            try Filling.fill(database, conversations: .new, count: turns / 100, turnsEach: 100)
            try Filling.index(place, database)
            return (child: try Host(command).child, ids: ids)
        }
        var runs: [[Run]] = [[], []]
        for run in 0..<6 {
            var times: [[Double]] = [[], []]
            for number in 0..<500 {
                for (index, host) in hosts.enumerated() {
                    times[index].append(try microseconds(host.child, host.ids[number % host.ids.count]))
                }
            }
            // The first run warms up both.
            guard run > 0 else { continue }
            for index in hosts.indices { runs[index].append(Run(samples: times[index])) }
        }
        for host in hosts { try host.child.finish() }
        return [
            Figure(
                title: "a message accepted, with 1,000,000 turns in its windows", name: "admission", unit: "µs",
                targets: [.timesFloorAtMost(1.3)], runs: runs[1], floor: .init(name: "with 1,000", runs: runs[0]))
        ]
    }

    private static func microseconds(_ child: Child, _ conversation: String) throws -> Double {
        let params = #"{"conversationId":"\#(conversation)","text":"Hello?","wait":false,"stream":false}"#
        let start = floor_now()
        try child.write(#"{"jsonrpc":"2.0","id":1,"method":"sendMessage","params":\#(params)}"# + "\n")
        var time = 0.0
        // The acceptance, and the end of the turn.
        try child.lines { line in
            if line.answeredRequest == 1 {
                guard line.contains(#""result":"#) else { throw Wrong("not accepted: \(line.text)") }
                time = (floor_now() - start) * 1e6
            }
            return line.contains(#""method":"turnCompleted""#)
        }
        guard time > 0 else { throw Wrong("a turn has ended before it was accepted") }
        return time
    }
}
