/// A value that is handed on by reference: an asynchronous function keeps room for a copy, or several, of each large value that it is given.
@dynamicMemberLookup
final class Shared<Value: Sendable>: Sendable {
    let value: Value

    /// Wraps a value.
    init(_ value: Value) {
        self.value = value
    }

    subscript<Member>(dynamicMember path: KeyPath<Value, Member>) -> Member { value[keyPath: path] }
}
