import JSON

@testable import ParleyCore

/// The first line is the schema of a tool's arguments, if it is one; the rest is a message, whose command is the tool's when it has the
/// tool's name.
enum CommandTarget {
    private struct Tools: ToolSource {
        let name = "fuzzed"
        let definitions: [ToolDefinition]

        func tools() -> [ToolDefinition] { definitions }

        func call(_ call: ToolCall, in context: ToolContext) async throws(Failure) -> ToolOutput { ToolOutput(text: "") }
    }

    private static let schema: JSONValue = [
        "type": "object", "required": ["city"],
        "properties": [
            "city": ["type": "string", "minLength": 2], "days": ["type": ["integer", "null"]], "wind": ["type": "boolean"],
            "hours": ["type": "array", "items": ["type": "integer"]], "where": ["type": "object"],
            "unit": ["enum": ["C", "F"]],
        ],
    ]

    static func check(_ input: [UInt8]) throws(BrokenPromise) {
        let end = input.firstIndex(of: 0x0A)
        let written = end.flatMap { try? JSONReader.parse(Array(input[..<$0])) }
        let text = String(decoding: written == nil ? input[...] : input[((end ?? 0) + 1)...], as: UTF8.self)
        let registry: ToolRegistry
        let definition: ToolDefinition
        do throws(Failure) {
            definition = try ToolDefinition(name: "t", summary: "Tries.", category: "Fuzz", inputSchema: written ?? schema)
            registry = try ToolRegistry([Tools(definitions: [definition])]).commands
        } catch {
            // No schema: the message is still looked at.
            _ = try command(text)
            return
        }
        if let value = try? JSONReader.parse(Array(text.utf8)) {
            for violation in definition.violations(of: value) { try expect(!violation.isEmpty, "a violation says what is wrong") }
        }
        let help = CommandHelp(registry)
        try expect(!help.menu.isEmpty && !help.overview.isEmpty && !help.page(for: text).isEmpty, "there is help for everything")
        try read(text, definition)
        var step = CommandStep.next(after: try command(text), text: text, pending: nil, in: registry)
        // A command that waits for arguments gets the same message for each of them, as long as that leads anywhere.
        for _ in 0..<4 {
            switch step {
            case .call(let name, let arguments):
                try expect(name == "t", "what is called is what there is")
                try expect(definition.violations(of: arguments.value).isEmpty, "a tool gets what its schema allows")
                return
            case .answer(let answer, let pending):
                try expect(!answer.isEmpty, "every command is answered")
                guard let pending else { return }
                try expect(pending.name == "t", "what waits is what there is")
                step = CommandStep.next(after: nil, text: text, pending: pending, in: registry)
            }
        }
    }

    private static func command(_ text: String) throws(BrokenPromise) -> SlashCommand? {
        guard let command = SlashCommand(text) else { return nil }
        guard let name = command.name else {
            try expect(text.trimmed == "/", "only the slash alone has no name")
            return command
        }
        try expect(SlashCommand.isName(name), "a command has a name that a tool can have")
        try expect(command.rest == command.rest.trimmed, "there is no white space round what follows a name")
        let again = SlashCommand("/\(name)\n\(command.rest)")
        try expect(again == command, "a command that is written again is the same")
        guard let words = CommandWords.split(command.rest) else { return command }
        let quoted = words.map { word in "'" + word.text.unicodeScalars.map { $0 == "'" ? #"'\''"# : String($0) }.joined() + "'" }
        let plain = CommandWords.split(quoted.joined(separator: " ")) ?? []
        try expect(plain.map { Array($0.text.utf8) } == words.map { Array($0.text.utf8) }, "a word that is quoted is the same word")
        try expect(plain.allSatisfy { $0.option == nil }, "a word that is quoted is a value")
        return command
    }

    private static func read(_ text: String, _ definition: ToolDefinition) throws(BrokenPromise) {
        var arguments = CommandArguments(of: definition)
        do throws(CommandArguments.Problem) {
            try arguments.read(text)
        } catch {
            try expect(!error.sentence.isEmpty, "a problem is told")
        }
        let parameters = CommandParameter.all(of: definition)
        try expect(
            arguments.members.keys.allSatisfy { name in parameters.contains { $0.name == name } }, "only fields that there are get values")
        for parameter in parameters { arguments.take(text, as: parameter.name) }
        try expect(parameters.isEmpty || arguments.missing == nil, "a field that has been given is not missing")
    }
}
