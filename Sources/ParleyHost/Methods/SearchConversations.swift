import JSON
import ParleyCore

/// `searchConversations`: the caller's conversations in which something was said, the most recently changed first.
struct SearchConversations: Method {
    static let name = "searchConversations"
    let scope = Scope.caller(exclusive: true)
    private let query: String
    private let botID: String?
    private let archived: Bool?
    private let page: PageParams

    init(from params: inout ParamsReader) throws(JSONError) {
        var query: String?
        var botID: String?
        var archived: Bool?
        var page = PageParams()
        while let field = try params.nextField() {
            switch field {
            case "query": query = try params.string()
            case "botId": botID = try params.string()
            case "archived": archived = try params.bool()
            default: try page.read(field, from: &params)
            }
        }
        self.query = try params.required(query, "query")
        self.botID = botID
        self.archived = archived
        self.page = page
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        let search = ConversationSearch(query: try SearchQuery(query), botID: botID, archived: archived)
        let place = try await call.place(at: call.host.searchGate)
        defer { place.leave() }
        do throws(Failure) {
            return try await call.host.conversations.search(search, page: page.request, for: call.caller, isSettled: call.release).result
        } catch {
            throw error.code == .cancelled ? call.cancellation : error
        }
    }
}
