import JSON

extension Problem {
    /// How many alternatives a reason tells of, and how many findings of each.
    private static let shownAlternatives = 3
    private static let shownFindings = 2

    /// The problem in words that help to mend the value.
    var reason: String {
        switch self {
        case .forbidden: "is not allowed here"
        case .unknownField(let name, let known): "unknown field" + Self.advice(for: name, among: known)
        case .missing: "is required"
        case .type(let types, let value): "expected \(types.words), found \(value.shortDescription)"
        case .values(let values) where values.isEmpty: Problem.forbidden.reason
        case .values(let values):
            values.count == 1 ? "must be \(values[0].excerpt(100))" : "is not one of \(Self.list(values.lazy.map { $0.excerpt(60) }))"
        case .number(let rule, let value): "must be \(rule.words), found \(value.excerpt(40))"
        case .tooFew(let minimum, let counted, let found): "must have at least \(counted.words(minimum)), has \(found)"
        case .tooMany(let maximum, let counted, let found): "must have at most \(counted.words(maximum)), has \(found)"
        case .pattern(let pattern): "must match the regular expression \(pattern.shortened(120))"
        case .equalElements(let first, let second): "elements \(first) and \(second) are equal, but all must differ"
        case .name(let problem): "the name of this field is wrong: \(problem.reason)"
        case .noAlternative(let count, let samples, let depth):
            "fits none of \(count) alternatives" + Self.explanation(samples, depth: depth)
        case .severalAlternatives(let first, let second, let count):
            "fits alternatives \(first + 1) and \(second + 1), but must fit exactly one of \(count)"
        case .excluded(let schema): "must not fit the schema \(schema.excerpt(120))"
        case .undecided(let obstacle): obstacle.words
        }
    }

    /// What the alternatives complain of, told one level deep.
    private static func explanation(_ samples: [[Finding]], depth: Int) -> String {
        let told = samples.prefix(shownAlternatives).map { findings in
            findings.prefix(shownFindings).map { finding in
                let path = finding.path.relative(toDepth: depth).text
                return (path.isEmpty ? "" : "\(path) ") + finding.problem.withoutSamples.reason.shortened(200)
            }.joined(separator: " and ")
        }
        return told.isEmpty ? "" : ": " + told.joined(separator: "; or ")
    }

    /// The problem without what the alternatives complain of.
    private var withoutSamples: Problem {
        switch self {
        case .noAlternative(let count, _, let depth): .noAlternative(count: count, samples: [], depth: depth)
        case .name(let problem): .name(problem.withoutSamples)
        default: self
        }
    }

    private static func advice(for name: String, among known: [String]) -> String {
        guard !known.isEmpty else {
            return ", there are no known ones"
        }
        let nearest = NearestNames.of(name, among: known)
        if nearest.isEmpty {
            return ", known are \(list(known.lazy.map { JSONValue.string($0).excerpt(60) }))"
        }
        return ", did you mean \(nearest.map { JSONValue.string($0).excerpt(60) }.joined(separator: ", ", last: " or "))?"
    }

    /// Some texts with commas between, as many as are readable.
    private static func list(_ texts: some RandomAccessCollection<String>) -> String {
        var list = ""
        for (number, text) in texts.enumerated() {
            if number == 16 || list.utf8.count > 300 {
                return list + " and \(texts.count - number) more"
            }
            list += (number == 0 ? "" : ", ") + text
        }
        return list
    }
}

extension NumberRule {
    fileprivate var words: String {
        switch self {
        case .minimum(let bound): "at least \(bound.text)"
        case .maximum(let bound): "at most \(bound.text)"
        case .exclusiveMinimum(let bound): "greater than \(bound.text)"
        case .exclusiveMaximum(let bound): "less than \(bound.text)"
        case .multiple(let divisor): "a multiple of \(divisor.number.text)"
        }
    }
}

extension ExactNumber {
    /// The number as people write it, with an exponent where there would be many zeros.
    fileprivate var text: String {
        var text = String(decoding: digits.prefix(40).map { UInt8(ascii: "0") + $0 }, as: UTF8.self)
        if digits.isEmpty {
            return "0"
        } else if digits.count > 40 || exponent > 20 || exponent < -40 {
            let magnitude = exponent + digits.count - 1
            text = "\(text.prefix(1))\(digits.count > 1 ? "." : "")\(text.dropFirst())e\(magnitude)"
        } else if exponent >= 0 {
            text += String(repeating: "0", count: exponent)
        } else {
            text = String(repeating: "0", count: max(0, 1 - exponent - digits.count)) + text
            text.insert(".", at: text.index(text.endIndex, offsetBy: exponent))
        }
        return (isNegative ? "-" : "") + text
    }
}

extension Counted {
    fileprivate func words(_ count: Int) -> String {
        let word =
            switch self {
            case .characters: "character"
            case .elements: "element"
            case .fields: "field"
            }
        return "\(count) \(word)\(count == 1 ? "" : "s")"
    }
}

extension Obstacle {
    fileprivate var words: String {
        switch self {
        case .steps: "cannot be checked: it takes more than \(JSONSchema.maximumSteps) steps"
        case .depth: "cannot be checked: it nests too deep"
        case .textLength: "cannot be checked: a text that must match a regular expression has at most \(Pattern.maximumTextLength) bytes"
        }
    }
}

extension JSONValue {
    /// The value as it may stand after "found".
    var shortDescription: String {
        switch self {
        case .null, .bool: excerpt(5)
        case .integer, .number: "the number \(excerpt(40))"
        case .string: "the string \(excerpt(60))"
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// The value as JSON, cut to a number of characters.
    func excerpt(_ length: Int) -> String {
        if case .string(let string) = self {
            // Writing all of a long string only to cut it would cost too much.
            let shown = string.unicodeScalars.prefix(length)
            return Self.text(.string(shown.endIndex == string.endIndex ? string : String(shown) + "…"))
        }
        return Self.text(self).shortened(length)
    }

    private static func text(_ value: JSONValue) -> String {
        String(decoding: JSONWriter.encode(value), as: UTF8.self)
    }
}

extension String {
    /// The beginning of the text and a mark that there is more.
    func shortened(_ length: Int) -> String {
        let shown = unicodeScalars.prefix(length)
        return shown.endIndex == endIndex ? self : String(shown) + "…"
    }
}
