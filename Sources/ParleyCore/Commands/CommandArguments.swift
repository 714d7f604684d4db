import JSON
import JSONSchema
import OrderedCollections

/// The arguments that a command line gives a tool.
///
/// Words without a name go to the required fields in their order, or, where none is required, to the first field; the last such field takes
/// all words that are left. `--field value` and `--field=value` give any field, a list's as often as there are elements; `--field` alone sets
/// a flag; after `--` nothing is an option.
struct CommandArguments: Sendable {
    /// Why a line cannot be arguments; a sentence for a person.
    struct Problem: Error, Hashable {
        let sentence: String
    }

    /// The fields that are given, in the order in which they were written.
    private(set) var members: OrderedDictionary<String, JSONValue> = [:]
    private let parameters: [CommandParameter]

    /// Arguments that are known already.
    init(of definition: ToolDefinition, _ known: JSONValue = [:]) {
        parameters = CommandParameter.all(of: definition)
        members = known.objectValue ?? [:]
    }

    /// The arguments as the tool takes them.
    var value: JSONValue { .object(members) }

    /// The first required field that is not given.
    var missing: CommandParameter? { parameters.first { $0.isRequired && members[$0.name] == nil } }

    /// Reads a line.
    mutating func read(_ line: String) throws(Problem) {
        guard let words = CommandWords.split(line) else {
            throw Problem(
                sentence: "A quote is not closed: put the text between double quotes, or a backslash before an apostrophe.")
        }
        var loose: [String] = []
        var lists: [String: [JSONValue]] = [:]
        var index = words.startIndex
        while index < words.endIndex {
            let word = words[index]
            index += 1
            guard let option = word.option, let parameter = try parameter(for: option) else {
                loose.append(word.text)
                continue
            }
            if let value = option.value {
                try give(value, to: parameter, &lists)
            } else if parameter.form == .flag, index == words.endIndex || !["true", "false"].contains(words[index].text) {
                members[parameter.name] = true
            } else if index < words.endIndex, words[index].option == nil {
                try give(words[index].text, to: parameter, &lists)
                index += 1
            } else {
                throw Problem(sentence: "`--\(parameter.name)` needs a value.")
            }
        }
        for (name, elements) in lists { members[name] = .array(elements) }
        try give(loose)
    }

    /// Takes a whole message as a field's value.
    mutating func take(_ text: String, as field: String) {
        guard let parameter = parameters.first(where: { $0.name == field }) else { return }
        let text = text.trimmed
        if case .list = parameter.form, parameter.value(of: text).arrayValue?.count == 1, let words = CommandWords.split(text) {
            members[field] = .array(words.flatMap { parameter.value(of: $0.text).arrayValue ?? [] })
        } else {
            members[field] = parameter.value(of: text)
        }
    }

    /// Gives a field its value, or a list some more elements.
    ///
    /// - Parameter lists: what lists have so far, by name.
    private mutating func give(
        _ value: String, to parameter: CommandParameter, _ lists: inout [String: [JSONValue]]
    ) throws(Problem) {
        if case .list = parameter.form, let more = parameter.value(of: value).arrayValue {
            if lists[parameter.name] == nil { members[parameter.name] = [] }
            lists[parameter.name, default: []] += more
        } else {
            guard members[parameter.name] == nil else { throw Problem(sentence: "`--\(parameter.name)` is given twice.") }
            members[parameter.name] = parameter.value(of: value)
        }
    }

    /// Gives words without a name to the fields that take such.
    private mutating func give(_ words: [String]) throws(Problem) {
        guard !words.isEmpty else { return }
        let required = parameters.filter(\.isRequired)
        let takers = (required.isEmpty ? Array(parameters.prefix(1)) : required).filter { members[$0.name] == nil }
        guard let last = takers.last else {
            let first = words[0].prefix(40)
            throw Problem(
                sentence: parameters.isEmpty
                    ? "It takes no arguments." : "It is not clear what “\(first)” is: name its field, `--field value`.")
        }
        for (taker, word) in zip(takers.dropLast(), words) { members[taker.name] = taker.value(of: word) }
        let rest = words.dropFirst(takers.count - 1)
        guard !rest.isEmpty else { return }
        switch last.form {
        // At once, because a list of many words would be copied for each of them.
        case .list: members[last.name] = .array(rest.flatMap { last.value(of: $0).arrayValue ?? [] })
        case .text: members[last.name] = .string(rest.joined(separator: " "))
        case .number, .flag, .json:
            guard rest.count == 1 else { throw Problem(sentence: "There are more words than arguments; quotes keep words together.") }
            members[last.name] = last.value(of: rest[rest.startIndex])
        }
    }

    /// The field that an option names.
    ///
    /// - Returns: nil when the option is only punctuation that looks like one.
    private func parameter(for option: CommandWords.Option) throws(Problem) -> CommandParameter? {
        if let exact = parameters.first(where: { $0.name == option.name }) { return exact }
        let wanted = Self.comparable(option.name)
        // Whoever writes a command need not know how a tool spells its fields.
        if let alike = parameters.first(where: { Self.comparable($0.name) == wanted }) { return alike }
        guard !option.isGuess else { return nil }
        let nearest = NearestNames.of(option.name, among: parameters.map(\.name)).first
        throw Problem(
            sentence: "There is no field `--\(option.name.prefix(40))`." + (nearest.map { " Did you mean `--\($0)`?" } ?? ""))
    }

    private static func comparable(_ name: String) -> String {
        name.lowercased().filter { $0 != "_" && $0 != "-" }
    }
}
