import BenchmarkFloors
import Foundation

/// What requests cost that need no model.
enum RequestFigures {
    private static let ping = #"{"jsonrpc":"2.0","id":1,"method":"ping"}"# + "\n"

    // MARK: One at a time

    /// One `ping` after the other. Between two processors a wake-up may cost far more than all else, so it is measured both ways.
    static func ping(_ place: Workplace) throws -> [Figure] {
        let command = place.serve("ping.db")
        try Host(command).child.finish()
        func figure(_ title: String, _ name: String, _ targets: [Target], _ around: (() throws -> Run) throws -> Run) throws -> Figure {
            var (runs, floors) = ([Run](), [Run]())
            for _ in 0..<5 {
                runs.append(try around { try pingPong(command, ping, count: 10_000) })
                floors.append(try around { try pingPong(place.echo, ping, count: 10_000) })
            }
            return Figure(
                title: title, name: name, unit: "µs", targets: targets, runs: runs, floor: .init(name: "C echo", runs: floors))
        }
        return [
            try figure(
                "ping, one processor for both sides", "ping-pinned", [.atMost(5), .timesFloorAtMost(2.5)],
                { try Processors.onlyOne($0) }),
            try figure("ping, any processors", "ping", [.timesFloorAtMost(2.5)], { try $0() }),
        ]
    }

    /// Microseconds for each request and its answer, one after another, of which the first thousand do not count.
    static func pingPong(_ command: [String], _ request: String, count: Int) throws -> Run {
        let child = try Child(command)
        let bytes = Array(request.utf8)[...]
        var times: [Double] = []
        times.reserveCapacity(count)
        for number in 0..<count + 1_000 {
            let start = floor_now()
            try child.write(bytes)
            let lines = try child.countLines()
            if number >= 1_000 { times.append((floor_now() - start) * 1e6) }
            guard lines == 1 else { throw Wrong("\(lines) answers to one request") }
        }
        return Run(samples: times)
    }

    // MARK: Many at a time

    /// `ping` with many unanswered at a time.
    static func pipelined(_ place: Workplace) throws -> [Figure] {
        let command = place.serve("ping.db")
        try Host(command).child.finish()
        var figures: [Figure] = []
        for window in [64, 1_024] {
            let requests = (0..<8_192).map { #"{"jsonrpc":"2.0","id":\#($0),"method":"ping"}"# + "\n" }
            var (runs, floors) = ([Run](), [Run]())
            for _ in 0..<5 {
                runs.append(Run(try rate(command, requests, count: 400_000, window: window)))
                floors.append(Run(try rate(place.echo, requests, count: 400_000, window: window)))
            }
            // No slower with more: only a difference beyond the spread says something.
            let target = figures.first.map { Target.reachesWithinSpread($0.median) } ?? .atLeast(1_000_000)
            figures.append(
                Figure(
                    title: "ping, \(window) in flight", name: "ping-\(window)", unit: "/s", targets: [target], runs: runs,
                    floor: .init(name: "C echo", runs: floors)))
        }
        return figures
    }

    /// `getConversation` with many unanswered at a time, over a database with some hundred conversations.
    static func reads(_ place: Workplace) throws -> [Figure] {
        let command = place.serve("reads.db", try place.scripted())
        let host = try Host(command)
        let conversations = try host.conversations(300)
        for (number, id) in conversations.enumerated() {
            try host.child.write(
                #"{"jsonrpc":"2.0","id":\#(number),"method":"sendMessage","params":{"conversationId":"\#(id)","text":"Hello?"}}"# + "\n")
            try host.child.lines { $0.answeredRequest == number }
        }
        try host.child.finish()
        let requests = (0..<8_192).map {
            #"{"jsonrpc":"2.0","id":\#($0),"method":"getConversation","params":{"conversationId":"\#(conversations[$0 % 300])"}}"# + "\n"
        }
        var (runs, floors) = ([Run](), [Run]())
        for _ in 0..<5 {
            runs.append(Run(try rate(command, requests, count: 60_000, window: 64)))
            floors.append(Run(try rate(place.echo, requests, count: 200_000, window: 64)))
        }
        return [
            Figure(
                title: "getConversation, 64 in flight", name: "reads", unit: "/s", targets: [.atLeast(60_000)], runs: runs,
                floor: .init(name: "C echo", runs: floors))
        ]
    }

    /// Requests a second. Never more than the window are unanswered: for each answer that comes another request goes.
    ///
    /// The requests were made beforehand, and all that may be under way fits into a pipe, so that one thread is enough and never waits to
    /// write.
    ///
    /// - Parameter requests: asked in turn.
    static func rate(_ command: [String], _ requests: [String], count: Int, window: Int) throws -> Double {
        var bytes: [UInt8] = []
        var ends = [0]
        for request in requests {
            bytes += Array(request.utf8)
            ends.append(bytes.count)
        }
        let child = try Child(command)
        // Whatever a program does at first does not count.
        let total = count + window * 8
        var (sent, answered, hasFailed) = (0, 0, false)
        var begin: (answered: Int, time: Double)?
        func send(_ number: Int) throws {
            var number = number
            while number > 0 {
                let first = sent % requests.count
                let part = min(number, requests.count - first)
                try child.write(bytes[ends[first]..<ends[first + part]])
                sent += part
                number -= part
            }
        }
        try send(window)
        while answered < total {
            let lines = try child.countLines { hasFailed = hasFailed || Line(bytes: $0).contains(#""error":"#) }
            answered += lines
            guard answered <= sent else { throw Wrong("more answers than requests") }
            if begin == nil, answered >= window * 8 { begin = (answered, floor_now()) }
            try send(min(lines, total - sent))
        }
        guard !hasFailed, let begin else { throw Wrong("a request has failed") }
        return Double(answered - begin.answered) / (floor_now() - begin.time)
    }
}
