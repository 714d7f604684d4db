package import JSON
import JSONSchema

/// What is known of a tool: enough for a model to call it, for a person to be helped, and for the host to keep its bounds.
package struct ToolDefinition: Sendable {
    /// Whether a tool may be called.
    package enum Policy: String, CaseIterable, Sendable {
        /// Always.
        case allow
        /// When somebody approves of the call.
        case ask
        /// Never.
        case deny
    }

    /// Who may call a tool.
    package enum Audience: Sendable {
        /// Models, and people by commands.
        case everybody
        /// People alone.
        case people
    }

    /// 1 to 64 letters, digits, `_` and `-`: what all models' servers take.
    package let name: String
    /// What people call it.
    package let title: String
    /// What it does, one line, for models and people.
    package let summary: String
    /// More about it, for people; empty for nothing more.
    package let help: String
    /// A command that shows how it is used; nil for none.
    package let example: String?
    /// What it is listed under.
    package let category: String
    /// Who may call it.
    package let audience: Audience
    /// The JSON Schema of its arguments, an object.
    package let inputSchema: JSONValue
    /// Whether it may be called.
    package var policy: Policy
    /// How long a call may take, in milliseconds.
    package let timeoutMilliseconds: Int64
    /// The longest output, in UTF-8 bytes; the rest is cut off.
    package let maxOutputBytes: Int
    /// How much of a model's window it takes, in UTF-8 bytes.
    let modelBytes: Int
    private let schema: JSONSchema

    /// The default of `timeoutMilliseconds`.
    package static let defaultTimeoutMilliseconds: Int64 = 60_000
    /// The default of `maxOutputBytes`.
    package static let defaultMaxOutputBytes = 65_536

    /// Describes a tool.
    ///
    /// - Throws: `invalidParams` for a name or a schema that cannot be; the path is relative to the tool.
    package init(
        name: String, title: String? = nil, summary: String, help: String = "", example: String? = nil, category: String,
        audience: Audience = .everybody, inputSchema: JSONValue, policy: Policy = .allow,
        timeoutMilliseconds: Int64 = defaultTimeoutMilliseconds,
        maxOutputBytes: Int = defaultMaxOutputBytes
    ) throws(Failure) {
        let isName = (1...64).contains(name.utf8.count) && name.utf8.allSatisfy { $0.isNameByte }
        guard isName else { throw .invalidParams(path: "name", reason: "expected 1 to 64 letters, digits, _ and -") }
        guard case .object(var members) = inputSchema, members["type", default: "object"] == "object" else {
            throw .invalidParams(path: "inputSchema", reason: "expected the schema of an object")
        }
        // Models' servers want it said.
        members["type"] = "object"
        let inputSchema = JSONValue.object(members)
        do throws(JSONSchemaError) {
            schema = try JSONSchema(inputSchema)
        } catch {
            throw .invalidParams(path: "inputSchema", reason: "\(error.pointer.isEmpty ? "" : "at \(error.pointer): ")\(error.reason)")
        }
        self.name = name
        self.title = title ?? name
        self.summary = summary
        self.help = help
        self.example = example
        self.category = category
        self.audience = audience
        self.inputSchema = inputSchema
        self.policy = policy
        self.timeoutMilliseconds = timeoutMilliseconds
        self.maxOutputBytes = maxOutputBytes
        modelBytes = name.utf8.count + summary.utf8.count + JSONWriter.encode(inputSchema).count
    }

    /// What is wrong with arguments, each a line with the place and the reason, written for a model that can mend its call.
    package func violations(of arguments: JSONValue) -> [String] {
        schema.violations(of: arguments).map { "\($0.path.isEmpty ? "the arguments" : $0.path): \($0.reason)" }
    }
}

extension UInt8 {
    fileprivate var isNameByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
