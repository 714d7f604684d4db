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
        let extras = configuration.extraFields.objectValue ?? [:]
        writer.object { writer in
            writer.member("model", request.model)
            writer.key("messages")
            writer.array { writer in
                if !request.instructions.isEmpty {
                    write(configuration.developerRole ? "developer" : "system", request.instructions, to: &writer)
                }
                let model = "\(configuration.name):\(request.model)"
                for message in request.messages {
                    write(message, ChatReplay(of: message, for: model, configuration.reasoning), to: &writer)
                }
            }
            if !request.tools.isEmpty {
                writer.key("tools")
                writer.array { writer in
                    for tool in request.tools { write(tool, to: &writer) }
                }
                if extras["parallel_tool_calls"] == nil { writer.member("parallel_tool_calls", configuration.parallelToolCalls) }
            }
            writer.member("stream", true)
            if configuration.streamOptions, extras["stream_options"] == nil {
                writer.key("stream_options")
                writer.object { $0.member("include_usage", true) }
            }
            if extras["temperature"] == nil { writer.member("temperature", request.temperature) }
            let bound = configuration.maxTokensField.rawValue
            if extras[bound] == nil, let maximum = request.maxOutputTokens {
                writer.key(bound)
                writer.integer(maximum)
            }
            for (name, value) in extras where value != .null {
                writer.key(name)
                writer.value(value)
            }
        }
        return writer.take()
    }

    private static func write(_ message: Message, _ replay: ChatReplay?, to writer: inout JSONWriter) {
        for result in message.toolResults {
            writer.object { writer in
                writer.member("role", "tool")
                writer.member("tool_call_id", result.toolCallID)
                writer.member("content", result.text)
            }
        }
        let text = message.text
        let calls = message.toolCalls
        // An answer that was cut before its first word is refused by most.
        guard !calls.isEmpty || !text.isEmpty else { return }
        writer.object { writer in
            writer.member("role", message.role.rawValue)
            writer.key("content")
            if let replay { writer.value(replay.content(text)) } else { writer.string(text) }
            replay?.writeReasoning(to: &writer)
            guard !calls.isEmpty else { return }
            writer.key("tool_calls")
            writer.array { writer in
                for call in calls { write(call, replay, to: &writer) }
            }
        }
    }

    private static func write(_ call: ToolCall, _ replay: ChatReplay?, to writer: inout JSONWriter) {
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
            replay?.writeExtras(ofCall: call.id, to: &writer)
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
                // MiniMax refuses a schema in which it finds no properties, even where there are none.
                guard case .object(var schema) = tool.inputSchema else { return }
                if schema["properties"] == nil { schema["properties"] = [:] }
                writer.value(JSONValue.object(schema))
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
