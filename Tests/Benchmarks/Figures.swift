import Foundation
import Glibc

/// What can be measured of a program that answers each line of its input with one line.
enum Figures {
    private static let ping = #"{"jsonrpc":"2.0","id":1,"method":"ping"}"# + "\n"

    /// Milliseconds from the start of the process to its first answer.
    static func spawn(_ command: [String]) throws -> Double {
        let start = now()
        let child = try Child(command)
        defer { child.end() }
        child.write(Array(ping.utf8))
        child.readLines(1)
        return (now() - start) * 1e3
    }

    /// The resident memory of a process that has answered one request.
    static func residentMebibytes(_ command: [String]) throws -> String {
        let child = try Child(command)
        defer { child.end() }
        child.write(Array(ping.utf8))
        child.readLines(1)
        let status = try String(contentsOfFile: "/proc/\(child.id)/status", encoding: .utf8)
        let resident = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }?.split(whereSeparator: \.isWhitespace)
        let kibibytes = resident.flatMap { Double($0[1]) } ?? 0
        return String(format: "%.1f", kibibytes / 1024)
    }

    /// Microseconds for each request and its answer, one after another.
    static func pingPong(_ command: [String], count: Int) throws -> [Double] {
        let child = try Child(command)
        defer { child.end() }
        let request = Array(ping.utf8)
        var times: [Double] = []
        times.reserveCapacity(count)
        for _ in 0..<count + 1_000 {
            let start = now()
            child.write(request)
            child.readLines(1)
            times.append((now() - start) * 1e6)
        }
        return Array(times.dropFirst(1_000))
    }

    /// Requests a second with so many always in flight.
    static func pipelined(_ command: [String], count: Int, window: Int) throws -> Double {
        let child = try Child(command)
        defer { child.end() }
        var next = 0
        func requests(_ count: Int) -> [UInt8] {
            var bytes: [UInt8] = []
            for _ in 0..<count {
                next += 1
                bytes += Array("{\"jsonrpc\":\"2.0\",\"id\":\(next),\"method\":\"ping\"}\n".utf8)
            }
            return bytes
        }
        // Made beforehand, so that the figure is the host's and not this program's.
        let first = requests(window)
        let rest = (0..<(count - window) / 32).map { _ in requests(32) }
        let start = now()
        child.write(first)
        var owed = 0
        var sent = 0
        var answered = 0
        while answered < count - window {
            let lines = child.readLines(1)
            answered += lines
            owed += lines
            while owed >= 32, sent < rest.count {
                child.write(rest[sent])
                sent += 1
                owed -= 32
            }
            if sent == rest.count, answered >= window + rest.count * 32 { break }
        }
        return Double(answered) / (now() - start)
    }

    /// Median, 99th percentile and the range.
    static func row(_ values: [Double], unit: String) -> String {
        let sorted = values.sorted()
        let p99 = sorted[min(sorted.count - 1, sorted.count * 99 / 100)]
        return String(format: "median %.2f %@, p99 %.2f, best %.2f", sorted[sorted.count / 2], unit, p99, sorted[0])
    }

    /// Seconds of the monotonic clock.
    static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
