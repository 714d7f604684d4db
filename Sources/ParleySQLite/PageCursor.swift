import JSON
import ParleyCore

/// Where a page begins: a JSON array of the list's name, what the list is narrowed to, and the place, in base64url without padding.
///
/// Clients get it as an opaque text. It holds nothing that they could not know, and nothing is trusted when it comes back.
struct PageCursor: Equatable {
    /// The lists that have pages.
    enum List: String { case conversations, foundConversations, messages, siblings, bots, export }

    var list: List
    /// The conversation, bot, message or search that the list is narrowed to, if any.
    var parent: String?
    /// The place in the list's own terms.
    var place: [JSONValue]

    init(_ list: List, of parent: String?, at place: [JSONValue]) {
        self.list = list
        self.parent = parent
        self.place = place
    }

    /// The opaque text.
    var text: String {
        let fields: [JSONValue] = [.string(list.rawValue), parent.map(JSONValue.string) ?? .null] + place
        return Base64URL.text(of: JSONWriter.encode(JSONValue.array(fields)))
    }

    /// The place that a request's cursor names in a list.
    ///
    /// - Returns: nil when there is no cursor.
    /// - Throws: `invalidParams` (path `cursor`) for a text that is no cursor, or one of another list.
    static func place(
        in list: List, of parent: String?, named text: String?, fields: Int
    ) throws(Failure) -> [JSONValue]? {
        guard let text else { return nil }
        guard let bytes = Base64URL.bytes(of: text), case .array(let found)? = try? JSONReader.parse(bytes), found.count == 2 + fields
        else {
            throw invalid
        }
        let cursor = PageCursor(list, of: parent, at: Array(found.dropFirst(2)))
        // Compared as text, so that there is one way to write a cursor and it says which list it belongs to.
        guard cursor.text == text else { throw invalid }
        return cursor.place
    }

    static let invalid = Failure.invalidParams(path: "cursor", reason: "is not a cursor of this list")
}
