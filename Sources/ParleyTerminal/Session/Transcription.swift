import JSON

/// Messages and what is in them as text.
enum Transcription {
    /// The text of a message.
    static func text(of message: JSONValue) -> String {
        (message["content"]?.arrayValue ?? []).filter { $0["type"]?.stringValue == "text" }.compactMap { $0["text"]?.stringValue }.joined()
    }

    /// The arguments of a tool on one line.
    static func arguments(_ arguments: JSONValue) -> String {
        guard let members = arguments.objectValue else { return String(decoding: JSONWriter.encode(arguments), as: UTF8.self) }
        return members.map { "\($0.key): \(String(decoding: JSONWriter.encode($0.value), as: UTF8.self))" }.joined(separator: ", ")
    }
}
