import JSON
import ParleyCore

/// The JSON form of what stands in the database's JSON columns. It is the store's own, and not the wire's, although they look alike.
enum StoredJSON {
    // MARK: Values

    static func text(of value: JSONValue) -> String {
        String(decoding: JSONWriter.encode(value), as: UTF8.self)
    }

    /// - Parameter column: named in the failure.
    static func value(_ bytes: [UInt8], column: String) throws -> JSONValue {
        try readable(column) { () throws(JSONError) in try JSONReader.parse(bytes) }
    }

    // MARK: Names

    static func text(of names: [String]) -> String {
        text(of: JSONValue.array(names.map { .string($0) }))
    }

    /// - Parameter column: named in the failure.
    static func names(_ bytes: [UInt8], column: String) throws -> [String] {
        try value(bytes, column: column).arrayValue?.compactMap(\.stringValue) ?? []
    }

    // MARK: A message's parts

    static func text(of parts: [Message.Part]) -> String {
        var writer = JSONWriter()
        writer.array { writer in
            for part in parts {
                writer.object { writer in
                    switch part {
                    case .text(let text):
                        writer.member("type", "text")
                        writer.member("text", text)
                    case .reasoning(let text):
                        writer.member("type", "reasoning")
                        writer.member("text", text)
                    case .toolCall(let call):
                        writer.member("type", "toolCall")
                        writer.member("id", call.id)
                        writer.member("name", call.name)
                        writer.key("arguments")
                        writer.value(call.arguments)
                    case .toolResult(let result):
                        writer.member("type", "toolResult")
                        writer.member("toolCallId", result.toolCallID)
                        writer.member("status", result.status.rawValue)
                        writer.member("text", result.text)
                        if let data = result.data {
                            writer.key("data")
                            writer.value(data)
                        }
                    }
                }
            }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    static func parts(_ bytes: [UInt8]) throws -> [Message.Part] {
        try readable("messages.parts") { () throws(JSONError) in
            var parts: [Message.Part] = []
            var reader = JSONReader(bytes)
            try reader.beginArray()
            while try reader.nextElement() { parts.append(try part(&reader)) }
            try reader.end()
            return parts
        }
    }

    private static func part(_ reader: inout JSONReader) throws(JSONError) -> Message.Part {
        var (type, text, id, name, callID, status): (String?, String?, String?, String?, String?, String?)
        var (arguments, data): (JSONValue?, JSONValue?)
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "type": type = try reader.string()
            case "text": text = try reader.string()
            case "id": id = try reader.string()
            case "name": name = try reader.string()
            case "toolCallId": callID = try reader.string()
            case "status": status = try reader.string()
            case "arguments": arguments = try reader.value()
            case "data": data = try reader.value()
            default: throw reader.mismatch("unknown field")
            }
        }
        switch (type, text, id, name, callID, status, arguments) {
        case ("text", let text?, _, _, _, _, _): return .text(text)
        case ("reasoning", let text?, _, _, _, _, _): return .reasoning(text)
        case ("toolCall", _, let id?, let name?, _, _, let arguments?):
            return .toolCall(ToolCall(id: id, name: name, arguments: arguments))
        case ("toolResult", let text?, _, _, let id?, let status?, _):
            guard let status = ToolResult.Status(rawValue: status) else { throw reader.mismatch("unknown status") }
            return .toolResult(ToolResult(toolCallID: id, status: status, text: text, data: data))
        default: throw reader.mismatch("unknown part")
        }
    }

    // MARK: A command that waits

    static func text(of pending: PendingCommand) -> String {
        text(of: ["name": .string(pending.name), "arguments": pending.arguments, "field": .string(pending.field)])
    }

    static func pendingCommand(_ bytes: [UInt8]) throws -> PendingCommand {
        let value = try value(bytes, column: "conversations.pending_command")
        guard let name = value["name"]?.stringValue, let arguments = value["arguments"], let field = value["field"]?.stringValue else {
            throw SQLiteFailure.unreadable("conversations.pending_command")
        }
        return PendingCommand(name: name, arguments: arguments, field: field)
    }

    // MARK: Usage

    static func text(of usage: Usage) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.key("inputTokens")
            writer.integer(usage.inputTokens)
            if let cached = usage.cachedInputTokens {
                writer.key("cachedInputTokens")
                writer.integer(cached)
            }
            writer.key("outputTokens")
            writer.integer(usage.outputTokens)
            if let reasoning = usage.reasoningTokens {
                writer.key("reasoningTokens")
                writer.integer(reasoning)
            }
            if usage.isEstimated { writer.member("estimated", true) }
            if let cost = usage.cost {
                writer.key("cost")
                writer.object { writer in
                    writer.key("amount")
                    writer.string(cost.amount)
                    writer.key("currency")
                    writer.string(cost.currency)
                }
            }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// - Parameter column: named in the failure.
    static func usage(_ bytes: [UInt8], column: String) throws -> Usage {
        try readable(column) { () throws(JSONError) in
            var usage = Usage(inputTokens: 0, outputTokens: 0)
            var reader = JSONReader(bytes)
            try reader.beginObject()
            while let key = try reader.nextKey() {
                switch key {
                case "inputTokens": usage.inputTokens = try reader.integer()
                case "cachedInputTokens": usage.cachedInputTokens = try reader.integer()
                case "outputTokens": usage.outputTokens = try reader.integer()
                case "reasoningTokens": usage.reasoningTokens = try reader.integer()
                case "estimated": usage.isEstimated = try reader.bool()
                case "cost": usage.cost = try cost(&reader)
                default: throw reader.mismatch("unknown field")
                }
            }
            try reader.end()
            return usage
        }
    }

    private static func cost(_ reader: inout JSONReader) throws(JSONError) -> Cost {
        var cost = Cost(amount: "", currency: "")
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "amount": cost.amount = try reader.string()
            case "currency": cost.currency = try reader.string()
            default: throw reader.mismatch("unknown field")
            }
        }
        return cost
    }

    // MARK: A turn's error

    static func text(of error: TurnError) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.key("code")
            writer.string(error.code.rawValue)
            writer.key("message")
            writer.string(error.message)
            writer.key("details")
            // An array of pairs, because details have an order and nothing forbids a name twice.
            writer.array { writer in
                for detail in error.details {
                    writer.array { writer in
                        writer.string(detail.name)
                        detail.value.write(to: &writer)
                    }
                }
            }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    static func error(_ bytes: [UInt8]) throws -> TurnError {
        try readable("turns.error") { () throws(JSONError) in
            var error = TurnError(code: .internalError, message: "")
            var reader = JSONReader(bytes)
            try reader.beginObject()
            while let key = try reader.nextKey() {
                switch key {
                case "code":
                    guard let code = Failure.Code(rawValue: try reader.string()) else { throw reader.mismatch("unknown code") }
                    error.code = code
                case "message": error.message = try reader.string()
                case "details": error.details = try details(&reader)
                default: throw reader.mismatch("unknown field")
                }
            }
            try reader.end()
            return error
        }
    }

    private static func details(_ reader: inout JSONReader) throws(JSONError) -> [Failure.Detail] {
        var details: [Failure.Detail] = []
        try reader.beginArray()
        while try reader.nextElement() {
            try reader.beginArray()
            guard try reader.nextElement() else { throw reader.mismatch("a detail has a name and a value") }
            let name = try reader.string()
            guard try reader.nextElement() else { throw reader.mismatch("a detail has a name and a value") }
            details.append(Failure.Detail(name, try reader.value()))
            guard try !reader.nextElement() else { throw reader.mismatch("a detail has a name and a value") }
        }
        return details
    }

    // MARK: Errors

    static func readable<Value>(_ column: String, _ read: () throws(JSONError) -> Value) throws(Failure) -> Value {
        do throws(JSONError) {
            return try read()
        } catch {
            // The reason names places and never holds content.
            throw SQLiteFailure.unreadable("\(column): \(error.path): \(error.reason)")
        }
    }
}
