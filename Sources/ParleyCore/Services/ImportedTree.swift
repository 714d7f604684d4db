import JSON

/// Makes sure that the messages of a file are a conversation: each follows one that came before it, turns go straight on, results belong to
/// calls, and nothing is later, or larger than the bounds of this host.
///
/// It keeps of each message only its place, because the messages together may be large.
struct ImportedTree {
    /// How far the clock of the host that wrote the file may be ahead, in milliseconds.
    private static let clockToleranceMilliseconds: Int64 = 300_000
    /// The longest id, name or word in a file, in bytes.
    private static let maximumWordBytes = 1_024
    /// The longest name of a tool, in bytes.
    private static let maximumNameBytes = 256
    /// The longest sentence on why a turn failed, in bytes.
    private static let maximumErrorBytes = 4_096

    /// What is known of a turn while its messages come.
    private struct Progress {
        var turn: ConversationImport.ImportedTurn
        /// The number of its last message.
        var last: Int
        /// The calls of its last message that have no result yet.
        var openCalls: Set<String> = []
    }

    private let limits: Limits
    private let bounds: CopyBounds
    private let kind: PersonKind
    private let ambient: any Ambient
    private let latest: Timestamp

    private(set) var places: [ConversationImport.Place] = []
    /// The new ids of the messages.
    private(set) var ids: [String] = []
    private var roles: [Message.Role] = []
    private var progress: [Progress] = []
    private var numbers: [String: Int] = [:]
    private var turnNumbers: [String: Int] = [:]

    /// - Parameter kind: who imports the file.
    init(limits: Limits, kind: PersonKind, ambient: any Ambient) {
        self.limits = limits
        self.bounds = limits.copyBounds(for: kind)
        self.kind = kind
        self.ambient = ambient
        latest = ambient.now().advanced(byMilliseconds: Self.clockToleranceMilliseconds)
    }

    /// The turns, in the order of their first messages.
    var turns: [ConversationImport.ImportedTurn] { progress.map(\.turn) }

    /// Makes sure that there may be another message.
    ///
    /// - Throws: `invalidParams`.
    func requireRoom() throws(Failure) {
        guard places.count < bounds.messages else { throw .misfiled("", "the file is longer than \(bounds.messages) messages") }
    }

    /// Takes the next message.
    ///
    /// - Throws: `invalidParams`, whose path is within the message.
    mutating func add(_ filed: FiledMessage) throws(Failure) {
        let message = filed.message
        try Self.check(word: message.id, "id")
        try Self.check(word: message.turnID, "turn.id")
        guard numbers[message.id] == nil else { throw .misfiled("id", "is the id of an earlier line") }
        try check(time: message.createdAt)
        let parent = try message.parentID.map { (id) throws(Failure) in
            guard let number = numbers[id] else { throw .misfiled("parentId", "names no message of an earlier line") }
            return number
        }
        try check(filed.ending)
        let number = places.count
        let turn: Int
        if let known = turnNumbers[message.turnID] {
            turn = known
            try goOn(turn, with: message, ending: filed.ending, number: number, after: parent)
        } else {
            turn = progress.count
            try begin(with: message, ending: filed.ending, number: number, after: parent)
        }
        places.append(ConversationImport.Place(parent: parent, turn: turn))
        roles.append(message.role)
        numbers[message.id] = number
    }

    /// The number of the message that the next one is to follow.
    ///
    /// - Throws: `invalidParams` for a head that is none of the messages, or is missing where only a command could have taken it away.
    func head(_ id: String?) throws(Failure) -> Int? {
        guard let id else {
            guard places.isEmpty || progress.contains(where: \.turn.isLocal) else { throw .misfiled("headMessageId", "is required") }
            return nil
        }
        guard let number = numbers[id] else { throw .misfiled("headMessageId", "names none of the messages") }
        return number
    }

    // MARK: Turns

    private mutating func begin(with message: Message, ending: TurnEnding, number: Int, after parent: Int?) throws(Failure) {
        let questionID: String?
        switch message.role {
        case .user: questionID = nil
        case .assistant:
            // Somebody wanted another answer, which commands do not have.
            guard let parent, roles[parent] == .user, !message.isLocal, !progress[places[parent].turn].turn.isLocal else {
                throw .misfiled("parentId", "an answer follows a message of the user's, or goes on with its turn")
            }
            questionID = ids[parent]
        case .tool: throw .misfiled("role", "results of tools follow the calls in their turn")
        }
        let id = newID(for: message)
        turnNumbers[message.turnID] = progress.count
        progress.append(
            Progress(
                turn: ConversationImport.ImportedTurn(
                    id: ambient.newID(.turn), ending: ending, isLocal: message.isLocal, userMessageID: questionID ?? id, messageID: nil,
                    usage: nil, createdAt: message.createdAt, completedAt: message.createdAt),
                last: number))
        try take(message, id: id, into: progress.count - 1)
    }

    private mutating func goOn(
        _ turn: Int, with message: Message, ending: TurnEnding, number: Int, after parent: Int?
    ) throws(Failure) {
        let known = progress[turn]
        guard parent == known.last else { throw .misfiled("parentId", "does not follow what its turn has said before") }
        guard message.role != .user else { throw .misfiled("role", "a message of the user's begins a turn") }
        guard ending == known.turn.ending else { throw .misfiled("turn", "is another than in an earlier line") }
        guard message.isLocal == known.turn.isLocal else { throw .misfiled("local", "is another than in an earlier line of the turn") }
        progress[turn].last = number
        try take(message, id: newID(for: message), into: turn)
    }

    private mutating func newID(for message: Message) -> String {
        let id = ambient.newID(.message)
        ids.append(id)
        return id
    }

    private mutating func take(_ message: Message, id: String, into turn: Int) throws(Failure) {
        switch message.role {
        case .user: try check(question: message)
        case .assistant: try check(answer: message)
        case .tool: try check(results: message, of: progress[turn].openCalls)
        }
        progress[turn].openCalls = Set(message.toolCalls.map(\.id))
        if message.role == .assistant { progress[turn].turn.messageID = id }
        if let usage = message.usage { progress[turn].turn.usage = progress[turn].turn.usage.map { $0 + usage } ?? usage }
        progress[turn].turn.completedAt = max(progress[turn].turn.completedAt, message.createdAt)
    }

    private func check(_ ending: TurnEnding) throws(Failure) {
        let reasons: [Turn.StopReason]
        switch ending.status {
        case .queued, .inProgress: throw .misfiled("turn.status", "expected the status of a turn that has ended")
        case .completed: reasons = [.endTurn, .maxTokens, .maxSteps, .refusal]
        case .failed: reasons = [.error]
        case .cancelled: reasons = [.cancelled]
        case .interrupted: reasons = [.interrupted]
        }
        guard let reason = ending.stopReason, reasons.contains(reason) else {
            throw .misfiled("turn.stopReason", "does not go with the status")
        }
        guard (ending.error == nil) == (ending.status != .failed) else {
            throw .misfiled("turn.error", "expected exactly where the turn has failed")
        }
        if let error = ending.error {
            guard error.message.utf8.count <= Self.maximumErrorBytes else {
                throw .misfiled("turn.error.message", "longer than \(Self.maximumErrorBytes) bytes")
            }
        }
    }

    // MARK: Messages

    private func check(question message: Message) throws(Failure) {
        guard (1...Limits.maxContentParts).contains(message.content.count) else {
            throw .misfiled("content", "expected 1 to \(Limits.maxContentParts) parts")
        }
        for (index, part) in message.content.enumerated() {
            guard case .text = part else { throw .misfiled("content[\(index)].type", "expected text, which is all that a user says") }
        }
        try checkBare(message)
        guard message.text.contains(where: { !$0.isWhitespace }) else { throw .misfiled("content", "expected more than white space") }
        let limit = limits.maxMessageBytes(for: kind)
        guard message.text.utf8.count <= limit else { throw .misfiled("content", "larger than \(limit) bytes") }
    }

    private func check(answer message: Message) throws(Failure) {
        try Self.check(partsOf: message)
        var callIDs: Set<String> = []
        var bytes = 0
        for (index, part) in message.content.enumerated() {
            switch part {
            case .text(let text), .reasoning(let text): bytes += text.utf8.count
            case .toolCall(let call):
                try Self.check(word: call.id, "content[\(index)].id")
                guard callIDs.insert(call.id).inserted else { throw .misfiled("content[\(index)].id", "is the id of an earlier call") }
                try Self.check(call, "content[\(index)]")
                bytes += call.bytes
            case .toolResult: throw .misfiled("content[\(index)].type", "results of tools are messages of their own")
            }
        }
        try check(bytes: bytes)
        if let model = message.model {
            guard let colon = model.firstIndex(of: ":"), colon > model.startIndex, model.index(after: colon) < model.endIndex,
                model.utf8.count <= Self.maximumWordBytes, !model.hasControls
            else {
                throw .misfiled("model", "expected PROVIDER:MODEL, of at most \(Self.maximumWordBytes) bytes without control characters")
            }
        }
        if message.isLocal, message.usage != nil { throw .misfiled("usage", "a command costs nothing") }
        if let note = message.rating?.note, !Limits.fits(note, characters: Limits.maxRatingNoteCharacters) {
            throw .misfiled("ratingNote", "longer than \(Limits.maxRatingNoteCharacters) characters")
        }
    }

    private func check(results message: Message, of calls: Set<String>) throws(Failure) {
        guard !message.content.isEmpty else { throw .misfiled("content", "expected what came of the calls") }
        try Self.check(partsOf: message)
        var open = calls
        var bytes = 0
        for (index, part) in message.content.enumerated() {
            guard case .toolResult(let result) = part else { throw .misfiled("content[\(index)].type", "expected toolResult") }
            guard open.remove(result.toolCallID) != nil else {
                throw .misfiled("content[\(index)].toolCallId", "names no call of the message before that has no result")
            }
            bytes += result.text.utf8.count
            if let data = result.data {
                try Self.check(depthOf: data, "content[\(index)].data")
                bytes += JSONWriter.encode(data).count
            }
        }
        try check(bytes: bytes)
        try checkBare(message)
    }

    /// The piece with which an answer became too long is a part of it, and so there may be twice as much.
    private func check(bytes: Int) throws(Failure) {
        let limit = 2 * limits.maxAnswerBytes
        guard bytes <= limit else { throw .misfiled("content", "larger than \(limit) bytes") }
    }

    private static func check(partsOf message: Message) throws(Failure) {
        guard message.content.count <= Limits.maxFiledParts else { throw .misfiled("content", "longer than \(Limits.maxFiledParts) parts") }
    }

    /// A model may have called what there is not, with what is not JSON, which then is a text; but nothing that no server takes back.
    private static func check(_ call: ToolCall, _ path: String) throws(Failure) {
        let isName =
            (1...maximumNameBytes).contains(call.name.utf8.count) && !call.name.contains(where: \.isWhitespace) && !call.name.hasControls
        guard isName else {
            throw .misfiled(path + ".name", "expected 1 to \(maximumNameBytes) bytes without white space and control characters")
        }
        switch call.arguments {
        case .object, .string: try check(depthOf: call.arguments, path + ".arguments")
        default: throw .misfiled(path + ".arguments", "expected an object, or a text")
        }
    }

    /// What only answers have.
    private func checkBare(_ message: Message) throws(Failure) {
        guard message.status == .complete else { throw .misfiled("status", "only an answer is cut short") }
        guard message.model == nil else { throw .misfiled("model", "only an answer has one") }
        guard message.usage == nil else { throw .misfiled("usage", "only an answer has one") }
        guard message.rating == nil else { throw .misfiled("rating", "only an answer has one") }
    }

    private func check(time: Timestamp) throws(Failure) {
        guard time.milliseconds >= 0 else { throw .misfiled("createdAt", "lies before 1970") }
        guard time <= latest else { throw .misfiled("createdAt", "lies in the future") }
    }

    private static func check(word: String, _ path: String) throws(Failure) {
        guard (1...maximumWordBytes).contains(word.utf8.count) else { throw .misfiled(path, "expected 1 to \(maximumWordBytes) bytes") }
    }

    private static func check(depthOf value: JSONValue, _ path: String) throws(Failure) {
        guard value.depth <= Limits.maxJSONDepth else { throw .misfiled(path, "nested deeper than \(Limits.maxJSONDepth)") }
    }
}

extension String {
    fileprivate var hasControls: Bool { unicodeScalars.contains { $0.properties.generalCategory == .control } }
}

extension Failure {
    /// Something in a line of a file that cannot be imported.
    ///
    /// - Parameter path: where it stands in the line; empty for the line as a whole.
    fileprivate static func misfiled(_ path: String, _ reason: String) -> Failure { .invalidParams(path: path, reason: reason) }

    /// The fault of a file that is sent as params.
    ///
    /// - Parameters:
    ///   - param: the param that holds the file.
    ///   - line: the number of the line, counted from 1.
    ///   - path: where the fault stands in the line; empty for the line as a whole.
    package static func invalidFile(_ param: String, line: Int, path: String, reason: String) -> Failure {
        let whole = path.isEmpty ? reason : "\(path): \(reason)"
        return Failure(
            .invalidParams, "The params are not valid at \(param), line \(line): \(whole).",
            details: [Detail("path", .string(param)), Detail("line", .integer(Int64(line))), Detail("reason", .string(whole))])
    }

    /// The same fault, found in a line of a file that is sent as params; anything that is no fault of params stays as it is.
    func inFile(_ param: String, line: Int) -> Failure {
        func text(_ name: String) -> String? { details.first { $0.name == name }?.value.stringValue }
        guard code == .invalidParams, let path = text("path"), let reason = text("reason") else { return self }
        return .invalidFile(param, line: line, path: path, reason: reason)
    }
}
