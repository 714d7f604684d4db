import JSON
import ParleyCore

/// A piece of a tool call, as chunks bring it.
struct ToolCallPiece: Sendable {
    /// Which call of the answer; nil when the server does not count them.
    var index: Int?
    var id = ""
    var name = ""
    /// More of the arguments' text.
    var arguments = ""
    /// What the server wants back with the call: `extra_content` (Gemini's signature of a thought).
    var extra: JSONValue?
}

/// Tool calls that are put together from pieces.
struct ToolCallAssembly: Sendable {
    /// A call that has come to its end.
    struct Assembled {
        var call: ToolCall
        /// Whether the arguments are an object, so that nothing of them can be missing.
        var isWhole: Bool
        /// What the server wants back with the call.
        var extra: JSONValue?
    }

    private struct Call {
        var index: Int?
        var id: String
        var name: String
        var arguments: String
        var extra: JSONValue?

        /// Whether a server may have said all of it.
        var isWhole: Bool { (try? JSONReader.parse(Array(arguments.utf8)))?.objectValue != nil }
    }

    private var pending: [Call] = []

    /// Whether no piece has come.
    var isEmpty: Bool { pending.isEmpty }

    /// Takes a piece.
    ///
    /// The first piece of a call brings its name, and its id if there is any. What names a call belongs to another one than the last: when the
    /// id is another, even if the index is the same (Ollama), or, without ids, when the last call is whole. Some servers (llama.cpp) repeat id
    /// and name with every piece.
    mutating func take(_ piece: ToolCallPiece) {
        guard let known = place(of: piece) else { return begin(piece) }
        if pending[known].id.isEmpty { pending[known].id = piece.id }
        if pending[known].name.isEmpty { pending[known].name = piece.name }
        if let extra = piece.extra { pending[known].extra = extra }
        // An empty object may stand there until the arguments come.
        if pending[known].arguments == "{}", piece.arguments.contains(where: { !$0.isWhitespace }) { pending[known].arguments = "" }
        pending[known].arguments += piece.arguments
    }

    /// Takes a whole call, which is none of those that have come.
    mutating func begin(_ piece: ToolCallPiece) {
        pending.append(Call(index: piece.index, id: piece.id, name: piece.name, arguments: piece.arguments, extra: piece.extra))
    }

    private func place(of piece: ToolCallPiece) -> Int? {
        let last =
            if let index = piece.index {
                pending.lastIndex { $0.index == index }
            } else if piece.id.isEmpty {
                pending.indices.last
            } else {
                pending.firstIndex { $0.id == piece.id }
            }
        guard let last, !piece.name.isEmpty else { return last }
        let call = pending[last]
        if call.name.isEmpty { return last }
        if !piece.id.isEmpty, !call.id.isEmpty { return piece.id == call.id ? last : nil }
        return piece.id.isEmpty && call.id.isEmpty && call.isWhole ? nil : last
    }

    /// The calls, in order. Arguments that are no JSON stay the text that they are, and the tool's schema refuses them.
    ///
    /// - Parameter prefix: what an id begins with that the server did not give, or gave twice.
    func calls(idPrefix prefix: String) -> [Assembled] {
        var ids: Set<String> = []
        return pending.filter { !$0.name.isEmpty }.enumerated().map { number, call in
            let text = Array(call.arguments.utf8)
            let isEmpty = text.allSatisfy { $0 <= 0x20 }
            let arguments = isEmpty ? [:] : (try? JSONReader.parse(text)) ?? .string(call.arguments)
            let isFree = !call.id.isEmpty && ids.insert(call.id).inserted
            let id = isFree ? call.id : "\(prefix)\(number + 1)"
            return Assembled(
                call: ToolCall(id: id, name: call.name, arguments: arguments), isWhole: call.isWhole, extra: call.extra)
        }
    }
}
