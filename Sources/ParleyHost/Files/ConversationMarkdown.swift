import JSON
import ParleyCore

/// A conversation as a Markdown document, for people: a heading for each message, and what it says as a quotation.
///
/// Nothing that is said can be taken for the frame. A quotation ends where its lines no longer begin with `>`, whatever stands in it (CommonMark
/// 0.31.2, section 5.1), so an open fence or a heading in it ends there too; taking `>` and the space after it away gives what was said. What
/// stands in the frame's own lines is on one line, and escaped or a code span.
enum ConversationMarkdown {
    /// How much is shown of the arguments and the output of a tool, in characters.
    private static let maximumToolCharacters = 300

    /// Writes a page; all pages together are the document.
    static func text(of excerpt: ConversationExcerpt) -> String {
        var text = ""
        if let conversation = excerpt.conversation { text += heading(of: conversation, botName: excerpt.botName) }
        for filed in excerpt.messages { text += section(for: filed.message) }
        return text
    }

    private static func heading(of conversation: Conversation, botName: String?) -> String {
        let title = escaped(conversation.title)
        return "# \(title.isEmpty ? "Untitled" : title)\n\nBegun \(moment(conversation.createdAt))"
            + (botName.map { ", answered by \(escaped($0))" } ?? "") + ".\n"
    }

    private static func section(for message: Message) -> String {
        var text = ""
        switch message.role {
        case .user: text = "\n## User, \(moment(message.createdAt))\(message.isLocal ? " (command)" : "")\n"
        case .assistant:
            text = "\n## Assistant, \(moment(message.createdAt))"
            text += message.model.map { ", \(code($0))" } ?? ""
            text += message.status == .partial ? " (cut short)\n" : "\n"
        case .tool: break
        }
        if !message.text.isEmpty { text += "\n" + quoted(message.text) }
        let items = message.content.compactMap(item)
        // Results go on the list of the calls.
        if !items.isEmpty { text += (message.role == .tool ? "" : "\n") + items.joined() }
        return text
    }

    /// A tool call, or what came of one, on one line.
    private static func item(for part: Message.Part) -> String? {
        switch part {
        case .text, .reasoning: nil
        case .toolCall(let call):
            "- calls \(code(call.name)) with \(code(String(decoding: JSONWriter.encode(call.arguments), as: UTF8.self)))\n"
        case .toolResult(let result): "- \(result.status.rawValue)\(result.text.isEmpty ? "" : ": " + code(result.text))\n"
        }
    }

    /// A moment to the second.
    private static func moment(_ timestamp: Timestamp) -> String {
        let text = timestamp.rfc3339
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(8)) UTC"
    }

    /// A text as a quotation. The ends of lines are those of CommonMark, and become newlines.
    private static func quoted(_ text: String) -> String {
        var bytes: [UInt8] = []
        var isLineBegun = false
        var hasReturn = false
        func begin(_ byte: UInt8?) {
            guard !isLineBegun else { return }
            bytes.append(UInt8(ascii: ">"))
            if byte != nil { bytes.append(UInt8(ascii: " ")) }
            isLineBegun = true
        }
        for byte in text.utf8 {
            defer { hasReturn = byte == 0x0D }
            if byte == 0x0A, hasReturn { continue }
            if byte == 0x0A || byte == 0x0D {
                begin(nil)
                bytes.append(0x0A)
                isLineBegun = false
            } else {
                begin(byte)
                bytes.append(byte)
            }
        }
        begin(nil)
        return String(decoding: bytes, as: UTF8.self) + "\n"
    }

    /// A text on one line as a code span, shortened (CommonMark 0.31.2, section 6.1).
    private static func code(_ text: String) -> String {
        let line = onOneLine(String(text.prefix(maximumToolCharacters + 1)))
        let shown = line.count > maximumToolCharacters ? "\(line.prefix(maximumToolCharacters))…" : line
        let longest = shown.split { $0 != "`" }.map(\.count).max() ?? 0
        let fence = String(repeating: "`", count: longest + 1)
        let hasEdge = shown.isEmpty || longest > 0 || shown.first == " " || shown.last == " "
        return hasEdge ? "\(fence) \(shown) \(fence)" : fence + shown + fence
    }

    /// A text on one line in which nothing means anything (CommonMark 0.31.2, section 2.4).
    private static func escaped(_ text: String) -> String {
        onOneLine(text).split(separator: " ").joined(separator: " ").unicodeScalars.reduce(into: "") { text, scalar in
            if special.contains(scalar) { text.unicodeScalars.append("\\") }
            text.unicodeScalars.append(scalar)
        }
    }

    /// What may mean something in the middle of a line, in the dialects that are common.
    private static let special = Set("\\`*_[]<>&~!|#$^=".unicodeScalars)

    private static func onOneLine(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : $0 }))
    }
}
