import JSON
import OrderedCollections

/// Turns a schema document into nodes.
///
/// Every schema is compiled once, however often it is referred to, and none within another's compilation.
struct SchemaCompiler {
    /// A schema that is still to be compiled.
    struct Job {
        var node: SchemaNode.ID
        var place: SchemaPlaces.ID
        var schema: JSONValue
        /// Whether a nested `$id` changes what references mean.
        var isEmbedded: Bool
    }

    /// How deep a chain of alternatives and references may be that all look at the same value.
    static let maximumChain = 64

    private let document: JSONValue
    private(set) var places = SchemaPlaces()
    private var nodes: [SchemaNode] = []
    private var jobs: [Job] = []

    init(_ document: JSONValue) {
        self.document = document
    }

    /// Compiles the document.
    ///
    /// - Returns: its schemas, the root's first.
    mutating func compile() throws(JSONSchemaError) -> [SchemaNode] {
        _ = try node(for: document, at: 0, isEmbedded: false)
        var next = 0
        while next < jobs.count {
            let job = jobs[next]
            next += 1
            nodes[job.node].rules = try rules(of: job)
        }
        try refuseEndlessChains()
        return nodes
    }

    /// The node of a schema, to be compiled later unless it has been seen before.
    mutating func node(
        for schema: JSONValue, at place: SchemaPlaces.ID, isEmbedded: Bool
    ) throws(JSONSchemaError) -> SchemaNode.ID {
        if let node = places[node: place] {
            return node
        }
        guard places.depth(of: place) <= JSONReader.maximumDepth else {
            throw error(at: place, "the schema nests deeper than \(JSONReader.maximumDepth)")
        }
        let node = nodes.count
        nodes.append(SchemaNode())
        places[node: place] = node
        jobs.append(Job(node: node, place: place, schema: schema, isEmbedded: isEmbedded))
        return node
    }

    /// The place that a member's key or an element's index leads to.
    mutating func place(below place: SchemaPlaces.ID, _ token: String) -> SchemaPlaces.ID {
        places.child(of: place, token)
    }

    /// The error about a place.
    func error(at place: SchemaPlaces.ID, _ reason: String) -> JSONSchemaError {
        JSONSchemaError(pointer: places.pointer(to: place), reason: reason)
    }

    private mutating func rules(of job: Job) throws(JSONSchemaError) -> [Rule] {
        switch job.schema {
        case .bool(let fits):
            return fits ? [] : [.never]
        case .object(let members):
            var job = job
            if job.node != 0, members["$id"]?.stringValue != nil {
                job.isEmbedded = true
            }
            return try rules(of: members, in: job)
        default:
            throw error(at: job.place, "expected a schema, which is an object or a boolean, found \(job.schema.shortDescription)")
        }
    }

    // MARK: References

    /// The node that a `$ref` leads to.
    mutating func target(
        of reference: String, at place: SchemaPlaces.ID, isEmbedded: Bool
    ) throws(JSONSchemaError) -> SchemaNode.ID {
        let shown = JSONValue.string(reference).excerpt(100)
        guard let local = LocalReference(reference) else {
            throw error(at: place, "\(shown) is not supported: a reference is # or leads to a place in the document, such as #/$defs/name")
        }
        guard !isEmbedded else {
            throw error(at: place, "a $ref below a nested $id is not supported")
        }
        var target: (place: SchemaPlaces.ID, value: JSONValue) = (0, document)
        var isTargetEmbedded = false
        for token in local.tokens {
            guard let value = LocalReference.step(from: target.value, to: token) else {
                throw error(at: place, "\(shown) leads nowhere")
            }
            target = (self.place(below: target.place, token), value)
            isTargetEmbedded = isTargetEmbedded || value["$id"]?.stringValue != nil
        }
        switch target.value {
        case .bool, .object: return try node(for: target.value, at: target.place, isEmbedded: isTargetEmbedded)
        default: throw error(at: place, "\(shown) leads to \(target.value.shortDescription), which is no schema")
        }
    }

    /// Refuses references that lead back to where they stand while they look at the same value, and chains that are too long.
    private func refuseEndlessChains() throws(JSONSchemaError) {
        enum Mark { case new, open, done }
        var marks = [Mark](repeating: .new, count: nodes.count)
        var lengths = [Int](repeating: 0, count: nodes.count)
        let chains = nodes.map(\.inPlace)
        for start in nodes.indices where marks[start] == .new {
            var way = [(node: start, next: 0)]
            marks[start] = .open
            while let (node, next) = way.last {
                guard next < chains[node].count else {
                    marks[node] = .done
                    lengths[node] = 1 + (chains[node].map { lengths[$0] }.max() ?? 0)
                    if lengths[node] > Self.maximumChain {
                        throw error(
                            at: jobs[node].place, "more than \(Self.maximumChain) alternatives and references apply within one another")
                    }
                    way.removeLast()
                    continue
                }
                way[way.count - 1].next += 1
                let following = chains[node][next]
                switch marks[following] {
                case .new:
                    marks[following] = .open
                    way.append((following, 0))
                case .open:
                    throw endlessReference(on: way.map(\.node).drop { $0 != following })
                case .done:
                    break
                }
            }
        }
    }

    /// The error about a circle of schemas; only a reference can have closed it.
    private func endlessReference(on circle: some BidirectionalCollection<SchemaNode.ID>) -> JSONSchemaError {
        let node = circle.last { jobs[$0].schema["$ref"] != nil } ?? 0
        var error = error(at: jobs[node].place, "the reference leads back to itself without going deeper into the value")
        error.pointer += "/$ref"
        return error
    }
}
