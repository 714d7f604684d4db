/// Members of an object in one call each; a value of nil leaves the member out.
extension JSONWriter {
    /// Writes a string member.
    package mutating func member(_ name: StaticString, _ value: String?) {
        guard let value else { return }
        key(name)
        string(value)
    }

    /// Writes an integer member.
    package mutating func member(_ name: StaticString, _ value: Int?) {
        guard let value else { return }
        key(name)
        integer(value)
    }

    /// Writes a boolean member.
    package mutating func member(_ name: StaticString, _ value: Bool?) {
        guard let value else { return }
        key(name)
        bool(value)
    }

    /// Writes a member with a double, `null` when it is not finite.
    package mutating func member(_ name: StaticString, _ value: Double?) {
        guard let value else { return }
        key(name)
        double(value)
    }

    /// Writes a member of any type.
    @inlinable
    package mutating func member<Value: JSONWritable>(_ name: StaticString, _ value: Value?) {
        guard let value else { return }
        key(name)
        value.write(to: &self)
    }

    /// Writes a member with an array.
    @inlinable
    package mutating func member<Element: JSONWritable>(_ name: StaticString, _ values: [Element]?) {
        guard let values else { return }
        key(name)
        values.write(to: &self)
    }

    /// Writes a member whose value is JSON already, see ``raw(_:)``.
    package mutating func member(_ name: StaticString, raw json: [UInt8]?) {
        guard let json else { return }
        key(name)
        raw(json)
    }
}
