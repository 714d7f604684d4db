import JSON
import ParleyCore

/// A piece of a tool call, as chunks bring it.
struct ToolCallPiece {
    /// Which call of the answer; nil when the server does not count them.
    var index: Int?
    var id = ""
    var name = ""
    /// More of the arguments' text.
    var arguments = ""
}

/// Tool calls that are put together from pieces.
struct ToolCallAssembly: Sendable {
    private struct Call {
        var index: Int?
        var id: String
        var name: String
        var arguments: String
    }

    private var pending: [Call] = []

    /// Takes a piece.
    ///
    /// The first piece brings the id and the name, which some servers (llama.cpp) repeat with every piece. A server that does not count
    /// begins another call with another id.
    mutating func take(_ piece: ToolCallPiece) {
        let known =
            if let index = piece.index {
                pending.firstIndex { $0.index == index }
            } else if piece.id.isEmpty {
                pending.indices.last
            } else {
                pending.firstIndex { $0.id == piece.id }
            }
        guard let known else {
            pending.append(Call(index: piece.index, id: piece.id, name: piece.name, arguments: piece.arguments))
            return
        }
        if pending[known].id.isEmpty { pending[known].id = piece.id }
        if pending[known].name.isEmpty { pending[known].name = piece.name }
        pending[known].arguments += piece.arguments
    }

    /// The calls, whole. Arguments that are no JSON stay the text that they are, and the tool's schema refuses them.
    var calls: [ToolCall] {
        pending.filter { !$0.name.isEmpty }.map { call in
            let text = Array(call.arguments.utf8)
            let isEmpty = text.allSatisfy { $0 <= 0x20 }
            let arguments = isEmpty ? [:] : (try? JSONReader.parse(text)) ?? .string(call.arguments)
            return ToolCall(id: call.id, name: call.name, arguments: arguments)
        }
    }
}
