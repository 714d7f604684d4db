import JSON

/// What several alternatives, of which none fits, complain of, gathered into what helps most.
struct Misfits {
    /// How many findings of one alternative are of interest, and how many alternatives.
    static let maximumFindings = 8
    private static let maximumSamples = 3
    private static let maximumValues = 256

    /// How deep in the value the alternatives apply.
    private let depth: Int

    private var count = 0

    /// The types of all alternatives that are of another type altogether.
    private var types: TypeSet = []
    private var typeCount = 0

    /// The values of all alternatives that are nothing but a list of values.
    private var values: [JSONValue] = []
    private var valuesCount = 0

    /// Alternatives that may be the one that is meant, and any ones.
    private var likely: [[Finding]] = []
    private var likelyCount = 0
    private var samples: [[Finding]] = []

    init(depth: Int) {
        self.depth = depth
    }

    /// Adds an alternative.
    ///
    /// - Parameter findings: what is wrong, not empty.
    mutating func add(_ findings: [Finding]) {
        count += 1
        if samples.count < Self.maximumSamples {
            samples.append(findings)
        }
        if findings.count == 1, findings[0].path.count == depth {
            switch findings[0].problem {
            case .type(let types, _):
                self.types.formUnion(types)
                typeCount += 1
            case .values(let values) where self.values.count + values.count <= Self.maximumValues:
                self.values += values
                valuesCount += 1
            default: break
            }
        }
        if !findings.contains(where: distinguishes) {
            likelyCount += 1
            if likely.count < Self.maximumSamples {
                likely.append(findings)
            }
        }
    }

    /// What to report for all of them.
    ///
    /// - Parameters:
    ///   - path: where the alternatives apply.
    ///   - value: what stands there.
    func findings(at path: Path, of value: JSONValue) -> [Finding] {
        if typeCount == count, !types.isEmpty {
            return [Finding(path: path, problem: .type(types, found: value))]
        }
        if valuesCount == count {
            return [Finding(path: path, problem: .values(values))]
        }
        if likelyCount == 1 {
            return likely[0]
        }
        let told = likely.isEmpty ? samples : likely
        return [Finding(path: path, problem: .noAlternative(count: count, samples: told, depth: depth))]
    }

    /// Whether a finding says that another alternative is meant: the value is of another type or not among the values, or a field that
    /// tells the alternatives apart by its one value has another.
    private func distinguishes(_ finding: Finding) -> Bool {
        switch finding.problem {
        case .type: finding.path.count == depth
        case .values(let values): finding.path.count == depth || finding.path.count == depth + 1 && values.count == 1
        default: false
        }
    }
}
