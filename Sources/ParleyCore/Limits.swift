/// The bounds on what people may store, all of them settings (`limits.…`).
package struct Limits: Sendable {
    /// The greatest text of one message, in UTF-8 bytes.
    package var maxMessageBytesAnonymous = 16 * 1024
    /// The same for a user.
    package var maxMessageBytesUser = 1024 * 1024
    /// The greatest number of parts of one message. Fixed by the protocol.
    package static let maxContentParts = 256
    /// The longest answer of a model, in UTF-8 bytes; what has come by then is the answer.
    package var maxAnswerBytes = 4 * 1024 * 1024
    /// The greatest name of a model, in bytes. Fixed by the protocol.
    package static let maxModelBytes = 256
    /// How deep an opaque object may nest, so that an answer that holds it stays within what a strict reader takes. Fixed by the protocol.
    package static let maxJSONDepth = 120
    /// How many bytes a character of a bounded text may have on average, because a single one may have any number.
    static let bytesPerCharacter = 8
    /// How many turns may wait in one conversation.
    package var maxQueuedTurns = 16
    /// The greatest title, in characters.
    package var maxTitleCharacters = 200
    /// The greatest metadata of a conversation, in bytes of JSON.
    package var maxMetadataBytes = 64 * 1024
    /// The greatest number of parts of an answer, or of results of tools, in a file. Fixed by the protocol.
    package static let maxFiledParts = 1_024
    /// The greatest arguments of a call, and data of a result, in a file, in bytes of JSON. Fixed by the protocol.
    package static let maxFiledValueBytes = 1024 * 1024
    /// The greatest remark on an answer, in characters. Fixed by the protocol.
    package static let maxRatingNoteCharacters = 2_000
    /// How many messages a conversation may have that an anonymous person makes of another one, or of a file.
    package var maxCopiedMessagesAnonymous = 1_000
    /// The same for a user.
    package var maxCopiedMessagesUser = 10_000
    /// How large they may be together, in UTF-8 bytes; for a file, the file.
    package var maxCopiedBytesAnonymous = 1024 * 1024
    /// The same for a user.
    package var maxCopiedBytesUser = 32 * 1024 * 1024
    /// The greatest name of a bot, in characters. Fixed by the protocol.
    package static let maxNameCharacters = 80
    /// The greatest number of tools that a bot may name. Fixed by the protocol.
    package static let maxBotTools = 128
    /// The greatest number of models that a bot may name beside its first. Fixed by the protocol.
    package static let maxFallbackModels = 8
    /// The greatest description of a bot, in characters.
    package var maxDescriptionCharacters = 1_000
    /// The greatest instructions of a bot, in UTF-8 bytes.
    package var maxInstructionsBytes = 64 * 1024
    /// The greatest config of a bot, in bytes of JSON.
    package var maxConfigBytes = 64 * 1024
    /// How much of a conversation's history goes to the model, in UTF-8 bytes of text.
    package var maxHistoryBytes = 512 * 1024
    /// How much memory the conversations may take that went on a short time ago, so that they need not be read again, in bytes.
    package var maxRememberedBytes = 32 * 1024 * 1024

    /// The defaults.
    package init() {}

    /// The greatest text of one message of somebody's, in UTF-8 bytes.
    func maxMessageBytes(for kind: PersonKind) -> Int { kind == .anonymous ? maxMessageBytesAnonymous : maxMessageBytesUser }

    /// What somebody may copy at once.
    func copyBounds(for kind: PersonKind) -> CopyBounds {
        kind == .anonymous
            ? CopyBounds(messages: maxCopiedMessagesAnonymous, bytes: maxCopiedBytesAnonymous)
            : CopyBounds(messages: maxCopiedMessagesUser, bytes: maxCopiedBytesUser)
    }

    /// Whether a text is within a bound of so many characters.
    static func fits(_ text: String, characters: Int) -> Bool {
        text.utf8.count <= characters * bytesPerCharacter && text.count <= characters
    }
}
