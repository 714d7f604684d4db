import JSON
import ParleyCore

/// What belongs to a model's call.
extension StoredJSON {
    // MARK: What a provider wants sent back

    static func bytes(of replay: Message.Replay) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("model", replay.model)
            writer.member("value", replay.value)
        }
        return writer.bytes
    }

    static func replay(_ bytes: [UInt8]) throws -> Message.Replay {
        try readable("messages.private") { () throws(JSONError) in
            var replay = Message.Replay(model: "", value: .null)
            var reader = JSONReader(bytes)
            try reader.beginObject()
            while let key = try reader.nextKey() {
                switch key {
                case "model": replay.model = try reader.string()
                case "value": replay.value = try reader.value()
                default: throw reader.mismatch("unknown field")
                }
            }
            try reader.end()
            return replay
        }
    }

    // MARK: What a model was not sent

    static func text(of omissions: Omissions) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("messagesLeftOut", omissions.messagesLeftOut)
            writer.member("toolOutputsCleared", omissions.toolOutputsCleared)
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    static func omissions(_ bytes: [UInt8]) throws -> Omissions {
        try readable("turns.context") { () throws(JSONError) in
            var omissions = Omissions()
            var reader = JSONReader(bytes)
            try reader.beginObject()
            while let key = try reader.nextKey() {
                switch key {
                case "messagesLeftOut": omissions.messagesLeftOut = try reader.integer()
                case "toolOutputsCleared": omissions.toolOutputsCleared = try reader.integer()
                default: throw reader.mismatch("unknown field")
                }
            }
            try reader.end()
            return omissions
        }
    }
}
