import Testing

@testable import parley

/// The quick way to read the flags of `parley serve` understands the same as the parser of all commands, or nothing.
@Suite struct ServeFlagsTests {
    @Test(
        arguments: [
            ([], true), (["--deterministic"], true),
            (["--exit-with-parent", "--database", "a b.db"], true),
            (["--database=a.db", "--model", "scripted:x=y.jsonl", "--caller=userId:ada"], true),
            (["--set", "limits.maxInFlight=1", "--config", "c.json", "--set=a=b=c"], true),
            (["--log-level", "debug", "--log-format=json"], true),
            (["--record", "c.jsonl", "--set", "database=b.db", "--database", "a.db"], true), (["--set", "nonsense"], true),
            // What the parser has to explain, or may understand in its own way.
            (["--database"], false), (["--database="], false), (["--database", "--deterministic"], false), (["--set", "-1"], false),
            (["--database", "a", "--database", "b"], false), (["--deterministic", "--deterministic"], false),
            (["--deterministic=true"], false), (["--config", "a", "--config=b"], false),
            (["--help"], false), (["-h"], false), (["chat"], false), (["--nonsense", "a"], false),
            (["--", "--database", "a"], false), ([""], false), (["=a"], false), (["--set=", "a=b"], false),
        ])
    func plainFlags(arguments: [String], isPlain: Bool) throws {
        let flags = ServeFlags(plain: ["serve"] + arguments)
        #expect((flags != nil) == isPlain)
        if let flags { #expect(try Serve.parse(arguments).flags == flags) }
    }

    @Test(arguments: [[], ["chat"], ["--version"], ["Serve"], ["--database", "a", "serve"]])
    func nothingElseIsPlain(arguments: [String]) {
        #expect(ServeFlags(plain: arguments) == nil)
    }
}
