import JSON

/// The values of keywords.
extension SchemaCompiler {
    mutating func types(_ value: JSONValue, at place: SchemaPlaces.ID) throws(JSONSchemaError) -> TypeSet {
        guard case .array(let elements) = value else {
            return try type(value, at: place)
        }
        guard !elements.isEmpty else {
            throw error(at: place, "must name at least one type")
        }
        var types: TypeSet = []
        for (index, element) in elements.enumerated() {
            let elementPlace = self.place(below: place, String(index))
            types.insert(try type(element, at: elementPlace))
        }
        return types
    }

    private func type(_ value: JSONValue, at place: SchemaPlaces.ID) throws(JSONSchemaError) -> TypeSet {
        let name = try string(value, at: place)
        guard let type = TypeSet.names.first(where: { $0.name == name })?.type else {
            let names = TypeSet.names.map(\.name).joined(separator: ", ", last: " or ")
            throw error(at: place, "\(value.excerpt(40)) is no type; the types are \(names)")
        }
        return type
    }

    func values(_ keyword: String, _ value: JSONValue, at place: SchemaPlaces.ID) throws(JSONSchemaError) -> [JSONValue] {
        guard !value.nests(deeperThan: JSONReader.maximumDepth) else {
            throw error(at: place, "the value nests deeper than \(JSONReader.maximumDepth)")
        }
        if keyword == "const" {
            return [value]
        }
        guard case .array(let values) = value else {
            throw unexpected(value, "an array of values", at: place)
        }
        return values
    }

    func number(_ value: JSONValue, at place: SchemaPlaces.ID) throws(JSONSchemaError) -> ExactNumber {
        guard let number = ExactNumber(value) else {
            throw unexpected(value, "a number", at: place)
        }
        return number
    }

    func divisor(_ value: JSONValue, at place: SchemaPlaces.ID) throws(JSONSchemaError) -> ExactNumber.Divisor {
        guard let divisor = ExactNumber.Divisor(try number(value, at: place)) else {
            throw error(at: place, "must be greater than 0 and have at most 18 digits")
        }
        return divisor
    }

    func count(_ value: JSONValue, at place: SchemaPlaces.ID) throws(JSONSchemaError) -> Int {
        guard let count = try number(value, at: place).asCount else {
            throw error(at: place, "expected an integer from 0, found \(value.shortDescription)")
        }
        return count
    }

    func string(_ value: JSONValue, at place: SchemaPlaces.ID) throws(JSONSchemaError) -> String {
        guard let string = value.stringValue else {
            throw unexpected(value, "a string", at: place)
        }
        return string
    }

    func bool(_ value: JSONValue, at place: SchemaPlaces.ID) throws(JSONSchemaError) -> Bool {
        guard let bool = value.boolValue else {
            throw unexpected(value, "a boolean", at: place)
        }
        return bool
    }

    mutating func names(_ value: JSONValue, at place: SchemaPlaces.ID) throws(JSONSchemaError) -> [String] {
        guard case .array(let elements) = value else {
            throw unexpected(value, "an array of strings", at: place)
        }
        var names: [String] = []
        for (index, element) in elements.enumerated() {
            let elementPlace = self.place(below: place, String(index))
            names.append(try string(element, at: elementPlace))
        }
        return names
    }

    func pattern(_ source: String, at place: SchemaPlaces.ID) throws(JSONSchemaError) -> Pattern {
        do throws(PatternTranslator.Fault) {
            return try Pattern(source)
        } catch {
            throw self.error(at: place, "is not a regular expression that can be used: \(error.reason)")
        }
    }

    func unexpected(_ value: JSONValue, _ expected: String, at place: SchemaPlaces.ID) -> JSONSchemaError {
        error(at: place, "expected \(expected), found \(value.shortDescription)")
    }
}
