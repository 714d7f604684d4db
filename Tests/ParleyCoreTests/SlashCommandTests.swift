import JSON
import ParleyTestSupport
import Testing

@testable import ParleyCore

/// What is a command, how its line is split, and what arguments that makes.
@Suite("Slash commands") struct SlashCommandTests {
    @Test(
        "a command is a slash, or a slash and a name and then the end or white space",
        arguments: [
            ("/", nil, ""), ("/ ", nil, ""), ("/\n\t", nil, ""), ("/help", "help", ""), ("/help\n", "help", ""),
            ("/create_bot  Ada \n", "create_bot", "Ada"), ("/a-b_9 x y", "a-b_9", "x y"), ("/title\u{2028}x", "title", "x"),
        ] as [(String, String?, String)])
    func isCommand(text: String, name: String?, rest: String) throws {
        let command = try #require(SlashCommand(text))
        #expect(command.name == name && command.rest == rest)
    }

    @Test(
        "everything else is plain text",
        arguments: [
            "", " /help", "help", "//", "// TODO", "/usr/bin", "/Help", "/9", "/_a", "/-a", "/a.b", "/é", "/ab\u{301}", "/ help", "/a/b",
            "\u{FEFF}/help",
        ])
    func isPlainText(text: String) {
        #expect(SlashCommand(text) == nil)
    }

    @Test(
        "words are split as in a shell",
        arguments: [
            ("", []), ("a b", ["a", "b"]), ("  a\t\n b ", ["a", "b"]), (#""a b" c"#, ["a b", "c"]), (#"'a "b' c"#, ["a \"b", "c"]),
            (#"a\ b"#, ["a b"]), (#""a\"b\\c\d""#, [#"a"b\c\d"#]), (#"'a\'"#, [#"a\"#]), (#"a"b c"d"#, ["ab cd"]), (#""""#, [""]),
            ("“a b” c", ["a b", "c"]), ("„a b“", ["a b"]), (#"it\'s"#, ["it's"]), (#"a\"#, [#"a\"#]), ("-5 -x", ["-5", "-x"]),
            ("a’s", ["a’s"]), ("A — B", ["A", "—", "B"]), ("Tom's and Ada's", ["Tom's", "and", "Ada's"]), ("a'b c'd", ["a'b", "c'd"]),
            ("l'été 'n' '9'", ["l'été", "n", "9"]), ("—", ["—"]), ("—5", ["—5"]),
        ] as [(String, [String])])
    func splits(line: String, words: [String]) {
        let split = CommandWords.split(line)
        #expect(split?.map(\.text) == words)
        #expect(split?.allSatisfy { $0.option == nil } ?? false)
    }

    @Test("a quote that is not closed is no line", arguments: [#""a"#, "'a b", #"a "b\""#, "“a", #"a'"#])
    func isOpen(line: String) {
        #expect(CommandWords.split(line) == nil)
    }

    @Test(
        "options have names, and values after a sign",
        arguments: [
            ("--a", "a", nil), ("--a-b=c d", "a-b", "c"), (#"--a="c d""#, "a", "c d"), ("--a=", "a", ""), ("--a=b=c", "a", "b=c"),
            ("—a", "a", nil), ("—a=b", "a", "b"), ("--_x='=\u{301}'", "_x", "=\u{301}"), (#"--a='\u0301'"#, "a", #"\u0301"#),
        ] as [(String, String, String?)])
    func isOption(line: String, name: String, value: String?) throws {
        let option = try #require(CommandWords.split(line)?.first?.option)
        #expect(option.name == name && option.value == value)
    }

    @Test(
        "what is quoted, or follows two hyphens, is no option",
        arguments: [#""--a""#, #"'--a=b'"#, #"\--a"#, "-- --a", "--5", "---", "-a", #"--"a"=b"#])
    func isNoOption(line: String) {
        #expect(CommandWords.split(line)?.allSatisfy { $0.option == nil } ?? false)
    }

    private static let city: JSONValue = [
        "type": "object",
        "properties": [
            "days": ["type": ["integer", "null"]], "city": ["type": "string"], "wind": ["type": "boolean"], "isCold": ["type": "boolean"],
            "hours": ["type": "array", "items": ["type": "integer"]], "tags": ["type": "array", "items": ["type": "string"]],
            "where": ["type": "object"], "any": [:], "unit": ["enum": ["C", "F"]], "limit": ["type": ["string", "integer"]],
        ],
        "required": ["city"],
    ]
    private static let list: JSONValue = [
        "type": "object", "properties": ["name": ["type": "string"], "numbers": ["type": "array", "items": ["type": "number"]]],
        "required": ["name", "numbers"],
    ]
    /// As generators of schemas write optional fields and named types.
    private static let wrapped: JSONValue = [
        "type": "object",
        "properties": [
            "count": ["$ref": "#/$defs/count"], "note": ["anyOf": [["type": "string"], ["type": "null"]]],
            "tags": ["oneOf": [["type": "null"], ["type": "array", "items": ["$ref": "#/$defs/word"]]]],
            "unit": ["allOf": [["type": "string"]]],
        ],
        "required": ["count"], "$defs": ["count": ["type": "integer"], "word": ["type": "string"]],
    ]
    private static let free: JSONValue = ["type": "object", "properties": ["n": ["type": "number"], "m": ["type": "string"]]]

    @Test(
        "arguments follow the schema",
        arguments: [
            (city, "Rome", #"{"city":"Rome"}"#), (city, "New York", #"{"city":"New York"}"#), (city, "", "{}"),
            (city, "Rome --days 3", #"{"days":3,"city":"Rome"}"#), (city, "--days null Rome", #"{"days":null,"city":"Rome"}"#),
            (city, "--days=-3.50 Rome", #"{"days":-3.50,"city":"Rome"}"#), (city, "--days many", #"{"days":"many"}"#),
            (city, "Rome --wind", #"{"wind":true,"city":"Rome"}"#), (city, "--wind false Rome", #"{"wind":false,"city":"Rome"}"#),
            (city, "--wind Rome", #"{"wind":true,"city":"Rome"}"#), (city, "--is-cold", #"{"isCold":true}"#),
            (city, "--IS_COLD", #"{"isCold":true}"#),
            (city, "--hours 6 --hours 18", #"{"hours":[6,18]}"#), (city, "--hours [6,18] --hours 9", #"{"hours":[6,18,9]}"#),
            (city, "--tags a --tags 'b c'", #"{"tags":["a","b c"]}"#), (city, #"--where '{"x":1}'"#, #"{"where":{"x":1}}"#),
            (city, "--any 5 --unit C --limit 5", #"{"any":5,"unit":"C","limit":"5"}"#), (city, "--any five", #"{"any":"five"}"#),
            (city, "Rome —days 3", #"{"days":3,"city":"Rome"}"#), (city, "Rome —the eternal—", #"{"city":"Rome —the eternal—"}"#),
            (city, "--city Rome", #"{"city":"Rome"}"#), (city, "-- --days", #"{"city":"--days"}"#), (city, "42", #"{"city":"42"}"#),
            (list, "a 1 2 3", #"{"name":"a","numbers":[1,2,3]}"#), (list, "a", #"{"name":"a"}"#),
            (list, "--numbers 1 b", #"{"numbers":[1],"name":"b"}"#),
            (list, "a [1,2]", #"{"name":"a","numbers":[1,2]}"#),
            (free, "1", #"{"n":1}"#), (free, "--m x 1", #"{"m":"x","n":1}"#),
            (wrapped, "5 --note 2024 --tags 1 --tags b", #"{"note":"2024","tags":["1","b"],"count":5}"#),
            (wrapped, "--note null --unit x", #"{"note":null,"unit":"x"}"#), (["type": "object"], "", "{}"),
        ] as [(JSONValue, String, String)])
    func reads(schema: JSONValue, line: String, expected: String) throws {
        var arguments = CommandArguments(of: try ToolDefinition(name: "t", summary: "", category: "", inputSchema: schema))
        try arguments.read(line)
        #expect(String(decoding: JSONWriter.encode(arguments.value), as: UTF8.self) == expected)
    }

    @Test(
        "what is no arguments is told why",
        arguments: [
            (city, #""a"#, "A quote is not closed: put the text between double quotes, or a backslash before an apostrophe."),
            (city, "--dayz 3", "There is no field `--dayz`. Did you mean `--days`?"),
            (city, "--nothing-like-it", "There is no field `--nothing-like-it`."), (city, "--days", "`--days` needs a value."),
            (city, "--days --wind", "`--days` needs a value."), (city, "--days 1 --days 2", "`--days` is given twice."),
            (city, "--city Rome Paris", "It is not clear what “Paris” is: name its field, `--field value`."),
            (free, "1 2", "There are more words than arguments; quotes keep words together."),
            (["type": "object"], "x", "It takes no arguments."),
        ] as [(JSONValue, String, String)])
    func refuses(schema: JSONValue, line: String, sentence: String) throws {
        var arguments = CommandArguments(of: try ToolDefinition(name: "t", summary: "", category: "", inputSchema: schema))
        #expect(throws: CommandArguments.Problem(sentence: sentence)) { try arguments.read(line) }
    }

    @Test(
        "a whole message is one value",
        arguments: [
            (city, "city", " New\nYork ", #""New\nYork""#), (city, "days", "3", "3"), (city, "days", "three", #""three""#),
            (city, "wind", "true", "true"),
            (city, "hours", "6 18", "[6,18]"), (city, "hours", "[6, 18]", "[6,18]"), (city, "tags", "a 'b c'", #"["a","b c"]"#),
            (city, "tags", "it's", #"["it's"]"#),
        ] as [(JSONValue, String, String, String)])
    func takes(schema: JSONValue, field: String, message: String, expected: String) throws {
        var arguments = CommandArguments(of: try ToolDefinition(name: "t", summary: "", category: "", inputSchema: schema))
        arguments.take(message, as: field)
        let value = try #require(arguments.value[field])
        #expect(String(decoding: JSONWriter.encode(value), as: UTF8.self) == expected)
    }

    @Test("many words take no more time a word than few")
    func manyWords() throws {
        let definition = try ToolDefinition(name: "t", summary: "", category: "", inputSchema: Self.list)
        var loose = CommandArguments(of: definition)
        try loose.read("a " + String(repeating: "1 ", count: 200_000))
        #expect(loose.value["numbers"]?.arrayValue?.count == 200_000)
        var named = CommandArguments(of: definition)
        try named.read(String(repeating: "--numbers 1 ", count: 50_000) + "a")
        #expect(named.value["numbers"]?.arrayValue?.count == 50_000)
    }

    @Test("usage is written as people write it")
    func usage() throws {
        func usage(_ schema: JSONValue) throws -> String {
            CommandHelp.usage(of: try ToolDefinition(name: "t", summary: "", category: "", inputSchema: schema))
        }
        #expect(
            try usage(Self.city)
                == "/t CITY [--days NUMBER] [--wind] [--isCold] [--hours VALUE…] [--tags TEXT…] [--where JSON] [--any JSON] [--unit C|F] [--limit TEXT]"
        )
        #expect(try usage(Self.list) == "/t NAME NUMBERS…")
        #expect(try usage(Self.free) == "/t [N] [--m TEXT]")
        #expect(try usage(["type": "object"]) == "/t")
    }

    @Test("any words come back from a line in which they are quoted", arguments: 0..<200)
    func roundTrip(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let letters: [Character] = ["a", "-", "=", " ", "\n", "\"", "'", "\\", "“", "”", "„", "—", "é", "🙂", "\u{301}"]
        let words = (0..<Int.random(in: 0...6, using: &generator)).map { _ in
            String((0..<Int.random(in: 0...8, using: &generator)).map { _ in letters.randomElement(using: &generator) ?? "a" })
        }
        let line = words.map { word in
            "'" + word.unicodeScalars.map { $0 == "'" ? #"'\''"# : String($0) }.joined() + "'"
        }
        let split = CommandWords.split(line.joined(separator: " "))
        #expect(split?.map { Array($0.text.utf8) } == words.map { Array($0.utf8) })
    }

    @Test("nothing that somebody may write is too much", arguments: 0..<200)
    func anything(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let pieces = [
            "/", "--", "—", "=", "\"", "'", "\\", " ", "\n", "days", "city", "[1", "{}", "true", "“", "x", "\u{0}", "🙂", "hours", "9",
        ]
        let text = (0..<Int.random(in: 0...24, using: &generator)).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
        _ = SlashCommand(text)
        let definition = try ToolDefinition(name: "t", summary: "", category: "", inputSchema: Self.city)
        var arguments = CommandArguments(of: definition)
        do throws(CommandArguments.Problem) {
            try arguments.read(text)
        } catch {
            #expect(!error.sentence.isEmpty)
        }
        arguments.take(text, as: "hours")
        #expect(arguments.value.objectValue != nil)
        _ = definition.violations(of: arguments.value)
    }
}
