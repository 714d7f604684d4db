package import JSON

/// A file that a conversation can be made of: a header, and messages by their numbers, which count from 0.
package protocol ConversationFile: Sendable {
    /// The whole file.
    var text: String { get }

    /// How many messages it has; where there are more than its reader looks for, one more than that.
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

/// What a file may be at most, as far as it matters to its reader.
package struct FileBounds: Hashable, Sendable {
    /// How many messages are looked for.
    package var messages: Int
    /// How large the metadata may be, in bytes of JSON.
    package var metadataBytes: Int

    /// Makes one of its fields; see them for what the parameters mean.
    package init(messages: Int, metadataBytes: Int) {
        self.messages = messages
        self.metadataBytes = metadataBytes
    }
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
