import ArgumentParser
import Dispatch
import Foundation
import Glibc
import JSONRPC

/// `parley serve`: the host.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve JSON-RPC 2.0 lines on stdin and stdout until stdin ends.",
        discussion: "Exit codes: 0 at the end of input, after SIGTERM or SIGINT, and when the client is gone; 64 for wrong flags; 69 for a database that cannot be used; 78 for wrong settings."
    )

    @OptionGroup var options: SettingsOptions

    @Flag(help: "The same requests give the same answers, byte for byte: a clock that only $/advanceClock moves, counted ids, a database in memory.")
    var deterministic = false

    func run() async throws {
        try await reporting {
            let output = try StandardOutput.claim()
            let composition = try await Composition.open(options: options, deterministic: deterministic)
            let signals = [SIGTERM, SIGINT].map { (number: Int32) in
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
                source.setEventHandler { composition.host.end(.terminating) }
                source.resume()
                return source
            }
            await composition.serve(input: STDIN_FILENO, output: output)
            withExtendedLifetime(signals) {}
        }
    }
}
