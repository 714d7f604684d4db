import JSON
import JSONRPC
import ParleyCore

/// The one table of the protocol's methods: dispatch, discovery and the tests walk it.
package enum MethodTable {
    /// A row: what is known of a method before its params are read.
    package struct Row: Sendable {
        /// The method's name on the wire.
        package let name: String
        /// The protocol version that brought it.
        package let since: Int
        let decode: @Sendable (inout ParamsReader) throws(JSONError) -> Decoded
    }

    /// A method with its params.
    enum Decoded: Sendable {
        case queued(any Method)
        case immediate(any ImmediateMethod)
    }

    /// All rows, in the order in which the protocol lists them.
    package static let rows: [Row] = [
        row(Initialize.self), row(Ping.self), row(GetStatus.self), row(Shutdown.self), row(Discover.self),
        row(CreateAnonymousUser.self), row(ClaimAnonymousUser.self), row(DeleteUser.self), row(GetQuota.self), row(ResetQuota.self),
        row(CreateConversation.self), row(ListConversations.self), row(SearchConversations.self), row(GetConversation.self),
        row(UpdateConversation.self), row(DeleteConversation.self), row(SetConversationBot.self), row(ForkConversation.self),
        row(ExportConversation.self), row(ImportConversation.self),
        row(SendMessage.self), row(RegenerateMessage.self), row(EditMessage.self), row(ListMessages.self), row(RateMessage.self),
        row(CancelTurn.self),
        row(GetTurn.self), row(AttachTurn.self),
        row(CreateBot.self), row(ListBots.self), row(GetBot.self), row(UpdateBot.self), row(DeleteBot.self),
        row(SetClientTools.self), row(ListTools.self), row(ListCommands.self),
        row(ListModels.self),
    ]

    /// Whether a client can send requests or notifications of that method.
    package static func knows(_ method: String) -> Bool {
        byName[method] != nil || [CancelRequest.name, AdvanceClock.name].contains(method)
    }

    static let byName = Dictionary(uniqueKeysWithValues: rows.map { ($0.name, $0) })

    private static func row<M: Method>(_ method: M.Type) -> Row {
        Row(name: M.name, since: M.since) { params throws(JSONError) in .queued(try M(from: &params)) }
    }

    private static func row<M: ImmediateMethod>(_ method: M.Type) -> Row {
        Row(name: M.name, since: M.since) { params throws(JSONError) in .immediate(try M(from: &params)) }
    }
}
