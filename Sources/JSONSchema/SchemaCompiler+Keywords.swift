import JSON
import OrderedCollections

/// The keywords of one schema.
extension SchemaCompiler {
    /// Keywords that mean nothing for validity.
    private static let annotations: Set = [
        "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "format", "contentEncoding",
        "contentMediaType", "$schema", "$id", "$comment",
    ]

    /// Keywords that are compiled together with others, see ``rulesOfGroups(_:in:)``.
    private static let grouped: Set = [
        "prefixItems", "items", "properties", "patternProperties", "additionalProperties", "if", "then", "else",
    ]

    /// Keywords that make a rule of their own, or definitions.
    private static let single = [
        "type", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
        "pattern", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "required", "propertyNames", "allOf", "anyOf",
        "oneOf", "not", "$ref", "$defs", "definitions",
    ]

    mutating func rules(of members: OrderedDictionary<String, JSONValue>, in job: Job) throws(JSONSchemaError) -> [Rule] {
        var rules: [Rule] = []
        for (keyword, value) in members where !Self.annotations.contains(keyword) && !Self.grouped.contains(keyword) {
            if keyword.hasPrefix("x-") {
                continue
            }
            let keywordPlace = place(below: job.place, keyword)
            guard let rule = try rule(keyword, value, at: keywordPlace, in: job) else {
                continue
            }
            if case .types = rule {
                // A value of another type needs no other complaint.
                rules.insert(rule, at: 0)
            } else {
                rules.append(rule)
            }
        }
        return rules + (try rulesOfGroups(members, in: job))
    }

    // MARK: Keywords that stand alone

    private mutating func rule(
        _ keyword: String, _ value: JSONValue, at place: SchemaPlaces.ID, in job: Job
    ) throws(JSONSchemaError) -> Rule? {
        switch keyword {
        case "type": return .types(try types(value, at: place))
        case "enum", "const": return .values(Enumeration(try values(keyword, value, at: place)))
        case "minimum": return .number(.minimum(try number(value, at: place)))
        case "maximum": return .number(.maximum(try number(value, at: place)))
        case "exclusiveMinimum": return .number(.exclusiveMinimum(try number(value, at: place)))
        case "exclusiveMaximum": return .number(.exclusiveMaximum(try number(value, at: place)))
        case "multipleOf": return .number(.multiple(try divisor(value, at: place)))
        case "minLength": return .atLeast(try count(value, at: place), .characters)
        case "maxLength": return .atMost(try count(value, at: place), .characters)
        case "minItems": return .atLeast(try count(value, at: place), .elements)
        case "maxItems": return .atMost(try count(value, at: place), .elements)
        case "minProperties": return .atLeast(try count(value, at: place), .fields)
        case "maxProperties": return .atMost(try count(value, at: place), .fields)
        case "pattern": return .pattern(try pattern(try string(value, at: place), at: place))
        case "uniqueItems": return try bool(value, at: place) ? .distinct : nil
        case "required": return .required(try names(value, at: place))
        case "propertyNames": return .names(try node(for: value, at: place, isEmbedded: job.isEmbedded))
        case "allOf": return .all(try schemas(value, at: place, in: job))
        case "anyOf": return .any(try schemas(value, at: place, in: job))
        case "oneOf": return .one(try schemas(value, at: place, in: job))
        case "not": return .not(try node(for: value, at: place, isEmbedded: job.isEmbedded), value)
        case "$ref": return .all([try target(of: try string(value, at: place), at: place, isEmbedded: job.isEmbedded)])
        case "$defs", "definitions":
            _ = try namedSchemas(value, at: place, in: job)
            return nil
        default: throw error(at: place, Self.refusal(of: keyword))
        }
    }

    private static func refusal(of keyword: String) -> String {
        let refusal = "the keyword \(JSONValue.string(keyword).excerpt(64)) is not supported"
        if keyword == "nullable" {
            return refusal + #": say "type": ["string", "null"] or the like"#
        }
        let nearest = NearestNames.of(keyword, among: single + grouped.sorted() + annotations.sorted())
        return nearest.isEmpty ? refusal : refusal + ", did you mean \(nearest.joined(separator: ", ", last: " or "))?"
    }

    // MARK: Keywords that work together

    private mutating func rulesOfGroups(
        _ members: OrderedDictionary<String, JSONValue>, in job: Job
    ) throws(JSONSchemaError) -> [Rule] {
        var rules: [Rule] = []
        var prefix: [SchemaNode.ID] = []
        if let value = members["prefixItems"] {
            prefix = try schemas(value, at: place(below: job.place, "prefixItems"), in: job)
        }
        if members["items"]?.arrayValue != nil {
            let place = place(below: job.place, "items")
            throw error(
                at: place, "expected one schema; a list of schemas is called prefixItems since draft 2020-12")
        }
        let rest = try schema("items", of: members, in: job)
        if !prefix.isEmpty || rest != nil {
            rules.append(.elements(prefix: prefix, rest: rest))
        }
        var rule = MemberRule()
        if let value = members["properties"] {
            for (name, node) in try namedSchemas(value, at: place(below: job.place, "properties"), in: job) {
                rule.names.append(name)
                rule.properties[name] = node
            }
        }
        if let value = members["patternProperties"] {
            let place = place(below: job.place, "patternProperties")
            for (source, node) in try namedSchemas(value, at: place, in: job) {
                let patternPlace = self.place(below: place, source)
                rule.patterns.append((try pattern(source, at: patternPlace), node))
            }
        }
        rule.additional = try schema("additionalProperties", of: members, in: job)
        if !rule.names.isEmpty || !rule.patterns.isEmpty || rule.additional != nil {
            rules.append(.members(rule))
        }
        let condition = try schema("if", of: members, in: job)
        let then = try schema("then", of: members, in: job)
        let otherwise = try schema("else", of: members, in: job)
        if let condition, then != nil || otherwise != nil {
            rules.append(.when(condition, then: then, otherwise: otherwise))
        }
        return rules
    }

    private mutating func schema(
        _ keyword: String, of members: OrderedDictionary<String, JSONValue>, in job: Job
    ) throws(JSONSchemaError) -> SchemaNode.ID? {
        guard let value = members[keyword] else {
            return nil
        }
        return try node(for: value, at: place(below: job.place, keyword), isEmbedded: job.isEmbedded)
    }

    /// A list of schemas, which must not be empty.
    private mutating func schemas(
        _ value: JSONValue, at place: SchemaPlaces.ID, in job: Job
    ) throws(JSONSchemaError) -> [SchemaNode.ID] {
        guard case .array(let elements) = value else {
            throw unexpected(value, "an array of schemas", at: place)
        }
        guard !elements.isEmpty else {
            throw error(at: place, "must have at least one schema")
        }
        var nodes: [SchemaNode.ID] = []
        for (index, element) in elements.enumerated() {
            nodes.append(try node(for: element, at: self.place(below: place, String(index)), isEmbedded: job.isEmbedded))
        }
        return nodes
    }

    /// An object whose members are schemas.
    private mutating func namedSchemas(
        _ value: JSONValue, at place: SchemaPlaces.ID, in job: Job
    ) throws(JSONSchemaError) -> [(name: String, node: SchemaNode.ID)] {
        guard case .object(let members) = value else {
            throw unexpected(value, "an object of schemas", at: place)
        }
        var nodes: [(name: String, node: SchemaNode.ID)] = []
        for (name, schema) in members {
            nodes.append((name, try node(for: schema, at: self.place(below: place, name), isEmbedded: job.isEmbedded)))
        }
        return nodes
    }
}
