import JSON
import ParleyCore

/// Catches tool calls that a model writes into its text, in the words that it was trained on, where its server ought to have read them.
///
/// MiniMax's servers let `<minimax:tool_call><invoke name="…"><parameter name="…">…` slip through now and then, and of newer models the
/// token `]<]minimax[>[` before each tag. From there on nothing is shown as text; what it turns out to be is known at the end.
struct LeakedToolCalls: Sendable {
    /// What was caught.
    enum Catch {
        /// No call but a text that looked like the beginning of one: empty when there was nothing at all.
        case text(String)
        /// Whole calls of tools that were offered.
        case calls([ToolCallPiece])
        /// Calls of which something is missing, or of tools that nobody offered.
        case broken
    }

    private let tools: [ToolDefinition]
    /// The end of the text so far that may become a marker.
    private var held: [UInt8] = []
    /// All since the first marker; nil while there was none.
    private var leak: [UInt8]?

    private static let token = "]<]minimax[>["
    private static let markers = ["<minimax:tool_call>", token].map { Array($0.utf8) }
    private static let marks = [UInt8(ascii: "<"), UInt8(ascii: "]")]

    /// Begins with a text.
    ///
    /// - Parameter tools: what the model may call; when that is nothing, everything is text.
    init(tools: [ToolDefinition]) {
        self.tools = tools
    }

    /// Takes the next piece of the text.
    ///
    /// - Returns: what is certain to be text.
    mutating func take(_ piece: String) -> String {
        guard !tools.isEmpty else { return piece }
        if leak != nil {
            leak? += Array(piece.utf8)
            return ""
        }
        if held.isEmpty, !piece.utf8.contains(where: Self.marks.contains) { return piece }
        let text = held + piece.utf8
        held = []
        guard let find = TagSearch.first(of: Self.markers, beginning: Self.marks, in: text[...]) else {
            return String(decoding: text, as: UTF8.self)
        }
        if find.tag == nil { held = Array(text[find.start...]) } else { leak = Array(text[find.start...]) }
        return String(decoding: text[..<find.start], as: UTF8.self)
    }

    /// Takes the end of the text.
    mutating func finish() -> Catch {
        defer {
            held = []
            leak = nil
        }
        guard let leak else { return .text(String(decoding: held, as: UTF8.self)) }
        let text = String(decoding: leak, as: UTF8.self)
        guard text.contains("<invoke") || text.contains(Self.token) else { return .text(text) }
        guard let calls = calls(in: text.replacing(Self.token, with: "")), !calls.isEmpty else { return .broken }
        return .calls(calls)
    }

    private func calls(in text: String) -> [ToolCallPiece]? {
        var rest = Substring(text)
        var calls: [ToolCallPiece] = []
        while rest.skip(past: "<invoke name=\"") != nil {
            guard let name = rest.skip(past: "\">"), let body = rest.skip(past: "</invoke>"),
                let tool = tools.first(where: { $0.name == name }), let arguments = Self.arguments(in: body, of: tool)
            else { return nil }
            calls.append(ToolCallPiece(name: tool.name, arguments: String(decoding: JSONWriter.encode(arguments), as: UTF8.self)))
        }
        return rest.contains("<invoke") ? nil : calls
    }

    /// Reads `<parameter name="NAME">VALUE</parameter>` and `<NAME>VALUE</NAME>`.
    ///
    /// - Returns: nil when something is missing.
    private static func arguments(in body: Substring, of tool: ToolDefinition) -> JSONValue? {
        var rest = body.drop(while: \.isWhitespace)
        guard case .object(var members) = [:] as JSONValue else { return nil }
        while !rest.isEmpty {
            guard rest.first == "<", let tag = rest.skip(past: ">")?.dropFirst() else { return nil }
            let isNamed = tag.hasPrefix("parameter name=\"") && tag.hasSuffix("\"")
            let name = isNamed ? String(tag.dropFirst(16).dropLast()) : String(tag)
            guard var value = rest.skip(past: isNamed ? "</parameter>" : "</\(name)>") else { return nil }
            if value.first?.isNewline == true { value.removeFirst() }
            if value.last?.isNewline == true { value.removeLast() }
            members[name] = Self.value(String(value), schema: tool.inputSchema["properties"]?[name])
            rest = rest.drop(while: \.isWhitespace)
        }
        return .object(members)
    }

    /// What stands between two tags is text, or JSON where the schema wants something else.
    private static func value(_ text: String, schema: JSONValue?) -> JSONValue {
        guard let type = schema?["type"], type != "string" else { return .string(text) }
        return (try? JSONReader.parse(Array(text.utf8))) ?? .string(text)
    }
}

extension Substring {
    /// Goes behind the next appearance of a text.
    ///
    /// - Returns: what stands before it; nil, and nothing has moved, when it does not appear.
    fileprivate mutating func skip(past text: String) -> Substring? {
        guard let range = firstRange(of: text) else { return nil }
        defer { self = self[range.upperBound...] }
        return self[..<range.lowerBound]
    }
}
