import ArgumentParser

/// The program.
@main
struct Parley: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parley",
        abstract: "An agent host: conversations, bots and language models over JSON-RPC lines on stdin and stdout.",
        discussion: """
            `parley serve` is what a gateway, an editor or a script starts and talks to; `parley chat` is a client in a terminal. `parley doctor` \
            looks at the settings, the database and the models, and says what to do when something does not work. Every setting has a flag \
            (--set), a PARLEY_… variable and a place in a settings file: `parley config` lists them.
            """,
        version: "parley \(Version.withCommit)",
        subcommands: [Serve.self, Chat.self, Ask.self, Config.self, Doctor.self, DB.self, Quota.self, Schema.self, Replay.self]
    )
    /// Runs what the command line asks for.
    static func main() async {
        guard let flags = ServeFlags(plain: Array(CommandLine.arguments.dropFirst())) else { return await main(nil) }
        do {
            try await Serve.run(flags)
        } catch {
            exit(withError: error)
        }
    }
}
