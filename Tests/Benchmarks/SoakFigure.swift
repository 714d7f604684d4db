import Foundation
import Glibc

/// A thousand turns at once for a minute, each of which brings fifty tokens a second, and what that costs the host.
enum SoakFigure {
    /// What came of it.
    struct Outcome {
        /// How many tokens the model's server has sent, and in what time.
        var sent = 0
        var seconds = 0.0
        /// How late the server's own latest token was: a server without a processor measures nothing.
        var lag = 0.0
        /// How many have come, each in its place.
        var received = 0
        /// How many notifications they came in.
        var notifications = 0
        /// How many came out of their place.
        var misplaced = 0
        /// How many turns came to a good end.
        var completed = 0
        /// The processor time of the host from the first token to the last turn's end, in seconds.
        var processor = 0.0
        /// The host's resident memory before the first turn, at its most, and after the last, in MiB.
        var memory = (before: 0.0, most: 0.0, after: 0.0)
    }

    /// Runs it.
    ///
    /// - Parameters:
    ///   - streams: how many turns at once.
    ///   - seconds: for how long.
    ///   - rate: how many tokens a second each brings.
    static func measure(binary: String, folder: String, streams: Int, seconds: Int, rate: Int = 50) throws -> Outcome {
        raiseDescriptorLimit()
        let server = TokenServer(streams: streams, tokens: seconds * rate, rate: rate)
        let config = "\(folder)/soak.json"
        try #"{"model":"soak:m","providers":{"soak":{"kind":"openai","baseURL":"http://127.0.0.1:\#(server.port)/v1","models":{"m":{}}}}}"#
            .write(toFile: config, atomically: true, encoding: .utf8)
        let unlimited = ["system.turns", "user.turns", "user.inFlight"].flatMap { ["--set", "quotas.\($0).limit=none"] }
        let child = try Child(
            [
                binary, "serve", "--config", config, "--database", "\(folder)/soak.db", "--caller", "userId:soak", "--set",
                "limits.maxInFlight=\(streams + 16)", "--set", "turns.deadlineSeconds=\(seconds * 4 + 600)",
            ] + unlimited)
        defer { child.end() }
        var outcome = Outcome()
        child.write(Array(#"{"jsonrpc":"2.0","id":0,"method":"ping"}"#.utf8) + [0x0A])
        child.readLines(1)
        outcome.memory.before = try memory(of: child, "VmRSS:")

        var reader = SoakReader(streams: streams)
        for number in 0..<streams {
            child.write(Array(#"{"jsonrpc":"2.0","id":\#(number),"method":"sendMessage","params":{"text":"Begin."}}"#.utf8) + [0x0A])
        }
        while reader.started < streams { child.read { reader.take($0) } }
        server.begin()
        let before = try processorSeconds(of: child)
        while reader.ended < streams { child.read { reader.take($0) } }
        outcome.processor = try processorSeconds(of: child) - before
        (outcome.sent, outcome.seconds, outcome.lag) = server.end()
        outcome.memory.most = try memory(of: child, "VmHWM:")
        outcome.memory.after = try memory(of: child, "VmRSS:")
        (outcome.received, outcome.notifications) = (reader.received, reader.notifications)
        (outcome.misplaced, outcome.completed) = (reader.misplaced, reader.completed)
        return outcome
    }

    private static func memory(of child: Child, _ field: String) throws -> Double {
        let status = try String(contentsOfFile: "/proc/\(child.id)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix(field) }?.split(whereSeparator: \.isWhitespace)
        return (line.flatMap { Double($0[1]) } ?? 0) / 1_024
    }

    private static func processorSeconds(of child: Child) throws -> Double {
        let status = try String(contentsOfFile: "/proc/\(child.id)/stat", encoding: .utf8)
        // The second field is the program's name in parentheses; the times are the 14th and the 15th.
        let fields = status.drop { $0 != ")" }.split(separator: " ").dropFirst()
        return fields.dropFirst(11).prefix(2).reduce(0) { $0 + (Double($1) ?? 0) } / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Both ends of a thousand connections are more than many systems allow unless they are asked.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}

/// Reads what the host says of its turns, and looks whether each brings all tokens in their order.
struct SoakReader {
    private(set) var started = 0
    private(set) var ended = 0
    private(set) var completed = 0
    private(set) var received = 0
    private(set) var notifications = 0
    private(set) var misplaced = 0
    /// The number of each stream's next token.
    private var next: [Int]
    private var rest: [UInt8] = []

    init(streams: Int) {
        next = Array(repeating: 0, count: streams)
    }

    /// Takes some output, cut anywhere.
    mutating func take(_ bytes: UnsafeRawBufferPointer) {
        var bytes = bytes
        if !rest.isEmpty {
            guard let end = bytes.firstIndex(of: 0x0A) else { return rest.append(contentsOf: bytes) }
            rest.append(contentsOf: bytes[..<end])
            rest.withUnsafeBytes { read($0) }
            rest.removeAll(keepingCapacity: true)
            bytes = UnsafeRawBufferPointer(rebasing: bytes[(end + 1)...])
        }
        while let end = bytes.firstIndex(of: 0x0A) {
            read(UnsafeRawBufferPointer(rebasing: bytes[..<end]))
            bytes = UnsafeRawBufferPointer(rebasing: bytes[(end + 1)...])
        }
        rest.append(contentsOf: bytes)
    }

    private mutating func read(_ line: UnsafeRawBufferPointer) {
        let method = Self.place(after: #""method":""#, in: line).map { UnsafeRawBufferPointer(rebasing: line[$0...]) }
        if method?.starts(with: "messageDelta".utf8) == true {
            guard let id = Self.place(after: #""requestId":"#, in: line), let text = Self.place(after: #""delta":""#, in: line) else {
                misplaced += 1
                return
            }
            notifications += 1
            take(line[text...].prefix { $0 != UInt8(ascii: "\"") }, ofStream: Self.number(line[id...]))
        } else if method?.starts(with: "turnStarted".utf8) == true {
            started += 1
        } else if method?.starts(with: "turn".utf8) == true {
            ended += 1
            if Self.place(after: #""status":"completed""#, in: line) != nil { completed += 1 }
        }
    }

    private mutating func take(_ text: Slice<UnsafeRawBufferPointer>, ofStream stream: Int) {
        var text = text
        while !text.isEmpty {
            if Self.number(text) == next[stream] { received += 1 } else { misplaced += 1 }
            next[stream] += 1
            text = text.dropFirst(TokenServer.tokenBytes)
        }
    }

    private static func number(_ bytes: Slice<UnsafeRawBufferPointer>) -> Int {
        bytes.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    private static func place(after mark: StaticString, in line: UnsafeRawBufferPointer) -> Int? {
        guard let base = line.baseAddress else { return nil }
        var place = 0
        // Every mark begins with a quotation mark, of which a line has few.
        while let found = memchr(base + place, 0x22, line.count - place) {
            place = UnsafeRawPointer(found) - base
            guard place + mark.utf8CodeUnitCount <= line.count else { return nil }
            if memcmp(found, mark.utf8Start, mark.utf8CodeUnitCount) == 0 { return place + mark.utf8CodeUnitCount }
            place += 1
        }
        return nil
    }
}
