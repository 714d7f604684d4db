import JSON
import ParleyCore

/// The body of a request for a chat completion (OpenAI API reference, "Create chat completion").
enum ChatRequest {
    /// Writes the body.
    ///
    /// There is one system message at most, and it comes first: MiniMax refuses others. What is not set is left out, because many
    /// servers refuse the defaults of others.
    ///
    /// - Parameters:
    ///   - request: what the model is asked.
    ///   - configuration: how its server wants it.
    /// - Returns: JSON.
    static func body(for request: ModelRequest, _ configuration: OpenAIProviderConfiguration) -> [UInt8] {
        var writer = JSONWriter(reservingCapacity: capacity(for: request))
        writer.object { writer in
            writer.member("model", request.model)
            writer.key("messages")
            writer.array { writer in
                if !request.instructions.isEmpty { write("system", request.instructions, to: &writer) }
                for message in request.messages { write(message, to: &writer) }
            }
            if !request.tools.isEmpty {
                writer.key("tools")
                writer.array { writer in
                    for tool in request.tools { write(tool, to: &writer) }
                }
            }
            writer.member("stream", true)
            writer.key("stream_options")
            writer.object { $0.member("include_usage", true) }
            writer.member("temperature", request.temperature)
            if let maximum = request.maxOutputTokens {
                writer.key(configuration.maxTokensField.rawValue)
                writer.integer(maximum)
            }
            for (name, value) in configuration.extraFields {
                writer.key(name)
                writer.value(value)
            }
        }
        return writer.take()
    }

    private static func write(_ message: Message, to writer: inout JSONWriter) {
        for result in message.toolResults {
            writer.object { writer in
                writer.member("role", "tool")
                writer.member("tool_call_id", result.toolCallID)
                writer.member("content", result.text)
            }
        }
        let text = message.text
        let calls = message.toolCalls
        guard !calls.isEmpty else {
            // An answer that was cut before its first word is refused by most.
            if !text.isEmpty { write(message.role.rawValue, text, to: &writer) }
            return
        }
        writer.object { writer in
            writer.member("role", message.role.rawValue)
            writer.member("content", text)
            writer.key("tool_calls")
            writer.array { writer in
                for call in calls { write(call, to: &writer) }
            }
        }
    }

    private static func write(_ call: ToolCall, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", call.id)
            writer.member("type", "function")
            writer.key("function")
            writer.object { writer in
                writer.member("name", call.name)
                // What is no object was refused then, and would be refused by servers that look into it now.
                let arguments =
                    call.arguments.objectValue == nil ? "{}" : String(decoding: JSONWriter.encode(call.arguments), as: UTF8.self)
                writer.member("arguments", arguments)
            }
        }
    }

    private static func write(_ tool: ToolDefinition, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("type", "function")
            writer.key("function")
            writer.object { writer in
                writer.member("name", tool.name)
                writer.member("description", tool.summary)
                writer.key("parameters")
                writer.value(tool.inputSchema)
            }
        }
    }

    private static func write(_ role: String, _ content: String, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("role", role)
            writer.member("content", content)
        }
    }

    /// Enough for all but texts with many escapes.
    private static func capacity(for request: ModelRequest) -> Int {
        request.messages.reduce(512 + request.instructions.utf8.count) { sum, message in
            message.content.reduce(sum + 64) { sum, part in
                switch part {
                case .text(let text): sum + text.utf8.count
                case .toolCall: sum + 256
                case .toolResult(let result): sum + result.text.utf8.count
                case .reasoning: sum
                }
            }
        }
    }
}
