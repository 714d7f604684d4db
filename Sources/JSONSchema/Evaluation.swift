import JSON

/// One value being checked against a compiled schema.
///
/// Whatever cannot be decided ends the whole check: it must neither count as valid nor, below a `not`, as invalid.
struct Evaluation {
    /// The check has ended without a result; the finding says why.
    struct Undecided: Error {
        var finding: Finding
    }

    let nodes: [SchemaNode]

    private var steps = JSONSchema.maximumSteps

    /// How many rules that apply within one another are being looked at.
    private var depth = 0

    /// Where in the value the check is.
    private(set) var path = Path()

    init(_ nodes: [SchemaNode]) {
        self.nodes = nodes
    }

    /// Checks a whole value.
    mutating func check(whole value: JSONValue, into findings: inout Findings) {
        do throws(Undecided) {
            guard !value.nests(deeperThan: JSONReader.maximumDepth) else {
                throw undecided(.depth)
            }
            try check(0, value, into: &findings)
        } catch {
            findings.append(error.finding)
        }
    }

    /// Checks the value that the path leads to.
    mutating func check(_ node: SchemaNode.ID, _ value: JSONValue, into findings: inout Findings) throws(Undecided) {
        guard depth < JSONSchema.maximumDepth else {
            throw undecided(.depth)
        }
        depth += 1
        defer { depth -= 1 }
        try spend(1)
        for rule in nodes[node].rules where !findings.isFull {
            try spend(1)
            if let problem = try problem(of: value, with: rule) {
                report(problem, into: &findings)
                if problem.isOfType {
                    // What else the schema demands was meant for another type.
                    return
                }
            } else {
                try apply(rule, to: value, into: &findings)
            }
        }
    }

    /// Checks the member or element that one step leads to.
    mutating func check(
        _ node: SchemaNode.ID, _ value: JSONValue, at step: Path.Step, into findings: inout Findings
    ) throws(Undecided) {
        path.steps.append(step)
        defer { path.steps.removeLast() }
        try check(node, value, into: &findings)
    }

    /// Whether a schema fits the value that the path leads to.
    mutating func fits(_ node: SchemaNode.ID, _ value: JSONValue) throws(Undecided) -> Bool {
        var findings = Findings(capacity: 1)
        try check(node, value, into: &findings)
        return findings.all.isEmpty
    }

    /// Adds a problem of the value that the path leads to.
    func report(_ problem: Problem, into findings: inout Findings) {
        findings.append(Finding(path: path, problem: problem))
    }

    // MARK: Bounds

    /// Takes steps, or ends the check when there are too few.
    mutating func spend(_ count: Int) throws(Undecided) {
        steps -= count
        if steps < 0 {
            throw undecided(.steps)
        }
    }

    /// Takes the steps for looking at a text.
    mutating func spend(on text: String) throws(Undecided) {
        try spend(1 + text.utf8.count / 64)
    }

    /// Whether a text matches a pattern.
    mutating func matches(_ text: String, _ pattern: Pattern) throws(Undecided) -> Bool {
        guard text.utf8.count <= Pattern.maximumTextLength else {
            throw undecided(.textLength)
        }
        switch pattern.search(in: text, steps: &steps) {
        case .found: return true
        case .absent: return false
        case .undecided: throw undecided(.steps)
        }
    }

    private func undecided(_ obstacle: Obstacle) -> Undecided {
        Undecided(finding: Finding(path: path, problem: .undecided(obstacle)))
    }

    // MARK: Rules that look at nothing but the value itself

    /// What is wrong with a value itself, nil too for rules that apply other schemas.
    private mutating func problem(of value: JSONValue, with rule: Rule) throws(Undecided) -> Problem? {
        switch (rule, value) {
        case (.never, _):
            return .forbidden
        case (.types(let types), _):
            if case .number(let literal) = value {
                try spend(on: literal)
            }
            return types.includesType(of: value) ? nil : .type(types, found: value)
        case (.values(let enumeration), _):
            return enumeration.contains(try form(of: value)) ? nil : .values(enumeration.values)
        case (.number(let rule), .integer), (.number(let rule), .number):
            if case .number(let literal) = value {
                try spend(on: literal)
            }
            return ExactNumber(value).map(rule.holds) == false ? .number(rule, found: value) : nil
        case (.pattern(let pattern), .string(let string)):
            return try matches(string, pattern) ? nil : .pattern(pattern.source)
        case (.atLeast(let minimum, let counted), _):
            guard let count = try count(of: counted, in: value), count < minimum else { return nil }
            return .tooFew(minimum, counted, found: count)
        case (.atMost(let maximum, let counted), _):
            guard let count = try count(of: counted, in: value), count > maximum else { return nil }
            return .tooMany(maximum, counted, found: count)
        case (.distinct, .array(let elements)):
            return try equalElements(of: elements)
        default:
            return nil
        }
    }

    private mutating func count(of counted: Counted, in value: JSONValue) throws(Undecided) -> Int? {
        switch (counted, value) {
        case (.characters, .string(let string)):
            try spend(on: string)
            return string.unicodeScalars.count
        case (.elements, .array(let elements)): return elements.count
        case (.fields, .object(let members)): return members.count
        default: return nil
        }
    }

    private mutating func equalElements(of elements: [JSONValue]) throws(Undecided) -> Problem? {
        var indices: [CanonicalForm: Int] = [:]
        for (index, element) in elements.enumerated() {
            if let first = indices.updateValue(index, forKey: try form(of: element)) {
                return .equalElements(first, index)
            }
        }
        return nil
    }

    private mutating func form(of value: JSONValue) throws(Undecided) -> CanonicalForm {
        let form = CanonicalForm(value)
        try spend(1 + form.bytes.count / 4)
        return form
    }
}
