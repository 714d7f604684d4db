import JSON

/// One schema of a document, compiled: what must hold of a value at one place.
struct SchemaNode: Sendable {
    /// A node's index among all nodes of the document; the root's is 0.
    typealias ID = Int

    /// What must hold; nothing for the schema `true`.
    var rules: [Rule] = []

    /// Whether nothing fits, as for the schema `false`.
    var isNever: Bool {
        if case .never = rules.first { true } else { false }
    }

    /// The nodes that look at the same value as this one does.
    var inPlace: [ID] {
        rules.flatMap { rule -> [ID] in
            switch rule {
            case .all(let nodes), .any(let nodes), .one(let nodes): nodes
            case .not(let node, _): [node]
            case .when(let condition, let then, let otherwise): [condition] + [then, otherwise].compactMap(\.self)
            default: []
            }
        }
    }
}

/// One thing that must hold of a value. A rule about strings holds of everything that is no string, and so on.
enum Rule: Sendable {
    /// `false`.
    case never
    /// `type`.
    case types(TypeSet)
    /// `enum`, `const`.
    case values(Enumeration)
    /// `minimum` and the like, `multipleOf`.
    case number(NumberRule)
    /// `minLength`, `minItems`, `minProperties`.
    case atLeast(Int, Counted)
    /// `maxLength`, `maxItems`, `maxProperties`.
    case atMost(Int, Counted)
    /// `pattern`.
    case pattern(Pattern)
    /// `uniqueItems`.
    case distinct
    /// `required`.
    case required([String])
    /// `prefixItems` and `items`.
    case elements(prefix: [SchemaNode.ID], rest: SchemaNode.ID?)
    /// `properties`, `patternProperties` and `additionalProperties`.
    case members(MemberRule)
    /// `propertyNames`.
    case names(SchemaNode.ID)
    /// `allOf`, and `$ref` as a list of one.
    case all([SchemaNode.ID])
    /// `anyOf`.
    case any([SchemaNode.ID])
    /// `oneOf`.
    case one([SchemaNode.ID])
    /// `not`, with the schema as it is written.
    case not(SchemaNode.ID, JSONValue)
    /// `if`, `then` and `else`.
    case when(SchemaNode.ID, then: SchemaNode.ID?, otherwise: SchemaNode.ID?)
}

/// What a length or size counts.
enum Counted: Sendable {
    case characters, elements, fields
}

/// What must hold of a number.
enum NumberRule: Sendable {
    case minimum(ExactNumber)
    case maximum(ExactNumber)
    case exclusiveMinimum(ExactNumber)
    case exclusiveMaximum(ExactNumber)
    case multiple(ExactNumber.Divisor)

    /// Whether it holds of a number.
    func holds(of number: ExactNumber) -> Bool {
        switch self {
        case .minimum(let bound): !(number < bound)
        case .maximum(let bound): !(bound < number)
        case .exclusiveMinimum(let bound): bound < number
        case .exclusiveMaximum(let bound): number < bound
        case .multiple(let divisor): number.isMultiple(of: divisor)
        }
    }
}

/// The values that `enum` or `const` allows.
struct Enumeration: Sendable {
    /// The values as they are written, in their order.
    var values: [JSONValue]

    /// What the values are compared by.
    private let forms: Set<CanonicalForm>

    init(_ values: [JSONValue]) {
        self.values = values
        forms = Set(values.map { CanonicalForm($0) })
    }

    /// Whether a value is one of them.
    func contains(_ form: CanonicalForm) -> Bool {
        forms.contains(form)
    }
}

/// What must hold of an object's members.
struct MemberRule: Sendable {
    /// The schemas of `properties`.
    var properties: [String: SchemaNode.ID] = [:]

    /// The names of `properties` in their order.
    var names: [String] = []

    /// The schemas of `patternProperties`.
    var patterns: [(pattern: Pattern, node: SchemaNode.ID)] = []

    /// The schema of all other members, nil when anything will do.
    var additional: SchemaNode.ID?

    /// The schema of `properties` for a key, compared by code points.
    func property(_ key: String) -> SchemaNode.ID? {
        guard let index = properties.index(forKey: key), properties[index].key.isSpelled(as: key) else {
            return nil
        }
        return properties[index].value
    }
}

extension String {
    /// Whether both have the same code points, where `==` would ask for canonical equivalence.
    func isSpelled(as other: String) -> Bool {
        utf8.elementsEqual(other.utf8)
    }
}
