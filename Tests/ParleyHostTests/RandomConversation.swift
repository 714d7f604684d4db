import JSON
import ParleyTestSupport

/// A conversation as a file, made by chance: a tree with branches, tools, commands, answers that were cut short, thoughts, ratings, and texts of
/// all sorts. It is written as an export writes it.
struct RandomConversation {
    private struct Node {
        let id: String
        let role: String
        let isLocal: Bool
        let turn: JSONValue
        /// The calls that have no result yet.
        var calls: [String] = []
        /// Whether its turn may go on after it.
        var isOpen: Bool
    }

    private var chance: SeededGenerator
    private var nodes: [Node] = []
    private var lines: [JSONValue] = []
    private var time = 0

    /// - Parameters:
    ///   - seed: the same seed makes the same file.
    ///   - count: how many messages it has.
    init(seed: UInt64, count: Int) {
        chance = SeededGenerator(seed: seed)
        for _ in 0..<count { addMessage() }
        let hasCommand = nodes.contains(where: \.isLocal)
        var head: JSONValue?
        if let node = nodes.randomElement(using: &chance), !(hasCommand && oneIn(4)) { head = .string(node.id) }
        var header: [(String, JSONValue)] = [
            ("type", "conversation"), ("format", "parley-conversation"), ("version", 1), ("title", .string(String(text().prefix(20)))),
            ("metadata", oneIn(2) ? [:] : ["n": [1, .number("0.10"), nil], "": .string(text())]),
        ]
        if let head { header.append(("headMessageId", head)) }
        header.append(("createdAt", "2026-01-01T00:00:00.000Z"))
        lines.insert(Self.object(header), at: 0)
    }

    /// The file.
    var file: String {
        lines.map { String(decoding: JSONWriter.encode($0), as: UTF8.self) + "\n" }.joined()
    }

    private mutating func oneIn(_ number: Int) -> Bool { Int.random(in: 0..<number, using: &chance) == 0 }

    private static func object(_ members: [(String, JSONValue)]) -> JSONValue {
        var object: JSONValue = [:]
        if case .object(var dictionary) = object {
            for (key, value) in members { dictionary[key] = value }
            object = .object(dictionary)
        }
        return object
    }

    private static let pieces = [
        "Rome", " ", "\n", "```\n", "# ", "> ", "\"", "\\", "\u{0}", "\u{1F}", "\u{2028}", "\r\n", "é", "e\u{301}", "👩‍👩‍👧", "漢字", "\u{FFFD}",
        "\u{10FFFF}", "<b>", "{\"type\":", "\u{202E}",
    ]

    private mutating func text() -> String {
        var text = "x"
        for _ in 0..<Int.random(in: 0..<6, using: &chance) { text += Self.pieces.randomElement(using: &chance) ?? "" }
        return text
    }

    private mutating func moment() -> JSONValue {
        time += Int.random(in: 0..<3, using: &chance)
        let digits = String(time % 1_000)
        return .string("2025-11-0\(1 + time / 1_000 % 9)T10:00:00.\(String(repeating: "0", count: 3 - digits.count))\(digits)Z")
    }

    private mutating func turn(isLocal: Bool) -> JSONValue {
        let id = JSONValue.string("turn \(lines.count)")
        let endings: [(String, String)] = [
            ("completed", "endTurn"), ("completed", "maxTokens"), ("completed", "maxSteps"), ("completed", "refusal"),
            ("cancelled", "cancelled"), ("interrupted", "interrupted"), ("failed", "error"),
        ]
        let (status, reason) = isLocal ? endings[0] : endings.randomElement(using: &chance) ?? endings[0]
        var members: [(String, JSONValue)] = [("id", id), ("status", .string(status)), ("stopReason", .string(reason))]
        if status == "failed" { members.append(("error", ["code": "modelTimeout", "message": .string(text())])) }
        return Self.object(members)
    }

    private mutating func addMessage() {
        // A turn goes on, or a question is answered again, or somebody asks something, wherever in the tree.
        if let open = nodes.indices.filter({ nodes[$0].isOpen }).randomElement(using: &chance), !oneIn(4) {
            nodes[open].isOpen = false
            return answer(after: open, in: nodes[open].turn, isLocal: nodes[open].isLocal)
        }
        if let question = nodes.indices.filter({ nodes[$0].role == "user" && !nodes[$0].isLocal }).randomElement(using: &chance), oneIn(3) {
            return answer(after: question, in: turn(isLocal: false), isLocal: false)
        }
        let parent = oneIn(8) ? nil : nodes.indices.randomElement(using: &chance)
        let isLocal = oneIn(6)
        var parts: [JSONValue] = [["type": "text", "text": .string(text())]]
        if oneIn(4) { parts.append(["type": "text", "text": .string(text())]) }
        append("user", parts, after: parent, in: turn(isLocal: isLocal), isLocal: isLocal)
    }

    private mutating func answer(after parent: Int, in turn: JSONValue, isLocal: Bool) {
        let calls = nodes[parent].calls
        if !calls.isEmpty {
            let answered = oneIn(4) ? Array(calls.prefix(1)) : calls
            let results = answered.map { id -> JSONValue in
                let status = ["completed", "failed", "denied", "cancelled"].randomElement(using: &chance) ?? "failed"
                var members: [(String, JSONValue)] = [
                    ("type", "toolResult"), ("toolCallId", .string(id)), ("status", .string(status)),
                    ("text", .string(oneIn(4) ? "" : text())),
                ]
                if oneIn(2) { members.append(("data", ["celsius": 21, "": [nil]])) }
                return Self.object(members)
            }
            return append("tool", results, after: parent, in: turn, isLocal: isLocal)
        }
        var (parts, ids): ([JSONValue], [String]) = ([], [])
        for _ in 0..<Int.random(in: 0..<4, using: &chance) {
            parts.append(["type": oneIn(3) ? "reasoning" : "text", "text": .string(text())])
        }
        for number in 0..<(oneIn(2) ? Int.random(in: 0..<3, using: &chance) : 0) {
            ids.append("call_\(number)")
            parts.append([
                "type": "toolCall", "id": .string("call_\(number)"), "name": .string(oneIn(4) ? "weather🌦" : "weather"),
                "arguments": oneIn(4) ? .string(text()) : ["city": .string(text())],
            ])
        }
        append("assistant", parts, after: parent, in: turn, isLocal: isLocal, calls: ids)
    }

    private mutating func append(
        _ role: String, _ parts: [JSONValue], after parent: Int?, in turn: JSONValue, isLocal: Bool, calls: [String] = []
    ) {
        let id = "message \(lines.count)"
        let isAnswer = role == "assistant"
        var members: [(String, JSONValue)] = [("type", "message"), ("id", .string(id))]
        if let parent { members.append(("parentId", .string(nodes[parent].id))) }
        members += [("turn", turn), ("role", .string(role)), ("content", .array(parts))]
        members.append(("status", isAnswer && oneIn(4) ? "partial" : "complete"))
        if isLocal { members.append(("local", true)) }
        if isAnswer, oneIn(2) { members.append(("model", "provider:a model")) }
        if isAnswer, !isLocal, oneIn(2) {
            var usage: JSONValue = ["inputTokens": 30, "outputTokens": 3]
            if oneIn(2) {
                usage = [
                    "inputTokens": 30, "cachedInputTokens": 4, "outputTokens": 3, "reasoningTokens": 2, "estimated": true,
                    "cost": ["amount": "0.0012", "currency": "USD"],
                ]
            }
            members.append(("usage", usage))
        }
        if isAnswer, oneIn(3) {
            members.append(("rating", oneIn(2) ? "up" : "down"))
            if oneIn(2) { members.append(("ratingNote", .string(text()))) }
        }
        members.append(("createdAt", moment()))
        lines.append(Self.object(members))
        nodes.append(Node(id: id, role: role, isLocal: isLocal, turn: turn, calls: calls, isOpen: true))
    }
}
