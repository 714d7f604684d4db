package import JSON
import OrderedCollections

/// Compares what was received with what is expected, and captures values on the way.
package struct Comparison: Sendable {
    /// The first place where two values differ.
    package struct Mismatch: Hashable, Sendable, CustomStringConvertible {
        /// Where, such as `result.turn.status`; empty for the whole line.
        package let path: String
        /// What was expected there, and what came.
        package let reason: String

        /// Both in one phrase.
        package var description: String { path.isEmpty ? reason : "\(path): \(reason)" }
    }

    /// How many characters of a value a mismatch shows.
    private static let shownCharacters = 200

    /// What has been captured so far.
    package private(set) var captures = Captures()

    /// With nothing captured.
    package init() {}

    /// Compares two values. Objects may have more members than expected, unless the comparison is exact; arrays have as many elements.
    ///
    /// - Returns: nil when the value is as expected; then it has captured what was asked for.
    package mutating func mismatch(_ expected: JSONValue, _ actual: JSONValue, isExact: Bool) -> Mismatch? {
        let before = captures
        let mismatch = mismatch(expected, actual, isExact: isExact, at: JSONPathText())
        if mismatch != nil { captures = before }
        return mismatch
    }

    /// Changes what is expected as little as needed for a value to be as expected, and captures from it what is still asked for.
    ///
    /// Members that were not mentioned stay unmentioned, unless the comparison is exact or the value is about something else.
    package mutating func revised(_ expected: JSONValue, by actual: JSONValue, isExact: Bool) -> JSONValue {
        let isAbout: Bool =
            if case (.object(let wanted), .object(let given)) = (expected, actual) { wanted.keys.allSatisfy { given[$0] != nil } } else {
                true
            }
        return revise(expected, by: actual, isExact: isExact || !isAbout)
    }

    private mutating func revise(_ expected: JSONValue, by actual: JSONValue, isExact: Bool) -> JSONValue {
        switch (expected, actual) {
        case (.object(let wanted), .object(let given)):
            var members: OrderedDictionary<String, JSONValue> = [:]
            for key in isExact ? given.keys : wanted.keys {
                guard let value = given[key] else { continue }
                members[key] = wanted[key].map { revise($0, by: value, isExact: isExact) } ?? Captures.literal(value)
            }
            return .object(members)
        case (.array(let wanted), .array(let given)) where wanted.count == given.count:
            var elements: [JSONValue] = []
            for (wanted, given) in zip(wanted, given) { elements.append(revise(wanted, by: given, isExact: isExact)) }
            return .array(elements)
        case (.string(let pattern), _):
            return captures.match(pattern, actual) ? expected : Captures.literal(actual)
        default:
            return expected == actual ? expected : Captures.literal(actual)
        }
    }

    private mutating func mismatch(_ expected: JSONValue, _ actual: JSONValue, isExact: Bool, at path: JSONPathText) -> Mismatch? {
        switch (expected, actual) {
        case (.object(let wanted), .object(let given)):
            for (key, value) in wanted {
                var path = path
                path.append(member: key)
                guard let other = given[key] else {
                    return Mismatch(path: path.text, reason: "expected \(shown(value)), got nothing")
                }
                if let mismatch = mismatch(value, other, isExact: isExact, at: path) { return mismatch }
            }
            guard isExact, let (key, value) = given.first(where: { wanted[$0.key] == nil }) else { return nil }
            var path = path
            path.append(member: key)
            return Mismatch(path: path.text, reason: "expected nothing, got \(shown(value))")
        case (.array(let wanted), .array(let given)):
            for (index, pair) in zip(wanted, given).enumerated() {
                var path = path
                path.append(element: index)
                if let mismatch = mismatch(pair.0, pair.1, isExact: isExact, at: path) { return mismatch }
            }
            if wanted.count == given.count { return nil }
            return Mismatch(path: path.text, reason: "expected \(Self.counted(wanted.count)), got \(given.count)")
        case (.string(let pattern), _):
            if captures.match(pattern, actual) { return nil }
        default:
            if expected == actual { return nil }
        }
        return Mismatch(path: path.text, reason: "expected \(shown(expected)), got \(shown(actual))")
    }

    private static func counted(_ elements: Int) -> String { elements == 1 ? "1 element" : "\(elements) elements" }

    /// A value in short; of what was captured, the value is shown, too.
    private func shown(_ value: JSONValue) -> String {
        let text = String(decoding: JSONWriter.encode(value), as: UTF8.self)
        var shown = text.count > Self.shownCharacters ? text.prefix(Self.shownCharacters) + "…" : text
        if case .string(let pattern) = value, pattern.hasPrefix("${"), pattern.hasSuffix("}"),
            let known = captures[String(pattern.dropFirst(2).dropLast())]
        {
            shown += " (\(String(decoding: JSONWriter.encode(known), as: UTF8.self)))"
        }
        return String(shown)
    }
}
