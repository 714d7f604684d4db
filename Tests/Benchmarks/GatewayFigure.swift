import Foundation

/// 200 people at once who follow their turns through the example gateway: its own test, which fails when a token is lost.
enum GatewayFigure {
    static func gateway(_ place: Workplace) throws -> [Figure] {
        let folder = Workplace.root.appendingPathComponent("examples/gateway").path
        if !FileManager.default.isExecutableFile(atPath: "\(folder)/.venv/bin/python") {
            Workplace.progress("  installing what the gateway needs")
            try Child(["\(folder)/install", "requirements.txt"]).finish()
        }
        let run = "cd '\(folder)' && exec .venv/bin/python -B -m unittest tests.test_load"
        let test = try Child(["/bin/sh", "-c", run], environment: ["PARLEY": URL(fileURLWithPath: place.parley).standardized.path])
        var rate, gateway, parley: Double?
        try test.lines { line in
            guard let match = line.text.firstMatch(of: /(\d+) tokens a second:.* the gateway took (\d+)%, Parley (\d+)%/) else {
                return false
            }
            (rate, gateway, parley) = (Double(match.1), Double(match.2), Double(match.3))
            return true
        }
        try test.finish()
        guard let rate, let gateway, let parley else { throw Wrong("the gateway's test does not say what it has found") }
        return [
            Figure(
                title: "200 open streams through the gateway, Parley's CPU", name: "gateway", unit: "% of a core", runs: [Run(parley)],
                floor: .init(name: "the gateway's", runs: [Run(gateway)]),
                remarks: ["no token lost, \(Statistics.text(rate)) tokens a second"])
        ]
    }
}
