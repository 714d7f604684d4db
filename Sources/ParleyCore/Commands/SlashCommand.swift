/// A message that is a command: `/`, or `/` with a name, and what follows.
package struct SlashCommand: Hashable, Sendable {
    /// The name without the slash; nil for the slash alone.
    package let name: String?
    /// What follows the name, without white space at its ends.
    package let rest: String

    /// Reads a message.
    ///
    /// A command is a slash, or a slash followed by `[a-z][a-z0-9_-]*` and then the end or white space. A slash with nothing but white space
    /// after it is the slash alone; everything else, such as `/usr/bin` or `// TODO`, is plain text.
    ///
    /// - Returns: nil for plain text.
    package init?(_ text: String) {
        let bytes = text.utf8
        guard bytes.first == UInt8(ascii: "/") else { return nil }
        let name = bytes.dropFirst().prefix(while: \.isCommandNameByte)
        let rest = text[name.endIndex...]
        guard rest.first?.isWhitespace ?? true else { return nil }
        if name.isEmpty {
            guard rest.allSatisfy(\.isWhitespace) else { return nil }
            self.name = nil
        } else {
            guard Self.isName(name) else { return nil }
            self.name = String(Substring(name))
        }
        self.rest = rest.trimmed
    }

    /// Whether a tool of this name can be called by a command.
    package static func isName(_ name: String) -> Bool { isName(name.utf8[...]) }

    private static func isName(_ name: Substring.UTF8View) -> Bool {
        guard let first = name.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first) else { return false }
        return name.allSatisfy(\.isCommandNameByte)
    }
}

extension UInt8 {
    fileprivate var isCommandNameByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }
}

extension StringProtocol {
    /// The text without white space at its ends.
    var trimmed: String {
        var text = self[...]
        while text.first?.isWhitespace ?? false { text = text.dropFirst() }
        while text.last?.isWhitespace ?? false { text = text.dropLast() }
        return String(text)
    }
}
