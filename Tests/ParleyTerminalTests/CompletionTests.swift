import Testing

@testable import ParleyTerminal

struct CompletionTests {
    private static let commands = [
        Command([
            "name": "create_bot", "usage": "/create_bot NAME", "description": "Make a bot.",
            "inputSchema": [
                "properties": ["name": [:], "model": ["description": "The model."], "description": [:]], "required": ["name"],
            ],
        ]),
        Command(["name": "list_bots", "inputSchema": ["properties": ["scope": ["enum": ["own", "published", "all"]]], "required": []]]),
        Command(["name": "create", "inputSchema": [:]]),
        Command(["nothing": true]),
    ].compactMap(\.self)

    @Test(
        arguments: [
            ("", []), ("hello /c", []), ("/", ["/create_bot", "/list_bots", "/create"]), ("/CR", ["/create_bot", "/create"]), ("/x", []),
            ("/list_bots ", ["own", "published", "all"]), ("/list_bots p", ["published"]), ("/list_bots --", ["--scope"]),
            ("/list_bots --scope a", ["all"]), ("/list_bots own ", []), ("/create_bot ", ["<create_bot.name>"]),
            ("/create_bot Ada --m", ["--model"]), ("/create_bot Ada --model ", ["<create_bot.model>"]), ("/nope ", []), ("/c\n", []),
        ] as [(String, [String])])
    func candidates(before: String, expected: [String]) {
        let completion = Completion(before: before, commands: Self.commands) { [.init("<\($0).\($1)>")] }
        #expect(completion.candidates.map(\.text) == expected)
    }

    @Test func common() {
        #expect(Completion(before: "/c", commands: Self.commands) { _, _ in [] }.common == "/create")
        #expect(Completion(before: "/", commands: Self.commands) { _, _ in [] }.common == "/")
    }
}
