import BenchmarkFloors
import Foundation
import Glibc

/// Drives a release binary from outside, over pipes, and prints one table of what it measured: `"$(examples/build Benchmarks)" "$(examples/build)"`.
///
/// Every figure stands beside that of a floor measured in the same run, because machines differ and drift; ratios are what to compare. The
/// exit code tells whether something was lost or wrong (1), not whether targets were met.
@main
enum Benchmarks {
    /// What can be asked for by name.
    private static let chapters: [(name: String, measure: @Sendable (Workplace) throws -> [Figure])] = [
        ("spawn", StartFigures.spawn),
        ("idle", StartFigures.idle),
        ("ping", RequestFigures.ping),
        ("pipelined", RequestFigures.pipelined),
        ("reads", RequestFigures.reads),
        ("turn", TurnFigures.first),
        ("cancel", TurnFigures.cancel),
        ("relay", RelayFigures.relay),
        ("soak", SoakFigure.soak),
        ("durable", DurableFigures.durable),
        ("filled", DurableFigures.filled),
        ("gateway", GatewayFigure.gateway),
        ("admission", AdmissionFigure.admission),
        ("statements", DurableFigures.statements),
    ]

    /// What only is measured when it is asked for.
    private static let special: Set = ["admission", "statements"]

    private static let usage = """
        usage: Benchmarks PATH-OF-PARLEY [FIGURE…] [--json] [--compare PEER,…]
          figures: \(chapters.map(\.name).joined(separator: ", ")); without a name, all but the last two.
          soak may have seconds and streams behind it: soak 60 1000
          peers, if they are on the PATH: \(Peers.names.joined(separator: ", "))
        """

    static func main() throws {
        if CommandLine.arguments.dropFirst().first == "--upstream" { exit(floor_upstream()) }
        var (names, numbers, peers, isJSON) = ([String](), [Int](), [String](), false)
        var arguments = CommandLine.arguments.dropFirst()
        while let argument = arguments.popFirst() {
            if argument == "--json" {
                isJSON = true
            } else if argument == "--compare" {
                peers = (arguments.popFirst() ?? "").split(separator: ",").map(String.init)
            } else if let number = Int(argument) {
                numbers.append(number)
            } else {
                names.append(argument)
            }
        }
        guard let parley = names.first, names.dropFirst().allSatisfy({ name in chapters.contains { $0.name == name } }),
            peers.allSatisfy(Peers.names.contains)
        else {
            print(usage)
            exit(64)
        }
        names.removeFirst()
        var place = try Workplace(parley: parley)
        place.numbers = numbers
        // A pipe that nobody reads is an error of writing, as any other.
        signal(SIGPIPE, SIG_IGN)
        var report = Report(commit: try version(of: parley))
        for (name, measure) in chapters where names.isEmpty ? !special.contains(name) : names.contains(name) {
            Workplace.progress(name)
            do {
                report.figures += try measure(place)
            } catch {
                report.wrong.append((name, "\(error)"))
            }
        }
        for peer in peers {
            Workplace.progress(peer)
            do {
                let figures = try Peers.figures(peer, place)
                if figures == nil { report.remarks.append("\(peer) is not installed: it is not on the PATH") }
                report.figures += figures ?? []
            } catch {
                report.remarks.append("\(peer) could not be measured: \(error)")
            }
        }
        place.remove()
        if isJSON { try report.printJSON() } else { report.printTable() }
        exit(report.wrong.isEmpty ? 0 : 1)
    }

    /// What a program says of the commit that it was built from.
    private static func version(of parley: String) throws -> String {
        let child = try Child([parley, "--version"])
        var version = ""
        try child.lines {
            version = $0.text
            return true
        }
        try child.finish()
        return version
    }
}
