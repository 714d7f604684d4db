import Foundation
import JSON
import OrderedCollections

/// A settings file: one JSON object, whose nested objects are the dots of the settings' names.
struct SettingsFile: Sendable {
    /// The settings that the file gives, by dotted name, as text.
    private(set) var values: [String: String] = [:]
    /// The entry `providers`.
    private(set) var providers: [ProviderSettings] = []

    /// Reads a file.
    ///
    /// - Throws: `SettingsError` that names the file and the key, for a file that cannot be read, an unknown key or a value that cannot be.
    init(path: String) throws(SettingsError) {
        let bytes: [UInt8]
        do {
            bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw SettingsError("The settings file \(path) cannot be read.")
        }
        try self.init(bytes: bytes, name: path)
    }

    /// Reads the text of a file.
    ///
    /// - Parameter name: how errors call it.
    init(bytes: [UInt8], name: String) throws(SettingsError) {
        let document: JSONValue
        do throws(JSONError) {
            document = try JSONReader.parse(bytes)
        } catch {
            throw SettingsError("\(name): not valid JSON at byte \(error.offset): \(error.reason).")
        }
        guard case .object(let members) = document else { throw SettingsError("\(name): expected an object.") }
        try read(members, prefix: "", file: name)
    }

    private mutating func read(_ members: OrderedDictionary<String, JSONValue>, prefix: String, file: String) throws(SettingsError) {
        for (key, value) in members {
            let name = prefix + key
            if name == "providers" {
                providers = try ProviderSettings.read(value, file: file)
            } else if let setting = SettingKey.byName[name] {
                let text = try Self.text(of: value, for: setting, file: file)
                if let problem = setting.problem(with: text) { throw SettingsError("\(file): \(name): \(problem).") }
                values[name] = text
            } else if case .object(let inner) = value, SettingKey.all.contains(where: { $0.name.hasPrefix(name + ".") }) {
                try read(inner, prefix: name + ".", file: file)
            } else {
                throw SettingsError("\(file): \(name): there is no such setting. `parley config` lists all of them.")
            }
        }
    }

    private static func text(of value: JSONValue, for setting: SettingKey, file: String) throws(SettingsError) -> String {
        switch (setting.kind, value) {
        case (.text, .string(let text)), (.url, .string(let text)), (.choice, .string(let text)), (.limit, .string(let text)),
            (.list, .string(let text)):
            return text
        case (.integer, .integer(let number)), (.limit, .integer(let number)): return String(number)
        case (.integer, .number(let literal)), (.limit, .number(let literal)): return literal
        case (.limit, .null): return SettingKey.noLimit
        case (.flag, .bool(let flag)): return flag ? "true" : "false"
        case (.list, .array(let elements)):
            let texts = elements.compactMap(\.stringValue)
            guard texts.count == elements.count, !texts.contains(where: { $0.contains(",") }) else {
                throw SettingsError("\(file): \(setting.name): expected an array of strings without commas.")
            }
            return texts.joined(separator: ",")
        case (.table, .object(let members)):
            return try members.map { member throws(SettingsError) in
                switch member.value {
                case .integer(let number): "\(member.key)=\(number)"
                case .string(let text): "\(member.key)=\(text)"
                case .null: "\(member.key)=\(SettingKey.noLimit)"
                default: throw SettingsError("\(file): \(setting.name).\(member.key): expected a number or a string.")
                }
            }.joined(separator: ",")
        case (.table, .string(let text)): return text
        case (.table, _): throw SettingsError("\(file): \(setting.name): expected an object.")
        case (.limit, _): throw SettingsError("\(file): \(setting.name): expected a whole number, or null for no limit.")
        case (.flag, _): throw SettingsError("\(file): \(setting.name): expected true or false.")
        case (.list, _): throw SettingsError("\(file): \(setting.name): expected an array of strings.")
        case (.integer, _): throw SettingsError("\(file): \(setting.name): expected a whole number.")
        default: throw SettingsError("\(file): \(setting.name): expected a string.")
        }
    }
}
