/// What could stand where somebody asks for it while a message is written.
struct Completion: Hashable, Sendable {
    /// One possibility.
    struct Candidate: Hashable, Sendable {
        /// What stands then.
        var text: String
        /// What it means; may be empty.
        var hint: String

        init(_ text: String, _ hint: String = "") {
            self.text = text
            self.hint = hint
        }
    }

    /// How many characters before the cursor are what is completed.
    let count: Int
    let candidates: [Candidate]

    /// What all candidates have in common, if that is more than what was written.
    var common: String {
        guard let first = candidates.first?.text else { return "" }
        return candidates.dropFirst().reduce(first) { $0.commonPrefix(with: $1.text) }
    }

    /// Completes a slash command: its name, its fields, their values.
    ///
    /// - Parameters:
    ///   - before: the text before the cursor.
    ///   - commands: those that there are.
    ///   - values: what an argument can be: a field's name and its command's are given.
    init(before: String, commands: [Command], values: (_ command: String, _ field: String) -> [Candidate]) {
        guard before.hasPrefix("/"), !before.contains("\n") else {
            self.init(count: 0, candidates: [])
            return
        }
        let words = before.split(separator: " ", omittingEmptySubsequences: false)
        let word = String(words.last ?? "")
        guard words.count > 1 else {
            let names = commands.map { Candidate("/" + $0.name, $0.summary) }
            self.init(word, names)
            return
        }
        guard let command = commands.first(where: { "/" + $0.name == words[0] }) else {
            self.init(count: 0, candidates: [])
            return
        }
        if word.hasPrefix("-") {
            self.init(word, command.fields.map { Candidate("--" + $0.name, $0.summary) })
            return
        }
        let previous = words[words.count - 2]
        let field =
            previous.hasPrefix("--")
            ? command.fields.first { "--" + $0.name == previous }
            // Words without a name go to the required fields in their order, and where there are none to the first.
            : command.positionalField(words.count - 2)
        guard let field else {
            self.init(count: 0, candidates: [])
            return
        }
        self.init(word, field.values.isEmpty ? values(command.name, field.name) : field.values.map { Candidate($0) })
    }

    private init(_ word: String, _ all: [Candidate]) {
        self.init(count: word.count, candidates: all.filter { $0.text.lowercased().hasPrefix(word.lowercased()) })
    }

    private init(count: Int, candidates: [Candidate]) {
        self.count = count
        self.candidates = candidates
    }
}

extension String {
    fileprivate func commonPrefix(with other: String) -> String {
        String(zip(self, other).prefix { $0 == $1 }.map(\.0))
    }
}
