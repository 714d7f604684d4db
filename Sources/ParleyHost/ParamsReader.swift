import JSON

/// Reads a method's params field by field; `caller`, which every method takes, is read on the way.
struct ParamsReader {
    private var reader: JSONReader
    /// The caller that the params name, once all fields have been read.
    private(set) var caller: CallerClaim?

    init(_ reader: JSONReader) throws(JSONError) {
        self.reader = reader
        try self.reader.beginObject()
    }

    /// The next field's name; nil after the last.
    mutating func nextField() throws(JSONError) -> String? {
        while let field = try reader.nextKey() {
            guard field == "caller" else { return field }
            caller = try reader.readNull() ? nil : CallerClaim(from: &reader)
        }
        return nil
    }

    /// The field's value; a null reads as nil, as if the field were absent.
    mutating func string() throws(JSONError) -> String? { try reader.readNull() ? nil : reader.string() }
    mutating func bool() throws(JSONError) -> Bool? { try reader.readNull() ? nil : reader.bool() }
    mutating func integer() throws(JSONError) -> Int? { try reader.readNull() ? nil : reader.integer() }
    mutating func double() throws(JSONError) -> Double? { try reader.readNull() ? nil : reader.double() }
    // Spelt out, because a bare nil would be a JSON null.
    mutating func value() throws(JSONError) -> JSONValue? { try reader.readNull() ? JSONValue?.none : reader.value() }

    /// The field's value, of a type that reads itself.
    mutating func read<Value: JSONReadable>(_ type: Value.Type) throws(JSONError) -> Value? {
        try reader.readNull() ? nil : Value(from: &reader)
    }

    /// Each element of an array.
    mutating func elements<Element: JSONReadable>(_ type: Element.Type) throws(JSONError) -> [Element]? {
        if try reader.readNull() { return nil }
        var elements: [Element] = []
        try reader.beginArray()
        while try reader.nextElement() { elements.append(try Element(from: &reader)) }
        return elements
    }

    /// An array of strings.
    mutating func names() throws(JSONError) -> [String]? {
        if try reader.readNull() { return nil }
        var names: [String] = []
        try reader.beginArray()
        while try reader.nextElement() { names.append(try reader.string()) }
        return names
    }

    /// One of the known words of an enum.
    mutating func word<Word: RawRepresentable & CaseIterable>(_ type: Word.Type) throws(JSONError) -> Word? where Word.RawValue == String {
        guard let text = try string() else { return nil }
        guard let word = Word(rawValue: text) else {
            throw reader.mismatch("expected one of \(Word.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return word
    }

    /// Refuses the current field because nothing of that name is known.
    func unknownField() -> JSONError { reader.mismatch("unknown field") }

    /// Refuses the current field's value.
    func refused(_ reason: String) -> JSONError { reader.mismatch(reason) }

    /// Gives a field's value, or says that it is missing.
    func required<Value>(_ value: Value?, _ field: String) throws(JSONError) -> Value {
        guard let value else { throw reader.missing(field) }
        return value
    }
}
