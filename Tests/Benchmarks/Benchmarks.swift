import Foundation
import Glibc

/// Drives a release binary from outside, over pipes, and prints what it measured: `swift run -c release Benchmarks PATH-OF-PARLEY`, with
/// `admission` behind it for that figure alone, or `soak` for a minute with a thousand streams (`soak SECONDS STREAMS` for another length).
///
/// Every figure stands beside that of a floor measured in the same run, because machines differ and drift; ratios are what to compare.
@main
enum Benchmarks {
    static func main() throws {
        guard CommandLine.arguments.count >= 2 else {
            print("usage: Benchmarks PATH-OF-PARLEY [admission | soak [SECONDS [STREAMS]]]")
            exit(64)
        }
        let binary = CommandLine.arguments[1]
        // The floor of a request over pipes: a program that copies its input to its output without looking at it.
        let floor = ["/bin/cat"]
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("parley-bench-\(getpid())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let arguments = CommandLine.arguments.dropFirst(2)
        if arguments.first == "soak" {
            let isWhole = try soak(binary: binary, folder: folder, arguments.dropFirst().map { Int($0) ?? 0 })
            guard !isWhole else { return }
            try FileManager.default.removeItem(atPath: folder)
            exit(1)
        }
        try admission(binary: binary, folder: folder)
        guard arguments.isEmpty else { return }
        let host = [binary, "serve", "--database", "\(folder)/bench.db", "--caller", "userId:bench"]

        // The first start makes the database; the figure is for one that exists.
        _ = try Figures.spawn(host)
        print("spawn to the first answer   \(Figures.row(try (0..<20).map { _ in try Figures.spawn(host) }, unit: "ms"))")
        print("  floor: cat                \(Figures.row(try (0..<20).map { _ in try Figures.spawn(floor) }, unit: "ms"))")
        print("idle memory                 \(try Figures.residentMebibytes(host)) MiB")
        print("ping, one at a time         \(Figures.row(try Figures.pingPong(host, count: 20_000), unit: "µs"))")
        print("  floor: cat                \(Figures.row(try Figures.pingPong(floor, count: 20_000), unit: "µs"))")
        for window in [64, 1_024] {
            let rates = try (0..<5).map { _ in try Figures.pipelined(host, count: 300_000, window: window) }.sorted()
            let floors = try (0..<5).map { _ in try Figures.pipelined(floor, count: 300_000, window: window) }.sorted()
            let (low, median, high) = (Int(rates[0] / 1_000), Int(rates[2] / 1_000), Int(rates[4] / 1_000))
            print("pings, \(window) in flight\(window == 64 ? "  " : "")       \(median)k/s (\(low)k to \(high)k)")
            print("  floor: cat                \(Int(floors[2] / 1_000))k/s")
        }
    }

    private static func admission(binary: String, folder: String) throws {
        let turns = [1_000, 1_000_000]
        let times = try AdmissionFigure.measure(binary: binary, folder: folder, turns: turns, count: 3_000)
        for (number, times) in zip(turns, times) {
            print("a message accepted, with \(number) turns inside the windows: \(Figures.row(times, unit: "µs"))")
        }
        let medians = times.map { $0.sorted()[$0.count / 2] }
        print(String(format: "  ratio of the medians: %.2f (at most 1.3)", medians[1] / medians[0]))
    }

    /// - Returns: whether every token has come.
    private static func soak(binary: String, folder: String, _ numbers: [Int]) throws -> Bool {
        let seconds = numbers.first ?? 60
        let streams = numbers.dropFirst().first ?? 1_000
        guard seconds > 0, streams > 0 else {
            print("a soak takes whole seconds and streams")
            exit(64)
        }
        let outcome = try SoakFigure.measure(binary: binary, folder: folder, streams: streams, seconds: seconds)
        let perToken = outcome.processor * 1e6 / Double(outcome.sent)
        print("soak                        \(streams) turns at once, \(outcome.completed) completed")
        print(
            String(
                format: "  tokens sent               %d in %.1f s (the server at most %.3f s late)", outcome.sent, outcome.seconds,
                outcome.lag))
        print("  tokens received           \(outcome.received) in \(outcome.notifications) notifications")
        print("  tokens lost, out of place \(outcome.sent - outcome.received), \(outcome.misplaced) (must be 0)")
        print(String(format: "  processor                 %.1f s, %.1f µs a token", outcome.processor, perToken))
        let memory = outcome.memory
        print(
            String(
                format: "  memory                    %.1f MiB before, %.1f at most, %.1f after", memory.before, memory.most, memory.after))
        return outcome.received == outcome.sent && outcome.misplaced == 0 && outcome.completed == streams
    }
}
