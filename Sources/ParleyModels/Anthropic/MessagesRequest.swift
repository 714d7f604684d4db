import JSON
import ParleyCore

/// The body of a request for a message (Anthropic API reference, "Create a Message").
enum MessagesRequest {
    /// Writes the body.
    ///
    /// Where the server caches prompts, it is told where the parts end that come again: the tools, the instructions, and the history up to the
    /// last message of the user. That makes three of the four marks that it takes.
    ///
    /// - Parameters:
    ///   - request: what the model is asked.
    ///   - configuration: how its server wants it.
    /// - Returns: JSON.
    static func body(for request: ModelRequest, _ configuration: AnthropicProviderConfiguration) -> [UInt8] {
        let history = MessagesHistory(request.messages, for: "\(configuration.name):\(request.model)")
        let lastAsked = configuration.cachesPrompts ? history.turns.lastIndex { $0.role == .user } : nil
        var writer = JSONWriter(reservingCapacity: 1_024 + request.messages.reduce(request.instructions.utf8.count) { $0 + $1.modelBytes })
        writer.object { writer in
            writer.member("model", request.model)
            writer.member("max_tokens", configuration.maxTokens(for: request))
            writeInstructions(request.instructions, configuration, to: &writer)
            writer.key("messages")
            writer.array { writer in
                for (index, turn) in history.turns.enumerated() { write(turn, isCached: index == lastAsked, to: &writer) }
            }
            if !request.tools.isEmpty {
                writer.key("tools")
                writer.array { writer in
                    for (index, tool) in request.tools.enumerated() {
                        write(tool, isCached: configuration.cachesPrompts && index == request.tools.count - 1, to: &writer)
                    }
                }
            }
            writer.member("stream", true)
            if let thinking = configuration.thinking {
                writer.key("thinking")
                writer.object { $0.member("type", thinking.rawValue) }
            } else {
                // OpenAI's goes up to 2.
                writer.member("temperature", request.temperature.map { min($0, 1) })
            }
            for (name, value) in configuration.extraFields.objectValue ?? [:] {
                writer.key(name)
                writer.value(value)
            }
        }
        return writer.take()
    }

    private static func writeInstructions(
        _ instructions: String, _ configuration: AnthropicProviderConfiguration, to writer: inout JSONWriter
    ) {
        guard !instructions.allSatisfy(\.isWhitespace) else { return }
        writer.key("system")
        writer.array { writer in
            writer.object { writer in
                writer.member("type", "text")
                writer.member("text", instructions)
                writeMark(configuration.cachesPrompts, to: &writer)
            }
        }
    }

    private static func write(_ turn: MessagesHistory.Turn, isCached: Bool, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("role", turn.role.rawValue)
            writer.key("content")
            writer.array { writer in
                for (index, block) in turn.blocks.enumerated() {
                    write(block, isCached: isCached && index == turn.blocks.count - 1, to: &writer)
                }
            }
        }
    }

    private static func write(_ block: MessagesHistory.Block, isCached: Bool, to writer: inout JSONWriter) {
        if case .verbatim(let value) = block { return writer.value(value) }
        writer.object { writer in
            switch block {
            case .text(let text):
                writer.member("type", "text")
                writer.member("text", text)
            case .toolUse(let call):
                writer.member("type", "tool_use")
                writer.member("id", call.id)
                writer.member("name", call.name)
                writer.key("input")
                // What is no object was refused then, and would be refused by the server now.
                writer.value(call.arguments.objectValue == nil ? [:] : call.arguments)
            case .toolResult(let result):
                writer.member("type", "tool_result")
                writer.member("tool_use_id", result.toolCallID)
                if !result.text.allSatisfy(\.isWhitespace) { writer.member("content", result.text) }
                if result.status != .completed { writer.member("is_error", true) }
            case .verbatim: break
            }
            writeMark(isCached, to: &writer)
        }
    }

    private static func write(_ tool: ToolDefinition, isCached: Bool, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("name", tool.name)
            writer.member("description", tool.summary)
            writer.key("input_schema")
            writer.value(tool.inputSchema)
            writeMark(isCached, to: &writer)
        }
    }

    /// Marks the end of what comes again.
    private static func writeMark(_ isCached: Bool, to writer: inout JSONWriter) {
        guard isCached else { return }
        writer.key("cache_control")
        writer.object { $0.member("type", "ephemeral") }
    }
}
