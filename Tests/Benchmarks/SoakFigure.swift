import BenchmarkFloors
import Foundation
import Glibc

/// A thousand turns at once, each of which brings fifty tokens a second, and what that costs the host.
///
/// The floor is a program in C that asks the same server for as many streams with the same libcurl, and passes on what it is told: what it
/// takes is what the kernel and libcurl take of a host. Both get the same requests and are read in the same way.
enum SoakFigure {
    /// What came of it.
    private struct Outcome {
        /// How many tokens have come, and in what time, from when all turns had begun: a server that were late would make it longer.
        var tokens = 0
        var seconds = 0.0
        /// How many notifications they came in.
        var notifications = 0
        /// The processor time of the host from then to the last turn's end, in seconds.
        var processor = 0.0
        /// The host's resident memory before the first turn, at its most, and after the last, in MiB.
        var memory = (before: 0.0, most: 0.0, after: 0.0)

        /// The processor time of a token, in microseconds.
        var microseconds: Double { processor * 1e6 / Double(tokens) }
        /// The memory of all streams, in KiB.
        var kibibytes: Double { (memory.most - memory.before) * 1_024 }
    }

    /// How many tokens a stream brings in a second.
    private static let rate = 50

    /// Runs it twice for some seconds, or once for as long and with as many streams as the command line says.
    static func soak(_ place: Workplace) throws -> [Figure] {
        let seconds = place.numbers.first ?? 6
        let streams = place.numbers.dropFirst().first ?? 1_000
        guard seconds > 0, streams > 0 else { throw Wrong("a soak takes whole seconds and streams") }
        raiseDescriptorLimit()
        let upstream = try Upstream(place)
        let flags = try upstream.flags("paced", seconds * rate, rate: rate)
        let limits = ["limits.maxInFlight=\(streams + 16)", "turns.deadlineSeconds=\(seconds * 4 + 600)"].flatMap { ["--set", $0] }
        let program = "\(place.folder)/streams"
        try Workplace.compile("Streams.c", to: program, ["-lcurl"])
        let url = "http://127.0.0.1:\(upstream.port)\(Upstream.path("paced", seconds * rate, rate: rate))"
        var (outcomes, floors) = ([Outcome](), [Outcome]())
        for _ in 0..<(place.numbers.isEmpty ? 2 : 1) {
            outcomes.append(try measure(try Host(place.serve("soak.db", flags + limits)).child, streams: streams, tokens: seconds * rate))
            floors.append(try measure(try Child([program, url, Upstream.body]), streams: streams, tokens: seconds * rate))
        }
        let remarks = outcomes.map { outcome in
            String(
                format: "%d tokens in %.1f s for %d s, none lost; %.2f tokens in a notification; %.1f MiB before, %.1f at most, %.1f after",
                outcome.tokens, outcome.seconds, seconds, Double(outcome.tokens) / Double(outcome.notifications), outcome.memory.before,
                outcome.memory.most, outcome.memory.after)
        }
        return [
            Figure(
                title: "CPU a token, \(streams) streams × \(rate) tokens/s", name: "soak-cpu", unit: "µs", targets: [.atMost(8)],
                runs: outcomes.map { Run($0.microseconds) }, floor: .init(name: "libcurl in C", runs: floors.map { Run($0.microseconds) }),
                remarks: remarks),
            Figure(
                title: "memory a turn in flight, beyond idle", name: "soak-memory", unit: "KiB", targets: [.atMost(64)],
                runs: outcomes.map { Run($0.kibibytes / Double(streams)) },
                floor: .init(name: "libcurl in C", runs: floors.map { Run($0.kibibytes / Double(streams)) })),
        ]
    }

    /// Begins the streams, and reads them to their end.
    ///
    /// - Parameters:
    ///   - child: what takes the requests and ends with its input.
    ///   - tokens: how many each stream brings.
    private static func measure(_ child: Child, streams: Int, tokens: Int) throws -> Outcome {
        usleep(1_000_000)
        var outcome = Outcome()
        outcome.memory.before = try child.memory("VmRSS")
        var reader = TokenReader(streams: streams)
        for number in 0..<streams {
            try child.write(#"{"jsonrpc":"2.0","id":\#(number),"method":"sendMessage","params":{"text":"Begin."}}"# + "\n")
        }
        try child.lines { line in
            reader.take(line)
            return reader.started == streams
        }
        let start = floor_now()
        let (processor, received, notifications) = (try child.processorSeconds(), reader.received, reader.notifications)
        try child.lines { line in
            reader.take(line)
            return reader.ended == streams
        }
        outcome.processor = try child.processorSeconds() - processor
        outcome.seconds = floor_now() - start
        (outcome.tokens, outcome.notifications) = (reader.received - received, reader.notifications - notifications)
        outcome.memory.most = try child.memory("VmHWM")
        outcome.memory.after = try child.memory("VmRSS")
        try reader.require(tokens)
        try child.finish()
        return outcome
    }

    /// Both ends of a thousand connections are more than many systems allow unless they are asked.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
