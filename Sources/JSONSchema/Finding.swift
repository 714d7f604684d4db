import JSON

/// Something that is wrong at one place of a value, not yet put into words.
struct Finding: Sendable {
    /// The place.
    var path: Path

    /// What is wrong there.
    var problem: Problem
}

/// The way from a value's root to a place in it.
struct Path: Sendable {
    enum Step: Sendable {
        case element(Int)
        case member(String)
    }

    /// The steps from the root.
    var steps: [Step] = []

    /// How deep the place lies.
    var count: Int {
        steps.count
    }

    /// The path as it is spelt everywhere in Parley.
    var text: String {
        var text = JSONPathText()
        for step in steps {
            switch step {
            case .element(let number): text.append(element: number)
            case .member(let key): text.append(member: key)
            }
        }
        return text.text
    }

    /// The way on to this place from another one that lies on it.
    ///
    /// - Parameter depth: how deep the other place lies.
    func relative(toDepth depth: Int) -> Path {
        Path(steps: Array(steps.dropFirst(depth)))
    }
}

/// What can be wrong with a value.
indirect enum Problem: Sendable {
    /// Nothing may stand here.
    case forbidden
    /// The field is not among the known ones.
    case unknownField(String, known: [String])
    case missing
    case type(TypeSet, found: JSONValue)
    /// None of the values that are allowed.
    case values([JSONValue])
    case number(NumberRule, found: JSONValue)
    case tooFew(Int, Counted, found: Int)
    case tooMany(Int, Counted, found: Int)
    case pattern(String)
    case equalElements(Int, Int)
    /// The name of the field is wrong.
    case name(Problem)
    /// None of several schemas fits.
    case noAlternative(count: Int, samples: [[Finding]], depth: Int)
    /// More than one of several schemas fits.
    case severalAlternatives(Int, Int, count: Int)
    /// The schema, which must not fit, does.
    case excluded(JSONValue)
    /// Whether the value is valid cannot be found out.
    case undecided(Obstacle)

    /// Whether the value is of a type that is not allowed.
    var isOfType: Bool {
        if case .type = self { true } else { false }
    }
}

/// Why it cannot be found out whether a value is valid.
enum Obstacle: Sendable {
    case steps, depth, textLength
}

/// Findings up to a number.
struct Findings {
    /// How many are kept.
    let capacity: Int

    private(set) var all: [Finding] = []

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// Whether there is no use in going on.
    var isFull: Bool {
        all.count >= capacity
    }

    mutating func append(_ finding: Finding) {
        if !isFull {
            all.append(finding)
        }
    }

    mutating func append(contentsOf findings: [Finding]) {
        for finding in findings {
            append(finding)
        }
    }
}
