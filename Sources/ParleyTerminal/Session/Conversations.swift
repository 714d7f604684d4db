import JSON
import ParleyClient

/// What a client asks of its host beside turns.
struct Conversations {
    private let link: HostLink

    init(_ link: HostLink) {
        self.link = link
    }

    /// The bot that somebody means.
    ///
    /// - Parameter name: its name, letter case ignored, or its id.
    func bot(named name: String) throws(HostLink.Trouble) -> JSONValue {
        let bots = try bots()
        let fitting =
            bots.first { $0["id"]?.stringValue == name } ?? bots.first { $0["name"]?.stringValue?.lowercased() == name.lowercased() }
        if let fitting { return fitting }
        let names = bots.compactMap { $0["name"]?.stringValue }.joined(separator: ", ")
        let message = "There is no bot \(name)\(names.isEmpty ? "; /create_bot makes one" : " (there are: \(names))")."
        throw .refused(HostConnection.Refusal(["message": .string(message), "data": ["code": "notFound"]]))
    }

    /// All bots that may be used here.
    func bots() throws(HostLink.Trouble) -> [JSONValue] {
        var bots: [JSONValue] = []
        var cursor = JSONValue.null
        repeat {
            let page = try link.call("listBots", ["scope": "all", "limit": 200, "cursor": cursor])
            bots += page["data"]?.arrayValue ?? []
            cursor = page["nextCursor"] ?? .null
        } while !cursor.isNull
        return bots
    }

    /// The conversation that has changed last; nil when there is none.
    ///
    /// - Parameter bot: only conversations with it; nil for all.
    func latest(bot: JSONValue?) throws(HostLink.Trouble) -> JSONValue? {
        try list(1, bot: bot).first
    }

    /// The conversations that have changed last.
    func list(_ count: Int, bot: JSONValue? = nil) throws(HostLink.Trouble) -> [JSONValue] {
        try link.call("listConversations", ["limit": .integer(Int64(count)), "botId": bot?["id"] ?? .null])["data"]?.arrayValue ?? []
    }

    /// What was said last in a conversation, the oldest of it first.
    func messages(_ conversationID: String, _ count: Int) throws(HostLink.Trouble) -> [JSONValue] {
        let page = try link.call("listMessages", ["conversationId": .string(conversationID), "limit": .integer(Int64(count))])
        return (page["data"]?.arrayValue ?? []).reversed()
    }
}
