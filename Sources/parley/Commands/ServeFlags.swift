/// What `parley serve` is told.
struct ServeFlags: Equatable, Sendable {
    var isDeterministic = false
    var exitsWithParent = false
    var settings = SettingsFlags()

    init(isDeterministic: Bool, exitsWithParent: Bool, settings: SettingsFlags) {
        self.isDeterministic = isDeterministic
        self.exitsWithParent = exitsWithParent
        self.settings = settings
    }

    /// Reads a command line that is plain: `serve`, and then flags that are given once, each `--name value` or `--name=value`.
    ///
    /// Somebody waits for a host to start, and the parser of all commands, which reads everything else and explains what is wrong, takes a third
    /// of the processor's work until the first answer (17 of 50 million instructions).
    ///
    /// - Parameter arguments: without the program's name.
    /// - Returns: nil for a command line that is not plain.
    init?(plain arguments: [String]) {
        guard arguments.first == "serve" else { return nil }
        var rest = arguments.dropFirst()
        while let word = rest.popFirst() {
            switch word {
            case "--deterministic" where !isDeterministic: isDeterministic = true
            case "--exit-with-parent" where !exitsWithParent: exitsWithParent = true
            default:
                let halves = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard let value = halves.count == 2 ? String(halves[1]) : rest.popFirst(), let first = value.utf8.first,
                    first != UInt8(ascii: "-"), take(String(halves[0]), value)
                else { return nil }
            }
        }
    }

    /// - Returns: whether it is a flag with a value, and is given for the first time.
    private mutating func take(_ flag: String, _ value: String) -> Bool {
        switch flag {
        case "--set":
            settings.assignments.append(value)
            return true
        case "--config":
            guard settings.file == nil else { return false }
            settings.file = value
            return true
        default:
            guard let name = SettingsFlags.names[flag] else { return false }
            return settings.values.updateValue(value, forKey: name) == nil
        }
    }
}
