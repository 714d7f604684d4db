package import JSON

/// What the received lines of a transcript have captured, by name.
///
/// `"${name}"` in a line that is received stands for any value the first time, and for the same value from then on; within a longer string,
/// as in `"see ${name}"`, it stands for some of the text. `${_}` stands for anything every time. In a line that is sent, the value takes
/// its place. Names are letters, digits and `_`; `$${name}` stands for the text `${name}`.
package struct Captures: Sendable {
    /// A name that is sent before anything was captured under it.
    package struct Unknown: Error {
        /// The name.
        package let name: String
    }

    /// A piece of a text.
    private enum Part {
        case text([UInt8])
        case capture(String)
    }

    private static let anything = "_"

    private var values: [String: JSONValue] = [:]

    /// Nothing yet.
    package init() {}

    /// What was captured under a name; nil for nothing.
    package subscript(name: String) -> JSONValue? { values[name] }

    /// Compares a value with a string of a line that is received, and captures what the string asks for.
    ///
    /// - Returns: whether the value is as expected; if not, nothing has been captured.
    package mutating func match(_ pattern: String, _ value: JSONValue) -> Bool {
        let parts = Self.parts(of: Array(pattern.utf8))
        if parts.count == 1, case .capture(let name) = parts[0] {
            if let known = values[name] { return known == value }
            if name != Self.anything { values[name] = value }
            return true
        }
        guard case .string(let text) = value else { return false }
        let before = values
        if match(parts[...], Array(text.utf8)[...]) { return true }
        values = before
        return false
    }

    /// A line that is sent, with values in the place of names: a value that is no string takes the place of its quotation marks, too.
    package func filled(_ line: [UInt8]) throws(Unknown) -> [UInt8] {
        let quote = UInt8(ascii: "\"")
        var filled: [UInt8] = []
        var dropsQuote = false
        let parts = Self.parts(of: line)
        for (index, part) in parts.enumerated() {
            switch part {
            case .text(let text):
                filled += dropsQuote ? text.dropFirst() : text[...]
                dropsQuote = false
            case .capture(let name):
                guard let value = values[name] else { throw Unknown(name: name) }
                let isOpened = filled.last == quote && filled.dropLast().last != UInt8(ascii: "\\")
                let isClosed =
                    if index + 1 < parts.count, case .text(let next) = parts[index + 1] { next.first == quote } else { false }
                if isOpened, isClosed, value.stringValue == nil {
                    filled.removeLast()
                    filled += JSONWriter.encode(value)
                    dropsQuote = true
                } else {
                    filled += JSONWriter.encode(JSONValue.string(Self.text(of: value))).dropFirst().dropLast()
                }
            }
        }
        return filled
    }

    /// A value as a received line expects it literally, whatever it contains.
    package static func literal(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let text):
            let bytes = parts(of: Array(text.utf8), keepsEscapes: true).flatMap { part in
                switch part {
                case .text(let text): text
                case .capture(let name): Array("$${\(name)}".utf8)
                }
            }
            return .string(String(decoding: bytes, as: UTF8.self))
        case .array(let elements): return .array(elements.map(literal))
        case .object(let members): return .object(members.mapValues(literal))
        default: return value
        }
    }

    private mutating func match(_ parts: ArraySlice<Part>, _ text: ArraySlice<UInt8>) -> Bool {
        switch parts.first {
        case nil:
            return text.isEmpty
        case .text(let literal):
            return text.starts(with: literal) && match(parts.dropFirst(), text.dropFirst(literal.count))
        case .capture(let name):
            if let known = values[name] {
                let known = Array(Self.text(of: known).utf8)
                return text.starts(with: known) && match(parts.dropFirst(), text.dropFirst(known.count))
            }
            // The shortest text with which the rest fits, which ends where a character of UTF-8 does.
            for end in text.indices.dropFirst() + [text.endIndex] where end > text.startIndex {
                if end < text.endIndex, text[end] & 0xC0 == 0x80 { continue }
                if name != Self.anything { values[name] = .string(String(decoding: text[..<end], as: UTF8.self)) }
                if match(parts.dropFirst(), text[end...]) { return true }
                values[name] = nil
            }
            return false
        }
    }

    private static func text(of value: JSONValue) -> String {
        value.stringValue ?? String(decoding: JSONWriter.encode(value), as: UTF8.self)
    }

    /// - Parameter keepsEscapes: whether `$${name}` is left as two texts that together say the same.
    private static func parts(of text: [UInt8], keepsEscapes: Bool = false) -> [Part] {
        let dollar = UInt8(ascii: "$")
        var parts: [Part] = []
        var gathered: [UInt8] = []
        var rest = text[...]
        while let byte = rest.popFirst() {
            guard byte == dollar else {
                gathered.append(byte)
                continue
            }
            if let name = name(in: rest) {
                if !gathered.isEmpty { parts.append(.text(gathered)) }
                gathered = []
                parts.append(.capture(name))
                rest = rest.dropFirst(name.utf8.count + 2)
            } else if !keepsEscapes, rest.first == dollar, let name = name(in: rest.dropFirst()) {
                gathered += Array("${\(name)}".utf8)
                rest = rest.dropFirst(name.utf8.count + 3)
            } else {
                gathered.append(byte)
            }
        }
        if !gathered.isEmpty { parts.append(.text(gathered)) }
        return parts
    }

    /// The name of `{name}` at the front of a text.
    private static func name(in text: ArraySlice<UInt8>) -> String? {
        guard text.first == UInt8(ascii: "{"), let end = text.firstIndex(of: UInt8(ascii: "}")) else { return nil }
        let name = String(decoding: text[(text.startIndex + 1)..<end], as: UTF8.self)
        let isName = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "_"):
                true
            default: false
            }
        }
        return isName && !name.isEmpty ? name : nil
    }
}
