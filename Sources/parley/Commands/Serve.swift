import ArgumentParser
import Dispatch
import Foundation
import Glibc
import JSONRPC

/// `parley serve`: the host.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve JSON-RPC 2.0 lines on stdin and stdout until stdin ends.",
        discussion: """
            Exit codes: 0 at the end of input, after SIGTERM or SIGINT, when the client is gone, and with --exit-with-parent when the \
            parent process is; 64 for wrong flags; 69 for a database that cannot be used; 74 for a stdout that is closed; 78 for wrong \
            settings.
            """
    )

    @Flag(
        help: """
            The same requests give the same answers, byte for byte: a clock that only $/advanceClock moves, counted ids, a database in \
            memory.
            """)
    var deterministic = false

    @Flag(
        help: "End as after SIGTERM when the process that started this one has ended, even if another still holds stdin open.")
    var exitWithParent = false

    @OptionGroup var options: SettingsOptions

    var flags: ServeFlags {
        ServeFlags(isDeterministic: deterministic, exitsWithParent: exitWithParent, settings: options.flags)
    }

    func run() async throws {
        try await Self.run(flags)
    }

    /// Serves until the end.
    ///
    /// - Throws: `ExitCode`.
    static func run(_ flags: ServeFlags) async throws {
        try await reporting {
            let parent = flags.exitsWithParent ? try ParentWatch() : nil
            prepareProcess()
            let output = try StandardOutput.claim()
            let composition = try await Composition.open(flags.settings, deterministic: flags.isDeterministic)
            let signals = [SIGTERM, SIGINT].map { (number: Int32) in
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
                source.setEventHandler { composition.host.end(.terminating) }
                source.resume()
                return source
            }
            parent?.start { composition.host.end(.terminating) }
            await composition.serve(input: STDIN_FILENO, output: output)
            withExtendedLifetime(signals) {}
        }
    }

    /// Undoes what a parent may have left behind: blocked signals, and a low bound on open files, of which each model's stream needs one.
    private static func prepareProcess() {
        // Writing to a client or a log that is gone is an error like others, and so is a file that may not grow any more.
        for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        sigprocmask(SIG_UNBLOCK, &signals, nil)
        var files = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files) == 0 else { return }
        files.rlim_cur = files.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
    }
}
