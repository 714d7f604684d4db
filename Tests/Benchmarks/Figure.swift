import Foundation

/// One line of the table: what was measured, against what it is held, and the floor that was measured in the same run.
struct Figure {
    /// What is measured, for people.
    var title: String
    /// A short name for machines, which stays.
    var name: String
    var unit: String
    /// What is aimed at; nothing for what is only shown.
    var targets: [Target] = []
    /// One for each run.
    var runs: [Run]
    /// The same of a program that does nothing beside, measured between the runs.
    var floor: Floor?
    /// What else is to be known, in the lines below the table.
    var remarks: [String] = []

    /// What a floor is, and what it takes.
    struct Floor {
        var name: String
        var runs: [Run]
    }

    /// The median of the runs' medians.
    var median: Double { Statistics.median(runs.map(\.median)) }
    /// The median of the runs' 99th percentiles, where there are any.
    var p99: Double? { runs.first?.p99 == nil ? nil : Statistics.median(runs.compactMap(\.p99)) }
    /// The least and the greatest of the runs' medians.
    var spread: (low: Double, high: Double) { (runs.map(\.median).min() ?? 0, runs.map(\.median).max() ?? 0) }
    /// How the median compares with that of the floor.
    var ratio: Double? { floor.map { median / Statistics.median($0.runs.map(\.median)) } }

    /// Whether a target is reached.
    func meets(_ target: Target) -> Bool {
        switch target {
        case .atMost(let most): median <= most
        case .atLeast(let least): median >= least
        case .reachesWithinSpread(let least): spread.high >= least
        case .p99AtMost(let most): (p99 ?? .infinity) <= most
        case .timesFloorAtMost(let most): (ratio ?? .infinity) <= most
        case .timesFloorAtLeast(let least): (ratio ?? 0) >= least
        }
    }
}

/// Something that a figure shall reach.
enum Target {
    case atMost(Double)
    case atLeast(Double)
    /// At least something that was measured too, by the best of the runs.
    case reachesWithinSpread(Double)
    case p99AtMost(Double)
    case timesFloorAtMost(Double)
    case timesFloorAtLeast(Double)

    func text(unit: String) -> String {
        switch self {
        case .atMost(let most): "≤ \(Statistics.text(most)) \(unit)"
        case .atLeast(let least): "≥ \(Statistics.text(least)) \(unit)"
        case .reachesWithinSpread(let least): "≥ \(Statistics.text(least)) \(unit) in its spread"
        case .p99AtMost(let most): "p99 ≤ \(Statistics.text(most)) \(unit)"
        case .timesFloorAtMost(let most): "≤ \(Statistics.text(most)) × floor"
        case .timesFloorAtLeast(let least): "≥ \(Statistics.text(least)) × floor"
        }
    }
}

/// What one run has given: a value for each sample, or one for all.
struct Run {
    var median: Double
    var p99: Double?

    /// A run that gives one value.
    init(_ value: Double) {
        median = value
    }

    /// A run with many samples.
    init(samples: [Double]) {
        let sorted = samples.sorted()
        median = Statistics.median(sorted)
        p99 = sorted[min(sorted.count - 1, sorted.count * 99 / 100)]
    }
}

/// Numbers, and how they are shown.
enum Statistics {
    static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        guard let last = sorted.last else { return .nan }
        return sorted.count % 2 == 1 ? sorted[sorted.count / 2] : (sorted[sorted.count / 2 - 1] + min(sorted[sorted.count / 2], last)) / 2
    }

    /// Three digits that count, and thousands as such.
    static func text(_ value: Double) -> String {
        switch abs(value) {
        case 1_000_000...: String(format: "%.3gM", value / 1_000_000)
        case 10_000...: String(format: "%.0fk", value / 1_000)
        case 1_000...: String(format: "%.2fk", value / 1_000)
        case 100...: String(format: "%.0f", value)
        case 0: "0"
        default: String(format: "%.3g", value)
        }
    }
}

/// Something was lost, or came otherwise than it must, so that no figure of it would mean anything.
struct Wrong: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}
