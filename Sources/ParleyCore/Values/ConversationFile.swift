package import JSON

/// A file that a conversation can be made of: a header, and messages by their numbers, which count from 0.
package protocol ConversationFile: Sendable {
    /// The whole file.
    var text: String { get }

    /// How many messages it says that it has.
    var messageCount: Int { get }

    /// Reads what is said of the conversation.
    ///
    /// - Throws: `invalidParams`, with a `line`.
    func header() throws(Failure) -> ConversationHeader

    /// Reads a message, as far as one can be read without the others; its `conversationID` is empty.
    ///
    /// - Throws: `invalidParams`, with a `line`.
    func message(_ number: Int) throws(Failure) -> FiledMessage
}

/// What a file says of its conversation, as far as it is of use in another one.
package struct ConversationHeader: Sendable {
    /// The title; empty for none.
    package var title: String
    /// An opaque object of the client's own.
    package var metadata: JSONValue
    /// The message that the next one follows; nil for none.
    package var headMessageID: String?

    /// Makes one of its fields; see them for what the parameters mean.
    package init(title: String, metadata: JSONValue, headMessageID: String?) {
        self.title = title
        self.metadata = metadata
        self.headMessageID = headMessageID
    }
}
