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
                for message in request.messages {
                    let text = message.text
                    // An answer that was cut before its first word is refused by most.
                    if !text.isEmpty { write(message.role.rawValue, text, to: &writer) }
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
                }
            }
        }
    }
}
