import BenchmarkFloors
import Foundation

/// What a host costs before it is asked anything.
enum StartFigures {
    /// From the start of the process to the answer to `initialize`, with a database that exists.
    static func spawn(_ place: Workplace) throws -> [Figure] {
        let command = place.serve("start.db")
        try Host(command).child.finish()
        var (runs, floors) = ([Run](), [Run]())
        for _ in 0..<5 {
            var (times, floorTimes) = ([Double](), [Double]())
            for _ in 0..<12 {
                times.append(try milliseconds(command))
                floorTimes.append(try milliseconds(place.echo))
            }
            runs.append(Run(samples: times))
            floors.append(Run(samples: floorTimes))
        }
        return [
            Figure(
                title: "spawn to initialize reply", name: "spawn", unit: "ms", targets: [.atMost(10)], runs: runs,
                floor: .init(name: "C echo", runs: floors))
        ]
    }

    private static func milliseconds(_ command: [String]) throws -> Double {
        let start = floor_now()
        let child = try Child(command)
        try child.write(Host.initialize)
        try child.lines { _ in true }
        return (floor_now() - start) * 1e3
    }

    /// The memory of a host that has answered one request and has had nothing to do for a second.
    static func idle(_ place: Workplace) throws -> [Figure] {
        try Host(place.serve("start.db")).child.finish()
        func memory(_ command: [String]) throws -> Run {
            let child = try Child(command)
            try child.write(Host.initialize)
            try child.lines { _ in true }
            usleep(1_000_000)
            return Run(try child.memory("VmRSS"))
        }
        var (runs, floors) = ([Run](), [Run]())
        for _ in 0..<3 {
            runs.append(try memory(place.serve("start.db")))
            floors.append(try memory(place.echo))
        }
        return [
            Figure(
                title: "idle RSS", name: "idle", unit: "MiB", targets: [.atMost(30)], runs: runs, floor: .init(name: "C echo", runs: floors)
            )
        ]
    }
}
