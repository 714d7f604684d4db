import JSON
import OrderedCollections

/// The rules that apply other schemas.
extension Evaluation {
    mutating func apply(_ rule: Rule, to value: JSONValue, into findings: inout Findings) throws(Undecided) {
        switch (rule, value) {
        case (.required(let names), .object(let members)):
            try checkRequired(names, members, into: &findings)
        case (.members(let rule), .object(let members)):
            try checkMembers(rule, members, into: &findings)
        case (.names(let node), .object(let members)):
            try checkNames(node, members, into: &findings)
        case (.elements(let prefix, let rest), .array(let elements)):
            try checkElements(prefix, rest, elements, into: &findings)
        case (.all(let nodes), _):
            for node in nodes where !findings.isFull {
                try check(node, value, into: &findings)
            }
        case (.any(let nodes), _):
            _ = try checkAlternatives(nodes, value, into: &findings)
        case (.one(let nodes), _):
            try checkOne(nodes, value, into: &findings)
        case (.not(let node, let schema), _):
            if try fits(node, value) {
                report(.excluded(schema), into: &findings)
            }
        case (.when(let condition, let then, let otherwise), _):
            if let node = try fits(condition, value) ? then : otherwise {
                try check(node, value, into: &findings)
            }
        default:
            break
        }
    }

    // MARK: Objects and arrays

    private mutating func checkRequired(
        _ names: [String], _ members: OrderedDictionary<String, JSONValue>, into findings: inout Findings
    ) throws(Undecided) {
        for name in names where !findings.isFull {
            try spend(on: name)
            if let index = members.index(forKey: name), members.keys[index].isSpelled(as: name) {
                continue
            }
            var missing = path
            missing.steps.append(.member(name))
            findings.append(Finding(path: missing, problem: .missing))
        }
    }

    private mutating func checkMembers(
        _ rule: MemberRule, _ members: OrderedDictionary<String, JSONValue>, into findings: inout Findings
    ) throws(Undecided) {
        for (key, value) in members where !findings.isFull {
            try spend(on: key)
            var isAdditional = true
            if let node = rule.property(key) {
                isAdditional = false
                try check(node, value, at: .member(key), into: &findings)
            }
            for (pattern, node) in rule.patterns where try matches(key, pattern) {
                isAdditional = false
                try check(node, value, at: .member(key), into: &findings)
            }
            guard isAdditional, let node = rule.additional else {
                continue
            }
            if nodes[node].isNever {
                var unknown = path
                unknown.steps.append(.member(key))
                findings.append(Finding(path: unknown, problem: .unknownField(key, known: rule.names)))
            } else {
                try check(node, value, at: .member(key), into: &findings)
            }
        }
    }

    private mutating func checkNames(
        _ node: SchemaNode.ID, _ members: OrderedDictionary<String, JSONValue>, into findings: inout Findings
    ) throws(Undecided) {
        for key in members.keys where !findings.isFull {
            try spend(on: key)
            var problems = Findings(capacity: 1)
            try check(node, .string(key), at: .member(key), into: &problems)
            findings.append(contentsOf: problems.all.map { Finding(path: $0.path, problem: .name($0.problem)) })
        }
    }

    private mutating func checkElements(
        _ prefix: [SchemaNode.ID], _ rest: SchemaNode.ID?, _ elements: [JSONValue], into findings: inout Findings
    ) throws(Undecided) {
        for (index, element) in elements.enumerated() where !findings.isFull {
            guard let node = index < prefix.count ? prefix[index] : rest else {
                return
            }
            try check(node, element, at: .element(index), into: &findings)
        }
    }

    // MARK: Alternatives

    private mutating func checkOne(
        _ alternatives: [SchemaNode.ID], _ value: JSONValue, into findings: inout Findings
    ) throws(Undecided) {
        guard let first = try checkAlternatives(alternatives, value, into: &findings) else {
            return
        }
        for index in alternatives.indices.dropFirst(first + 1) where try fits(alternatives[index], value) {
            report(.severalAlternatives(first, index, count: alternatives.count), into: &findings)
            return
        }
    }

    /// Looks for an alternative that fits, and reports what is wrong when there is none.
    ///
    /// - Returns: the index of the first one that fits.
    private mutating func checkAlternatives(
        _ alternatives: [SchemaNode.ID], _ value: JSONValue, into findings: inout Findings
    ) throws(Undecided) -> Int? {
        var misfits = Misfits(depth: path.count)
        for (index, node) in alternatives.enumerated() {
            var own = Findings(capacity: Misfits.maximumFindings)
            try check(node, value, into: &own)
            if own.all.isEmpty {
                return index
            }
            misfits.add(own.all)
        }
        findings.append(contentsOf: misfits.findings(at: path, of: value))
        return nil
    }
}
