import BenchmarkFloors
import Foundation

/// How many turns a second a host stores whose model answers at once, one in flight in each of 64 conversations, and what they cost in a
/// database that holds much.
enum DurableFigures {
    private static let conversations = 64
    /// How many turns each conversation has in a run.
    private static let rounds = 50
    /// How many seconds it may take, where turns are slow.
    private static let patience = 3.0

    // MARK: The figures

    /// Beside the same statements in plain C.
    static func durable(_ place: Workplace) throws -> [Figure] {
        let command = try commandOfEmptyDatabase(place, "durable.db")
        let statements = try recordStatements(place, command)
        var (runs, floors, remark) = ([Run](), [Run](), "")
        for run in 0..<6 {
            let rate = try turnsPerSecond(place, command, database: "durable.db")
            let outcome = try statements.replay(place, original: "empty.db")
            // The first run warms up both.
            guard run > 0 else { continue }
            runs.append(Run(rate))
            floors.append(Run(Double(statements.turns) / outcome.seconds))
            remark = String(
                format: "%.1f statements a turn and %.1f turns a commit while the floor's statements were recorded; "
                    + "the floor does not move the log of writes into the database, as the host does",
                Double(outcome.statements) / Double(statements.turns), Double(statements.turns) / Double(outcome.transactions))
        }
        return [
            Figure(
                title: "durable turns, 64 in flight", name: "durable", unit: "/s", targets: [.atLeast(10_000), .timesFloorAtLeast(0.5)],
                runs: runs, floor: .init(name: "C SQLite, the same statements", runs: floors),
                remarks: [remark])
        ]
    }

    /// What a turn costs where there are a million messages, beside what it costs where there are none.
    static func filled(_ place: Workplace) throws -> [Figure] {
        let command = try commandOfEmptyDatabase(place, "none.db")
        try place.copy("empty.db", to: "full.db")
        let full = place.serve("full.db", try place.scripted())
        let host = try Host(full)
        let long = try host.conversations(conversations)
        try host.child.finish()
        Workplace.progress("  filling a database")
        let database = "\(place.folder)/full.db"
        try Filling.fill(database, conversations: .existing, count: conversations, turnsEach: 5_000)
        try Filling.fill(database, conversations: .new, count: 3_600, turnsEach: 50)
        Workplace.progress("  indexing it")
        try Filling.index(place, database)
        try place.copy("full.db", to: "filled.db")
        Workplace.progress("  taking turns in it")
        let recorded = try [
            recordStatements(place, command, in: "none", database: "none.db"),
            recordStatements(place, full, in: "fresh", database: "full.db", original: "filled.db"),
            recordStatements(place, full, in: "long", database: "full.db", original: "filled.db", known: long),
        ]
        var (fresh, inLong, inLongTold) = ([Run](), [Run](), [Run]())
        var (freshFloor, longFloor) = ([Run](), [Run]())
        // A server is sent what the model reads; the scripted one reads the last message alone.
        let upstream = try Upstream(place)
        let server = try upstream.flags("batch", 1)
        for _ in 0..<3 {
            let none = 1 / (try turnsPerSecond(place, command, database: "none.db"))
            let beside = 1 / (try turnsPerSecond(place, full, database: nil))
            let inside = 1 / (try turnsPerSecond(place, full, database: nil, in: long))
            let told = 1 / (try turnsPerSecond(place, place.serve("full.db", server), database: nil, in: long))
            let toldNone = 1 / (try turnsPerSecond(place, place.serve("none.db", server), database: "none.db"))
            fresh.append(Run(beside / none))
            inLong.append(Run(inside / none))
            inLongTold.append(Run(told / toldNone))
            let costs = try zip(recorded, ["empty.db", "filled.db", "filled.db"]).map { recording, original in
                try recording.replay(place, original: original).seconds / Double(recording.turns)
            }
            freshFloor.append(Run(costs[1] / costs[0]))
            longFloor.append(Run(costs[2] / costs[0]))
        }
        func floor(_ runs: [Run]) -> Figure.Floor { Figure.Floor(name: "C SQLite, the same statements", runs: runs) }
        return [
            Figure(
                title: "cost of a turn beside 1,000,000 messages", name: "durable-filled", unit: "× that with none",
                targets: [.atMost(1.2)], runs: fresh, floor: floor(freshFloor)),
            Figure(
                title: "cost of a turn in conversations of 10,000 messages", name: "durable-long", unit: "× that with none",
                targets: [.atMost(1.2)], runs: inLong, floor: floor(longFloor),
                remarks: ["the model reads the last message alone; the first turn of each, which reads the database, is not counted"]),
            Figure(
                title: "the same, with a server that is sent 400 KB of them", name: "durable-long-told", unit: "× that with none",
                runs: inLongTold),
        ]
    }

    // MARK: Turns

    /// Makes a database without anything, and the command that serves a copy of it.
    private static func commandOfEmptyDatabase(_ place: Workplace, _ database: String) throws -> [String] {
        try place.makeEmptyDatabase()
        return place.serve(database, try place.scripted())
    }

    /// Starts a host, has it take turns, and makes sure that it has stored them. One turn in each conversation goes before, so that what a host
    /// finds out once about a conversation is not counted.
    ///
    /// - Parameters:
    ///   - database: becomes a copy of the empty one before; nil for one that stays as it is.
    ///   - known: the conversations; new ones if there are none.
    private static func turnsPerSecond(
        _ place: Workplace, _ command: [String], database: String?, in known: [String] = []
    ) throws -> Double {
        if let database { try place.copy("empty.db", to: database) }
        let host = try Host(command)
        let ids = known.isEmpty ? try host.conversations(conversations) : known
        _ = try takeTurns(host.child, ids, rounds: 1)
        let before = try host.messageCounts(ids)
        let outcome = try takeTurns(host.child, ids, rounds: rounds)
        let after = try host.messageCounts(ids)
        guard zip(before, after).map({ ($1 - $0) / 2 }) == outcome.turns else { throw Wrong("turns that had ended were not stored") }
        try host.child.finish()
        return Double(outcome.turns.reduce(0, +)) / outcome.seconds
    }

    /// Sends a message to each conversation, and the next one to each as soon as its turn has ended and is stored, until each has had enough
    /// or it has taken too long.
    ///
    /// - Returns: how many turns each had, and the seconds.
    private static func takeTurns(_ child: Child, _ ids: [String], rounds: Int) throws -> (turns: [Int], seconds: Double) {
        let requests = ids.enumerated().map { number, id in
            Array(
                (#"{"jsonrpc":"2.0","id":\#(number),"method":"sendMessage","params":{"conversationId":"\#(id)","text":"Hello?","#
                    + #""stream":false}}"# + "\n").utf8)[...]
        }
        var turns = Array(repeating: 0, count: ids.count)
        var open = ids.count
        let start = floor_now()
        for request in requests { try child.write(request) }
        try child.lines { line in
            guard let number = line.answeredRequest else { return false }
            guard line.contains(#""status":"completed""#) else { throw Wrong("a turn has failed: \(line.text)") }
            turns[number] += 1
            if turns[number] < rounds, floor_now() < start + patience { try child.write(requests[number]) } else { open -= 1 }
            return open == 0
        }
        return (turns, floor_now() - start)
    }

    // MARK: Statements

    /// What each of the host's statements costs in plain C, the dearest first: where an improvement would begin.
    static func statements(_ place: Workplace) throws -> [Figure] {
        let command = try commandOfEmptyDatabase(place, "durable.db")
        let statements = try recordStatements(place, command)
        var costs: [String: (runs: Int, seconds: Double)] = [:]
        var outcome = floor_replay_outcome()
        withUnsafeMutablePointer(to: &costs) { costs in
            outcome = floor_replay(
                statements.file, statements.from, statements.to, "\(place.folder)/empty.db",
                { statement, context in
                    let bytes = UnsafeRawBufferPointer(start: statement.text, count: Int(statement.textBytes))
                    let text = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).joined(separator: " ")
                    let costs = context?.assumingMemoryBound(to: [String: (runs: Int, seconds: Double)].self)
                    costs?.pointee[text, default: (0, 0)].runs += statement.runs
                    costs?.pointee[text, default: (0, 0)].seconds += statement.seconds
                }, costs)
        }
        if let error = outcome.error { throw Wrong("the statements cannot be run again: \(String(cString: error))") }
        let turns = Double(statements.turns)
        return costs.sorted { $0.value.seconds > $1.value.seconds }.prefix(25).map { text, cost in
            Figure(
                title: String(format: "%6.2f × ", Double(cost.runs) / turns) + text.prefix(90), name: "statement", unit: "µs a turn",
                runs: [Run(cost.seconds * 1e6 / turns)])
        }
    }

    /// Has a host take the same turns, and writes down each statement that it runs.
    private static func recordStatements(
        _ place: Workplace, _ command: [String], in file: String = "statements", database: String = "durable.db",
        original: String = "empty.db", known: [String] = []
    ) throws -> Recording {
        try Recording(place, command, in: file, database: database, original: original) { host in
            let ids = known.isEmpty ? try host.conversations(conversations) : known
            _ = try takeTurns(host.child, ids, rounds: 1)
            return ids
        } take: { host, ids in
            try takeTurns(host.child, ids, rounds: rounds).turns.reduce(0, +)
        }
    }
}
