import BenchmarkFloors
import Foundation
import Glibc

/// A thousand turns at once, each of which brings fifty tokens a second, and what that costs the host.
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
    }

    /// Runs it twice for some seconds, or once for as long and with as many streams as the command line says.
    static func soak(_ place: Workplace) throws -> [Figure] {
        let seconds = place.numbers.first ?? 6
        let streams = place.numbers.dropFirst().first ?? 1_000
        guard seconds > 0, streams > 0 else { throw Wrong("a soak takes whole seconds and streams") }
        let outcomes = try (0..<(place.numbers.isEmpty ? 2 : 1)).map { _ in try measure(place, streams: streams, seconds: seconds, rate: 50)
        }
        let remarks = outcomes.map { outcome in
            String(
                format: "%d tokens in %.1f s for %d s, none lost; %.2f tokens in a notification; %.1f MiB before, %.1f at most, %.1f after",
                outcome.tokens, outcome.seconds, seconds, Double(outcome.tokens) / Double(outcome.notifications), outcome.memory.before,
                outcome.memory.most, outcome.memory.after)
        }
        return [
            Figure(
                title: "CPU a token, \(streams) streams × 50 tokens/s", name: "soak-cpu", unit: "µs", targets: [.atMost(8)],
                runs: outcomes.map { Run($0.processor * 1e6 / Double($0.tokens)) }, remarks: remarks),
            Figure(
                title: "memory a turn in flight, beyond idle", name: "soak-memory", unit: "KiB", targets: [.atMost(64)],
                runs: outcomes.map { Run(($0.memory.most - $0.memory.before) * 1_024 / Double(streams)) }),
        ]
    }

    private static func measure(_ place: Workplace, streams: Int, seconds: Int, rate: Int) throws -> Outcome {
        raiseDescriptorLimit()
        let upstream = try Upstream(place)
        let flags = try upstream.flags("paced", seconds * rate, rate: rate)
        let limits = ["limits.maxInFlight=\(streams + 16)", "turns.deadlineSeconds=\(seconds * 4 + 600)"].flatMap { ["--set", $0] }
        let host = try Host(place.serve("soak.db", flags + limits))
        usleep(1_000_000)
        var outcome = Outcome()
        outcome.memory.before = try host.child.memory("VmRSS")
        var reader = TokenReader(streams: streams)
        for number in 0..<streams {
            try host.child.write(#"{"jsonrpc":"2.0","id":\#(number),"method":"sendMessage","params":{"text":"Begin."}}"# + "\n")
        }
        try host.child.lines { line in
            reader.take(line)
            return reader.started == streams
        }
        let start = floor_now()
        let (processor, received, notifications) = (try host.child.processorSeconds(), reader.received, reader.notifications)
        try host.child.lines { line in
            reader.take(line)
            return reader.ended == streams
        }
        outcome.processor = try host.child.processorSeconds() - processor
        outcome.seconds = floor_now() - start
        (outcome.tokens, outcome.notifications) = (reader.received - received, reader.notifications - notifications)
        outcome.memory.most = try host.child.memory("VmHWM")
        outcome.memory.after = try host.child.memory("VmRSS")
        try reader.require(seconds * rate)
        try host.child.finish()
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
