import JSON
import ParleyCore

/// `createBot`: makes a bot.
struct CreateBot: Method {
    static let name = "createBot"
    let scope = Scope.caller(exclusive: true)
    private let draft: Bots.Draft

    init(from params: inout ParamsReader) throws(JSONError) {
        var name: String?
        var draft = Bots.Draft(name: "")
        while let field = try params.nextField() {
            switch field {
            case "name": name = try params.string()
            case "description": draft.description = try params.string() ?? ""
            case "instructions": draft.instructions = try params.string()
            case "model": draft.model = try params.string()
            case "fallbackModels": draft.fallbackModels = try params.names()
            case "temperature": draft.temperature = try params.double()
            case "tools": draft.tools = try params.names()
            case "config": draft.config = try params.value()
            case "visibility": draft.visibility = try params.word(Bot.Visibility.self) ?? .private
            case "clientRequestId": draft.requestID = try params.string()
            default: throw params.unknownField()
            }
        }
        draft.name = try params.required(name, "name")
        self.draft = draft
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        let bot = try await call.host.bots.create(draft, for: call.caller)
        return bot.result
    }
}

/// `listBots`: bots by name, without their instructions and config: the caller's own, the published ones, or both.
struct ListBots: Method {
    static let name = "listBots"
    let scope = Scope.caller(exclusive: true)
    let answersAtLength = true
    private var bots = BotScope.own
    private var page = PageParams()

    init(from params: inout ParamsReader) throws(JSONError) {
        while let field = try params.nextField() {
            switch field {
            case "scope": bots = try params.word(BotScope.self) ?? .own
            default: try page.read(field, from: &params)
            }
        }
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        let page = try await call.host.bots.list(bots, page: page.request, for: call.caller)
        return Page(elements: page.elements.map(BotSummary.init), nextCursor: page.nextCursor).result
    }
}

/// `getBot`: one bot, whole.
struct GetBot: Method {
    static let name = "getBot"
    let scope = Scope.caller(exclusive: false)
    let answersAtLength = true
    private let botID: String

    init(from params: inout ParamsReader) throws(JSONError) {
        botID = try params.onlyField("botId")
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        let bot = try await call.host.bots.get(botID, for: call.caller)
        return bot.result
    }
}

/// `updateBot`: changes a bot, if its revision is the one that the client has seen.
struct UpdateBot: Method {
    static let name = "updateBot"
    let scope = Scope.caller(exclusive: true)
    private let botID: String
    private let revision: Int?
    private let change: BotChange

    init(from params: inout ParamsReader) throws(JSONError) {
        var botID: String?
        var revision: Int?
        var change = BotChange()
        while let field = try params.nextField() {
            switch field {
            case "botId": botID = try params.string()
            case "revision": revision = try params.integer()
            case "name": change.name = try params.string()
            case "description": change.description = try params.string() ?? ""
            case "instructions": change.instructions = .some(try params.string())
            case "model": change.model = .some(try params.string())
            case "fallbackModels": change.fallbackModels = .some(try params.names())
            case "temperature": change.temperature = .some(try params.double())
            case "tools": change.tools = .some(try params.names())
            case "config": change.config = .some(try params.value())
            case "visibility": change.visibility = try params.word(Bot.Visibility.self)
            default: throw params.unknownField()
            }
        }
        self.botID = try params.required(botID, "botId")
        self.revision = revision
        self.change = change
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        let bot = try await call.host.bots.update(botID, change, ifRevision: revision, for: call.caller)
        return bot.result
    }
}

/// `deleteBot`: deletes a bot; its conversations stay.
struct DeleteBot: Method {
    static let name = "deleteBot"
    let scope = Scope.caller(exclusive: true)
    private let botID: String

    init(from params: inout ParamsReader) throws(JSONError) {
        botID = try params.onlyField("botId")
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        try await call.host.bots.delete(botID, for: call.caller)
        call.host.storeCare.noteDeletion()
        return deletionResult(id: botID)
    }
}

extension Bot {
    fileprivate var result: ResultWriter {
        { writer in writer.object { $0.member("bot", self) } }
    }
}
