import ArgumentParser

/// The program.
@main
struct Parley: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parley",
        abstract: "An agent host: conversations, bots and language models over JSON-RPC lines on stdin and stdout.",
        version: Version.current,
        subcommands: [Serve.self, Chat.self, Ask.self, Config.self, DB.self, Quota.self, Schema.self, Replay.self]
    )
}
