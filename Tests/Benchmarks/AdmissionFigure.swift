import Foundation
import GRDB

/// What it costs to accept a message with few and with very many turns inside the windows that it counts against.
///
/// Both databases are served by the same binary at the same time and asked in turn, so that whatever else the machine does falls on both.
enum AdmissionFigure {
    private static let conversations = 200
    private static let windowMilliseconds: Int64 = 18_000_000

    /// Microseconds from a message to the reply that says it is accepted, at each number of turns.
    ///
    /// - Parameter turns: how many turns there are inside the windows of the system and of the user who sends.
    static func measure(binary: String, folder: String, turns: [Int], count: Int) throws -> [[Double]] {
        let script = "\(folder)/answer.jsonl"
        try #"{"steps": [{"text": "Yes."}], "repeat": true}"#.write(toFile: script, atomically: true, encoding: .utf8)
        let hosts = try turns.map { number in
            let database = "\(folder)/admission-\(number).db"
            let limits = ["system.turns", "user.turns"].flatMap { name in
                ["--set", "quotas.\(name).limit=100000000", "--set", "quotas.\(name).windowSeconds=\(windowMilliseconds / 1_000)"]
            }
            let command =
                [binary, "serve", "--database", database, "--caller", "userId:bench", "--model", "scripted:\(script)"] + limits
            let ids = try makeConversations(command)
            try fill(database, turns: number)
            return (child: try Child(command), ids: ids)
        }
        defer { for host in hosts { host.child.end() } }
        var times = turns.map { _ in [Double]() }
        for number in 0..<count + 200 {
            for (index, host) in hosts.enumerated() {
                let params = #"{"conversationId":"\#(host.ids[number % host.ids.count])","text":"Hello?","wait":false,"stream":false}"#
                let request = #"{"jsonrpc":"2.0","id":\#(number),"method":"sendMessage","params":\#(params)}"# + "\n"
                let start = Figures.now()
                host.child.write(Array(request.utf8))
                // The acceptance first, then the two events of the turn.
                let lines = host.child.readLines(1)
                if number >= 200 { times[index].append((Figures.now() - start) * 1e6) }
                if lines < 3 { host.child.readLines(3 - lines) }
            }
        }
        return times
    }

    private static func makeConversations(_ command: [String]) throws -> [String] {
        let child = try Child(command)
        defer { child.end() }
        return try (0..<conversations).map { number in
            child.write(Array((#"{"jsonrpc":"2.0","id":\#(number),"method":"createConversation"}"# + "\n").utf8))
            let line = child.readLine()
            guard let range = line.firstRange(of: #""conversation":{"id":""#), let end = line[range.upperBound...].firstIndex(of: "\"")
            else {
                throw CocoaError(.fileReadCorruptFile)
            }
            return String(line[range.upperBound..<end])
        }
    }

    /// Gives the user so many finished turns, evenly spread over the window, with their messages and what the ledger says of them.
    private static func fill(_ database: String, turns: Int) throws {
        let queue = try DatabaseQueue(path: database)
        defer { try? queue.close() }
        // A minute inside the window, so that none leaves it while the figure is taken.
        let first = Int64(Date().timeIntervalSince1970 * 1_000) - windowMilliseconds + 60_000
        let step = Double(windowMilliseconds - 120_000) / Double(turns)
        let moments = "SELECT n, CAST(\(first) + n * \(step) AS INTEGER) AS t FROM numbers"
        let numbers = "WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < \(turns - 1))"
        try queue.write { db in
            let person = try Int64.fetchOne(db, sql: "SELECT key FROM people WHERE external_id = 'bench'") ?? 0
            for (name, subject) in [("system.turns", ""), ("user.turns", String(person))] {
                for width in [1, 128, 16_384, 2_097_152] {
                    try db.execute(
                        sql: """
                            INSERT INTO counters (name, subject, width, start, count)
                            \(numbers) SELECT '\(name)', '\(subject)', \(width), t / \(width) * \(width), count(*) FROM (\(moments)) GROUP BY 4
                            """)
                }
            }
            try db.execute(
                sql: """
                    INSERT INTO conversations (key, id, owner, title, metadata, created_at, updated_at)
                    \(numbers) SELECT 1000000 + n, 'filled-' || n, \(person), 'Filled', '{}', \(first), \(first) FROM numbers
                    WHERE n <= \(turns / 100);
                    INSERT INTO turns (key, id, conversation, person, epoch, status, created_at, deadline, completed_at, stop_reason,
                        user_message_id, assistant_message_id)
                    \(numbers) SELECT 1000000 + n, 'turn-' || n, 1000000 + n / 100, \(person), 1, 'completed', t, t, t, 'endTurn',
                        'question-' || n, 'answer-' || n FROM (\(moments));
                    INSERT INTO messages (id, conversation, role, status, created_at, turn_id, parts)
                    \(numbers) SELECT 'question-' || n, 1000000 + n / 100, 'user', 'complete', t, 'turn-' || n,
                        '[{"type":"text","text":"What is the way to the station, please?"}]' FROM (\(moments));
                    INSERT INTO messages (id, conversation, role, status, created_at, turn_id, parts)
                    \(numbers) SELECT 'answer-' || n, 1000000 + n / 100, 'assistant', 'complete', t, 'turn-' || n,
                        '[{"type":"text","text":"Straight on, and then the second on the left."}]' FROM (\(moments));
                    """)
        }
    }
}
