import JSON
import OrderedCollections
import ParleyCore

/// What a model could read of a request, as JSON: in full for the cassette, and in a form in which two requests are compared.
///
/// Ids of messages and turns, times and what a client alone is shown are not in it, because no provider sends them.
enum CassetteRequest {
    /// What of the request the model could read.
    static func json(of request: ModelRequest) -> JSONValue {
        var members: OrderedDictionary<String, JSONValue> = [:]
        if !request.instructions.isEmpty { members["instructions"] = .string(request.instructions) }
        members["messages"] = .array(request.messages.map(json))
        if !request.tools.isEmpty {
            members["tools"] = .array(
                request.tools.map {
                    ["name": .string($0.name), "description": .string($0.summary), "inputSchema": $0.inputSchema]
                })
        }
        members["temperature"] = request.temperature.map { .number("\($0)") }
        members["maxOutputTokens"] = request.maxOutputTokens.map { .integer(Int64($0)) }
        return .object(members)
    }

    private static func json(of message: Message) -> JSONValue {
        var members: OrderedDictionary<String, JSONValue> = ["role": .string(message.role.rawValue)]
        members["content"] = .array(message.content.compactMap(json))
        if let replay = message.replay { members["replay"] = replay.value }
        return .object(members)
    }

    private static func json(of part: Message.Part) -> JSONValue? {
        switch part {
        case .text(let text): ["text": .string(text)]
        // No model reads it again in this form. (`nil` alone would be JSON's null.)
        case .reasoning: Optional.none
        case .toolCall(let call):
            ["toolCall": ["id": .string(call.id), "name": .string(call.name), "arguments": call.arguments]]
        case .toolResult(let result):
            [
                "toolResult": [
                    "id": .string(result.toolCallID), "status": .string(result.status.rawValue), "text": .string(result.text),
                ]
            ]
        }
    }
}

/// A request without what differs from one run to the next by nature, so that equal requests are equal.
///
/// Ids that a host makes (UUIDs, and `bot-1` and the like of a deterministic host) all look alike in it wherever they stand, and calls of tools
/// are counted.
struct ComparableRequest: Sendable {
    /// What is compared.
    private(set) var form: JSONValue
    /// The ids that were found, in order.
    private(set) var ids: [String] = []
    /// The ids of tool calls, in order.
    private var calls: [String] = []

    /// Takes from a request what differs by nature.
    ///
    /// - Parameters:
    ///   - request: see `CassetteRequest.json`.
    ///   - model: `PROVIDER:MODEL`.
    init(_ request: JSONValue, model: String) {
        form = .null
        var members: OrderedDictionary<String, JSONValue> = ["model": .string(model)]
        for (key, value) in request.objectValue ?? [:] {
            if key == "messages", let messages = value.arrayValue {
                members[key] = .array(messages.map { message($0) })
            } else {
                members[key] = alike(value)
            }
        }
        form = .object(members)
    }

    /// For each id of this request the one that stands in its place in another one, where they differ.
    func translation(to other: ComparableRequest) -> [String: String] {
        Dictionary(zip(ids, other.ids).filter { $0 != $1 }) { first, _ in first }
    }

    private mutating func message(_ message: JSONValue) -> JSONValue {
        guard case .object(var members) = message else { return alike(message) }
        for (key, value) in members {
            if key == "content", let parts = value.arrayValue {
                members[key] = .array(parts.map { part($0) })
            } else {
                members[key] = alike(value)
            }
        }
        return .object(members)
    }

    private mutating func part(_ part: JSONValue) -> JSONValue {
        for name in ["toolCall", "toolResult"] {
            guard case .object(var members)? = part[name] else { continue }
            for (key, value) in members {
                if key == "id", let id = value.stringValue {
                    members[key] = .integer(number(ofCall: id))
                } else {
                    members[key] = alike(value)
                }
            }
            return .object([name: .object(members)])
        }
        return alike(part)
    }

    private mutating func number(ofCall id: String) -> Int64 {
        if let place = calls.firstIndex(of: id) { return Int64(place + 1) }
        calls.append(id)
        return Int64(calls.count)
    }

    private mutating func alike(_ value: JSONValue) -> JSONValue {
        value.mapStrings { text in
            HostID.replaced(in: text) { id in
                ids.append(id)
                return "<id>"
            }
        }
    }
}

extension JSONValue {
    /// The value with other strings in it; keys stay.
    func mapStrings(_ change: (String) -> String) -> JSONValue {
        switch self {
        case .string(let text): .string(change(text))
        case .array(let elements): .array(elements.map { $0.mapStrings(change) })
        case .object(let members): .object(members.mapValues { $0.mapStrings(change) })
        case .null, .bool, .integer, .number: self
        }
    }
}
