/// Writes an ECMA-262 regular expression (with the `u` flag, and what is commonly taken for granted without it) as one for ICU.
///
/// Every literal is written as its code point and every class by its members, so that nothing means something else to ICU than what was
/// meant. No group is captured, since nothing refers back.
struct PatternTranslator {
    /// Why a pattern is refused.
    struct Fault: Error {
        var reason: String
    }

    private static let word = "A-Za-z0-9_"
    private static let space = #"\x{9}-\x{D}\x{20}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}\x{FEFF}"#
    private static let notLineEnd = #"[^\x{A}\x{D}\x{2028}\x{2029}]"#

    /// What stands for one character or more.
    private enum Atom {
        case literal(Unicode.Scalar)
        /// The inside of a class that stands for it.
        case members(String)
    }

    private let scalars: [Unicode.Scalar]
    private var index = 0
    private var output = ""

    /// Whether each group that is open is one that a quantifier may follow.
    private var groups: [Bool] = []

    /// Whether a quantifier may follow.
    private var canRepeat = false

    private init(_ pattern: String) {
        scalars = Array(pattern.unicodeScalars)
    }

    /// Translates a pattern.
    static func translate(_ pattern: String) throws(Fault) -> String {
        var translator = PatternTranslator(pattern)
        while let scalar = translator.next() {
            try translator.translate(scalar)
        }
        guard translator.groups.isEmpty else { throw Fault(reason: "a parenthesis is not closed") }
        return translator.output
    }

    private mutating func translate(_ scalar: Unicode.Scalar) throws(Fault) {
        switch scalar {
        case "^": append("\\A", canRepeat: false)
        case "$": append("\\z", canRepeat: false)
        case "|": append("|", canRepeat: false)
        case ".": append(Self.notLineEnd, canRepeat: true)
        case "(": try openGroup()
        case ")":
            guard let canRepeat = groups.popLast() else { throw Fault(reason: "a parenthesis is closed that was not opened") }
            append(")", canRepeat: canRepeat)
        case "*", "+", "?": try appendQuantifier(String(scalar))
        case "{":
            if let interval = try interval() {
                try appendQuantifier(interval)
            } else {
                append(Self.spelling(of: scalar), canRepeat: true)
            }
        case "[": append(try characterClass(), canRepeat: true)
        case "\\": try translateEscape()
        default: append(Self.spelling(of: scalar), canRepeat: true)
        }
    }

    // MARK: Groups and quantifiers

    private mutating func openGroup() throws(Fault) {
        var canRepeat = true
        if take("?:") || !take("?") {
            output += "(?:"
        } else if let assertion = ["<=", "<!", "=", "!"].first(where: { take($0) }) {
            output += "(?\(assertion)"
            canRepeat = false
        } else if take("<"), let first = peek(), first == "$" || first == "_" || first.properties.isIDStart {
            while let scalar = next(), scalar != ">" {
                guard scalar == "$" || scalar == "_" || scalar.properties.isIDContinue else {
                    throw Fault(reason: "a group's name is not closed")
                }
            }
            output += "(?:"
        } else {
            throw Fault(reason: "flags and other groups that begin with \"(?\" are not supported")
        }
        groups.append(canRepeat)
        self.canRepeat = false
    }

    private mutating func appendQuantifier(_ quantifier: String) throws(Fault) {
        guard canRepeat else { throw Fault(reason: "nothing stands before \"\(quantifier)\" that could be repeated") }
        append(quantifier, canRepeat: false)
        if take("?") {
            output += "?"
        }
    }

    /// Takes `n}`, `n,}` or `n,m}`; nil for anything else, which is then a literal brace.
    private mutating func interval() throws(Fault) -> String? {
        let start = index
        let minimum = takeDigits()
        let isRange = take(",")
        let maximum = takeDigits()
        guard !minimum.isEmpty, isRange || maximum.isEmpty, take("}") else {
            index = start
            return nil
        }
        guard let low = Int(minimum), low <= 10_000, let high = Int(maximum.isEmpty ? "10000" : maximum), low...max(low, 10_000) ~= high
        else {
            throw Fault(reason: "a repetition is out of order or beyond 10000 times")
        }
        return isRange ? "{\(low),\(maximum.isEmpty ? "" : "\(high)")}" : "{\(low)}"
    }

    // MARK: Escapes

    private mutating func translateEscape() throws(Fault) {
        if take("b") {
            let (word, edge) = ("[\(Self.word)]", "(?:(?<=%)(?!%)|(?<!%)(?=%))")
            append(edge.split(separator: "%", omittingEmptySubsequences: false).joined(separator: word), canRepeat: false)
        } else if take("B") {
            let (word, inside) = ("[\(Self.word)]", "(?:(?<=%)(?=%)|(?<!%)(?!%))")
            append(inside.split(separator: "%", omittingEmptySubsequences: false).joined(separator: word), canRepeat: false)
        } else {
            switch try escape() {
            case .literal(let scalar): append(Self.spelling(of: scalar), canRepeat: true)
            case .members(let members): append("[\(members)]", canRepeat: true)
            }
        }
    }

    /// Takes what follows a backslash, inside of a class or outside.
    private mutating func escape() throws(Fault) -> Atom {
        guard let scalar = next() else { throw Fault(reason: "it ends with a backslash") }
        switch scalar {
        case "d": return .members("0-9")
        case "D": return .members("[^0-9]")
        case "w": return .members(Self.word)
        case "W": return .members("[^\(Self.word)]")
        case "s": return .members(Self.space)
        case "S": return .members("[^\(Self.space)]")
        case "p", "P": return .members("\\\(scalar){\(try propertyName())}")
        case "t": return .literal("\t")
        case "n": return .literal("\n")
        case "v": return .literal("\u{B}")
        case "f": return .literal("\u{C}")
        case "r": return .literal("\r")
        case "0" where !("0"..."9" ~= peek() ?? "x"): return .literal("\0")
        case "x":
            guard let scalar = hexadecimal(2).flatMap(Unicode.Scalar.init) else {
                throw Fault(reason: "\\x takes two hexadecimal digits")
            }
            return .literal(scalar)
        case "u": return .literal(try unicodeEscape())
        case "c":
            guard let letter = next(), "a"..."z" ~= letter || "A"..."Z" ~= letter else { throw Fault(reason: "\\c takes a letter") }
            return .literal(Unicode.Scalar(UInt8(letter.value & 0x1F)))
        case "1"..."9", "k": throw Fault(reason: "back references are not supported")
        case "0", "A"..."Z", "a"..."z": throw Fault(reason: "\\\(scalar) is not an escape of ECMA-262")
        default: return .literal(scalar)
        }
    }

    private mutating func propertyName() throws(Fault) -> String {
        var name = ""
        if take("{") {
            while let scalar = next(), "a"..."z" ~= scalar || "A"..."Z" ~= scalar || "0"..."9" ~= scalar || scalar == "_" || scalar == "=" {
                name.unicodeScalars.append(scalar)
            }
        }
        guard !name.isEmpty, scalars[index - 1] == "}" else { throw Fault(reason: "\\p takes a property's name in braces") }
        return name
    }

    private mutating func unicodeEscape() throws(Fault) -> Unicode.Scalar {
        if take("{") {
            let start = index
            while let scalar = peek(), scalar.properties.isASCIIHexDigit {
                index += 1
            }
            let digits = String(String.UnicodeScalarView(scalars[start..<index]))
            if let scalar = UInt32(digits, radix: 16).flatMap(Unicode.Scalar.init), take("}") {
                return scalar
            }
        } else if let first = hexadecimal(4) {
            if let scalar = Unicode.Scalar(first) {
                return scalar
            }
            if 0xD800...0xDBFF ~= first, take("\\u"), let second = hexadecimal(4), 0xDC00...0xDFFF ~= second,
                let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
            {
                return scalar
            }
        }
        throw Fault(reason: "\\u takes a code point in hexadecimal")
    }

    // MARK: Classes

    /// Takes a class after its opening bracket.
    private mutating func characterClass() throws(Fault) -> String {
        let isNegated = take("^")
        var members = ""
        while !take("]") {
            let first = try classAtom()
            let dash = index
            guard take("-"), peek() != "]" else {
                index = dash
                members += Self.inClass(first)
                continue
            }
            switch (first, try classAtom()) {
            case (.literal(let low), .literal(let high)):
                guard low <= high else { throw Fault(reason: "a range in a class is out of order") }
                members += "\(Self.spelling(of: low))-\(Self.spelling(of: high))"
            case (_, let last):
                // Without the `u` flag, a dash beside something like `\d` is only a dash, and people rely on it.
                members += Self.inClass(first) + Self.spelling(of: "-") + Self.inClass(last)
            }
        }
        if members.isEmpty {
            return isNegated ? #"[\x{0}-\x{10FFFF}]"# : #"[^\x{0}-\x{10FFFF}]"#
        }
        return isNegated ? "[^\(members)]" : "[\(members)]"
    }

    private mutating func classAtom() throws(Fault) -> Atom {
        guard let scalar = next() else { throw Fault(reason: "a class is not closed") }
        if scalar != "\\" {
            return .literal(scalar)
        }
        return take("b") ? .literal("\u{8}") : try escape()
    }

    private static func inClass(_ atom: Atom) -> String {
        switch atom {
        case .literal(let scalar): spelling(of: scalar)
        case .members(let members): members
        }
    }

    // MARK: Scalars

    /// A literal as ICU reads it, inside of a class and outside.
    private static func spelling(of scalar: Unicode.Scalar) -> String {
        "\\x{\(String(scalar.value, radix: 16))}"
    }

    private mutating func append(_ text: String, canRepeat: Bool) {
        output += text
        self.canRepeat = canRepeat
    }

    private func peek() -> Unicode.Scalar? {
        index < scalars.count ? scalars[index] : nil
    }

    private mutating func next() -> Unicode.Scalar? {
        defer { index = min(index + 1, scalars.count) }
        return peek()
    }

    /// Takes a text if it comes next.
    private mutating func take(_ text: String) -> Bool {
        guard scalars[index...].starts(with: text.unicodeScalars) else { return false }
        index += text.unicodeScalars.count
        return true
    }

    private mutating func takeDigits() -> String {
        let start = index
        while let scalar = peek(), "0"..."9" ~= scalar {
            index += 1
        }
        return String(String.UnicodeScalarView(scalars[start..<index]))
    }

    private mutating func hexadecimal(_ count: Int) -> UInt32? {
        guard index + count <= scalars.count else { return nil }
        let digits = scalars[index..<index + count]
        guard digits.allSatisfy(\.properties.isASCIIHexDigit) else { return nil }
        index += count
        return UInt32(String(String.UnicodeScalarView(digits)), radix: 16)
    }
}
