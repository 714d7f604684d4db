import Foundation
import Glibc

/// What a whole run says: where and when it was taken, and the table.
struct Report {
    let machine = Machine()
    var commit: String
    var figures: [Figure] = []
    /// Chapters that came to nothing because something was lost or wrong.
    var wrong: [(chapter: String, what: String)] = []
    /// Peers that were asked for and are not there, and the like.
    var remarks: [String] = []

    /// The table, for people.
    func printTable() {
        print("\(commit), \(machine.date)")
        print(
            "\(machine.processor), \(machine.cores) cores, \(machine.kernel); load \(machine.load) before, \(Machine.currentLoad) after\n")
        let head = ["figure", "target", "median", "p99", "spread over runs", "floor", "ratio", ""]
        let rows = figures.map(cells)
        let widths = head.indices.map { column in ([head] + rows).map { $0[column].count }.max() ?? 0 }
        for row in [head, widths.map { String(repeating: "-", count: $0) }] + rows {
            let line = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
            print(line.replacing(/[ ]+$/, with: ""))
        }
        let notes = figures.flatMap { figure in figure.remarks.map { "\(figure.title): \($0)" } } + remarks
        if !notes.isEmpty { print("\n" + notes.joined(separator: "\n")) }
        for (chapter, what) in wrong { print("WRONG: \(chapter): \(what)") }
    }

    private func cells(_ figure: Figure) -> [String] {
        let verdicts = figure.targets.map { figure.meets($0) }
        let floor = figure.floor.map { floor in
            "\(Statistics.text(Statistics.median(floor.runs.map(\.median)))) (\(floor.name))"
        }
        return [
            figure.title, figure.targets.map { $0.text(unit: figure.unit) }.joined(separator: ", "),
            "\(Statistics.text(figure.median)) \(figure.unit)", figure.p99.map { Statistics.text($0) } ?? "",
            figure.runs.count > 1 ? "\(Statistics.text(figure.spread.low)) – \(Statistics.text(figure.spread.high))" : "",
            floor ?? "", figure.ratio.map { Statistics.text($0) } ?? "",
            verdicts.isEmpty ? "" : verdicts.allSatisfy { $0 } ? "met" : "missed",
        ]
    }

    /// The same for machines: one JSON object.
    func printJSON() throws {
        func numbers(_ runs: [Run]) -> [[String: Double]] {
            runs.map { run in ["median": run.median].merging(run.p99.map { ["p99": $0] } ?? [:]) { $1 } }
        }
        let figures: [[String: Any]] = figures.map { figure in
            var object: [String: Any] = [
                "name": figure.name, "title": figure.title, "unit": figure.unit, "median": figure.median, "low": figure.spread.low,
                "high": figure.spread.high, "runs": numbers(figure.runs), "remarks": figure.remarks,
                "targets": figure.targets.map { ["target": $0.text(unit: figure.unit), "met": figure.meets($0)] as [String: Any] },
            ]
            if let p99 = figure.p99 { object["p99"] = p99 }
            if let ratio = figure.ratio { object["ratio"] = ratio }
            if let floor = figure.floor { object["floor"] = ["name": floor.name, "runs": numbers(floor.runs)] as [String: Any] }
            return object
        }
        let object: [String: Any] = [
            "commit": commit, "date": machine.date, "processor": machine.processor, "cores": machine.cores, "kernel": machine.kernel,
            "load": ["before": machine.load, "after": Machine.currentLoad], "figures": figures, "remarks": remarks,
            "wrong": wrong.map { ["chapter": $0.chapter, "what": $0.what] },
        ]
        let data = try JSONSerialization.data(withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        print(String(decoding: data, as: UTF8.self))
    }
}

/// The machine that a run was taken on.
struct Machine {
    let date = Date().formatted(.iso8601)
    let processor: String
    let cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
    let kernel: String
    /// The load average when the run began.
    let load = Machine.currentLoad

    init() {
        let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.split(separator: "\n") ?? []
        let name = lines.first { $0.hasPrefix("model name") }?.split(separator: ":").last
        processor = name.map { $0.trimmingCharacters(in: .whitespaces) } ?? "an unknown processor"
        let release = (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)) ?? ""
        kernel = "Linux " + release.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The load averages of one, five and fifteen minutes.
    static var currentLoad: String {
        let text = (try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8)) ?? ""
        return text.split(separator: " ").prefix(3).joined(separator: " ")
    }
}
