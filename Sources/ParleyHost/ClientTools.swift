package import JSON
import JSONRPC
package import ParleyCore

/// The tools that the client of a connection offers, as they were when a turn began.
struct ClientTools: ToolSource {
    let name = "client"
    let definitions: [ToolDefinition]
    let requests: ClientRequests
    let connection: Connection

    func tools() -> [ToolDefinition] { definitions }

    func call(_ call: ToolCall, in context: ToolContext) async throws(Failure) -> ToolOutput {
        let answer = await requests.ask("callTool", on: connection) { writer in
            writer.object { $0.members(of: call, in: context) }
        }
        switch answer {
        case nil: throw Failure(.cancelled, "The call was given up, or the client has gone.")
        case .failure(let error)?:
            throw Failure(.toolFailed, "The client refused the call: \(error.message.prefix(500)) (\(error.code))")
        case .success(let result)?:
            do throws(JSONError) {
                var reader = JSONReader(JSONWriter.encode(result))
                return try ToolOutput(from: &reader)
            } catch {
                throw Failure(
                    .toolFailed, "The client's answer is no tool result: \(error.path.isEmpty ? "" : "\(error.path): ")\(error.reason)")
            }
        }
    }
}

/// Asks the client of a connection whether a tool may be called.
struct ClientApprover: Approver {
    let requests: ClientRequests
    let connection: Connection

    func approve(_ call: ToolCall, in context: ToolContext) async throws(Failure) -> ApprovalOption {
        let answer = await requests.ask("requestApproval", on: connection) { writer in
            writer.object { writer in
                writer.members(of: call, in: context)
                writer.approvalOptions()
            }
        }
        guard case .success(let result)? = answer, let option = result["option"]?.stringValue.flatMap(ApprovalOption.init(rawValue:)) else {
            throw Failure(.toolDenied, "Nobody has approved of the call.")
        }
        return option
    }
}

extension JSONWriter {
    /// Writes what can be chosen for a tool call.
    mutating func approvalOptions() {
        key("options")
        array { writer in
            for option in ApprovalOption.allCases { writer.string(option.rawValue) }
        }
    }

    fileprivate mutating func members(of call: ToolCall, in context: ToolContext) {
        member("conversationId", context.conversationID)
        member("turnId", context.turnID)
        member("toolCallId", call.id)
        member("name", call.name)
        key("arguments")
        value(call.arguments)
    }
}

extension ToolOutput: JSONReadable {
    /// Reads `{content: [{type: "text", text}], isError?, data?}`.
    package init(from reader: inout JSONReader) throws(JSONError) {
        var content: [Message.Part]?
        self.init(text: "")
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "content":
                var parts: [Message.Part] = []
                try reader.beginArray()
                while try reader.nextElement() { parts.append(try Message.Part(from: &reader)) }
                content = parts
            case "isError": isError = try reader.bool()
            case "data": data = try reader.readNull() ? JSONValue?.none : reader.value()
            default: _ = try reader.skip()
            }
        }
        guard let content else { throw reader.missing("content") }
        text = content.map { if case .text(let text) = $0 { text } else { "" } }.joined(separator: "\n")
    }
}
