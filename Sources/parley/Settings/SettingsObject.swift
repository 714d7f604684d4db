import JSON
import OrderedCollections

/// An object of the settings file that is read key by key, and of which nothing may be left over.
struct SettingsObject {
    /// Where it stands, for errors: the file and the keys that lead to it.
    let path: String
    private var members: OrderedDictionary<String, JSONValue>

    /// Begins to read.
    ///
    /// - Throws: `SettingsError` for what is no object.
    init(_ value: JSONValue, path: String) throws(SettingsError) {
        guard case .object(let members) = value else { throw SettingsError("\(path): expected an object.") }
        self.path = path
        self.members = members
    }

    /// Takes a value, if it is there.
    mutating func take(_ key: String) -> JSONValue? {
        members.removeValue(forKey: key)
    }

    /// Takes a value that something is made of.
    ///
    /// - Parameters:
    ///   - expected: what the value has to be, for errors.
    ///   - make: gives nil for a value that cannot be.
    /// - Returns: nil when there is no value.
    mutating func take<Value>(
        _ key: String, expected: String, _ make: (JSONValue) -> Value?
    ) throws(SettingsError) -> Value? {
        guard let value = take(key) else { return nil }
        guard let made = make(value) else { throw SettingsError("\(path).\(key): expected \(expected).") }
        return made
    }

    /// Takes a text that is not empty.
    mutating func text(_ key: String, expected: String) throws(SettingsError) -> String? {
        try take(key, expected: expected) { value in value.stringValue.flatMap { $0.isEmpty ? nil : $0 } }
    }

    /// Takes `true` or `false`.
    mutating func flag(_ key: String) throws(SettingsError) -> Bool? {
        try take(key, expected: "true or false", \.boolValue)
    }

    /// Takes one of some words.
    mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(_ key: String) throws(SettingsError) -> Choice? {
        let words = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: " or ")
        return try take(key, expected: words) { $0.stringValue.flatMap(Choice.init(rawValue:)) }
    }

    /// Takes a number of tokens.
    mutating func tokens(_ key: String) throws(SettingsError) -> Int? {
        try take(key, expected: "a number of tokens") { value in value.intValue.flatMap { $0 > 0 ? $0 : nil } }
    }

    /// Takes an object.
    mutating func object(_ key: String) throws(SettingsError) -> SettingsObject? {
        guard let value = take(key) else { return nil }
        return try SettingsObject(value, path: "\(path).\(key)")
    }

    /// Takes all objects that are left, by their keys.
    mutating func objects() throws(SettingsError) -> [(key: String, object: SettingsObject)] {
        var objects: [(key: String, object: SettingsObject)] = []
        for (key, value) in members { objects.append((key, try SettingsObject(value, path: "\(path).\(key)"))) }
        members = [:]
        return objects
    }

    /// Says that a key is missing.
    func missing(_ key: String, _ remark: String = "") -> SettingsError {
        SettingsError("\(path).\(key): is required\(remark).")
    }

    /// Says that everything was read.
    ///
    /// - Throws: `SettingsError` for the first key that nobody has taken.
    func end() throws(SettingsError) {
        if let key = members.keys.first { throw SettingsError("\(path).\(key): there is no such setting.") }
    }
}
