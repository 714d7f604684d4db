import ArgumentParser

/// The program.
@main
struct Parley: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parley",
        abstract: "An agent host: conversations, bots and language models over JSON-RPC lines on stdin and stdout.",
        version: "parley \(Version.withCommit)",
        subcommands: [Serve.self, Config.self, Doctor.self, DB.self, Quota.self, Schema.self, Replay.self]
    )
}
