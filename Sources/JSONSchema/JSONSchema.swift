package import JSON

/// A JSON Schema that was compiled once and checks any number of values, such as the arguments of a tool's calls.
///
/// What is supported of draft 2020-12; everything else is refused by ``init(_:)``, never ignored:
///
/// | keywords | note |
/// |---|---|
/// | `true`, `false` | a boolean is a schema |
/// | `type` | one name or a list; `1.0` and `1e3` are integers |
/// | `enum`, `const` | numbers are equal by value, strings by code points, objects in whatever order of their members |
/// | `minimum` `maximum` `exclusiveMinimum` `exclusiveMaximum` `multipleOf` | exact, in decimal, with exponents up to ±10^15; a `multipleOf` has at most 18 digits |
/// | `minLength` `maxLength` | counted in code points |
/// | `pattern` | searched for anywhere in a string of at most 64 KiB; see below |
/// | `items` `prefixItems` `minItems` `maxItems` `uniqueItems` | |
/// | `properties` `patternProperties` `additionalProperties` `propertyNames` | |
/// | `required` `minProperties` `maxProperties` | |
/// | `allOf` `anyOf` `oneOf` `not` `if` `then` `else` | |
/// | `$ref` | `#` and JSON pointers in the same document, such as `#/$defs/node`; it may lead back to where it stands, as long as each round goes deeper into the value |
/// | `$defs` `definitions` | each must be a schema, used or not |
/// | `title` `description` `default` `examples` `deprecated` `readOnly` `writeOnly` `format` `contentEncoding` `contentMediaType` `$schema` `$id` `$comment` and `x-…` | mean nothing for validity and are not looked at; but a `$ref` below a nested `$id` is refused |
///
/// A **pattern** is translated from ECMA-262 (with the `u` flag) to Foundation's regular expressions. `\d`, `\w`, `\s`, `\b`, `.`, `^`
/// and `$` mean what ECMA-262 says, and a literal `{`, `}` or `]` may stand unescaped. It has at most 4 KiB. Back references, flags,
/// repetitions beyond 10,000 times and look-behinds of unbounded length are refused.
///
/// **Bounds.** Checking a value takes at most ``maximumSteps`` steps; a step is a rule that is looked at, a member or an element that is
/// visited, some bytes that are compared, or ten turns of a regular expression. Values nest at most ``JSON/JSONReader/maximumDepth``
/// deep, and rules apply within one another at most ``maximumDepth`` deep. A value that cannot be checked within these bounds has a
/// violation that says so.
///
/// Keys that differ only in canonically equivalent spelling are one key to ``JSON/JSONValue`` and so are no longer two when they come here.
package struct JSONSchema: Sendable {
    /// One thing that is wrong with a value.
    package struct Violation: Equatable, Sendable {
        /// The member or element concerned, such as `content[0].text`; empty for the whole value.
        ///
        /// A required field that is missing is named as if it were there.
        package var path: String

        /// What is wrong and what would be right, for people and for language models, such as `expected a string, found the number 3`.
        package var reason: String

        /// Makes a violation.
        ///
        /// - Parameters:
        ///   - path: the member or element concerned; empty for the whole value.
        ///   - reason: what is wrong.
        package init(path: String, reason: String) {
            self.path = path
            self.reason = reason
        }
    }

    /// How many steps checking one value may take.
    package static let maximumSteps = 1_000_000

    /// How deep rules may apply within one another: each member or element, each alternative and each `$ref` on the way counts one.
    package static let maximumDepth = 512

    private let nodes: [SchemaNode]

    /// Compiles a schema.
    ///
    /// - Parameter document: the schema with all its definitions.
    /// - Throws: ``JSONSchemaError`` for what is not a schema or not supported.
    package init(_ document: JSONValue) throws(JSONSchemaError) {
        var compiler = SchemaCompiler(document)
        nodes = try compiler.compile()
    }

    /// Finds what is wrong with a value.
    ///
    /// - Parameters:
    ///   - value: the value.
    ///   - limit: how many violations are wanted at most, at least one.
    /// - Returns: nothing exactly when the value is valid.
    package func violations(of value: JSONValue, limit: Int = 8) -> [Violation] {
        var findings = Findings(capacity: max(1, limit))
        var evaluation = Evaluation(nodes)
        evaluation.check(whole: value, into: &findings)
        var violations: [Violation] = []
        for finding in findings.all {
            let violation = Violation(path: finding.path.text, reason: finding.problem.reason)
            if !violations.contains(violation) {
                violations.append(violation)
            }
        }
        return violations
    }
}
