import JSON

@testable import ParleyCore
@testable import ParleyHost

/// The input is a file that somebody imports.
enum FileTarget {
    private static let bounds = FileBounds(messages: 1_000, metadataBytes: 65_536)

    static func check(_ input: [UInt8]) throws(BrokenPromise) {
        let file = ConversationLinesReader(String(decoding: input, as: UTF8.self), bounds)
        _ = try read(line: 1) { () throws(Failure) in try file.header() }
        var tree = ImportedTree(limits: Limits(), kind: .user, ambient: DeterministicAmbient())
        var isTree = true
        for number in 0..<file.messageCount {
            let filed = try read(line: number + 2) { () throws(Failure) in try file.message(number) }
            guard let filed else {
                isTree = false
                continue
            }
            try checkWriting(filed)
            if isTree { isTree = (try? tree.add(filed)) != nil }
        }
        let (turns, places) = (tree.turns, tree.places)
        for (number, place) in places.enumerated() {
            try expect(place.parent.map { $0 < number } ?? true, "a message comes after the one that it follows")
            try expect(turns.indices.contains(place.turn), "a message has a turn")
        }
        for turn in turns {
            try expect(tree.ids.contains(turn.userMessageID), "a turn answers one of the messages")
            try expect(turn.createdAt <= turn.completedAt, "a turn ends after it has begun")
        }
    }

    /// Reads a line; nil when it is refused, which must be for a fault of the line.
    private static func read<Value>(line: Int, _ body: () throws(Failure) -> Value) throws(BrokenPromise) -> Value? {
        do throws(Failure) {
            return try body()
        } catch {
            try expect(error.code == .invalidParams, "what cannot be read is not valid")
            try expect(error.details.contains { $0.name == "line" && $0.value.intValue == line }, "a fault names its line")
            return nil
        }
    }

    private static func checkWriting(_ filed: FiledMessage) throws(BrokenPromise) {
        let excerpt = ConversationExcerpt(conversation: nil, botName: nil, messages: [filed], nextCursor: nil)
        let again = try? ConversationLinesReader("\n" + ConversationLines.text(of: excerpt), bounds).message(0)
        try expect(again == filed, "what is read is written, and read again the same")
        let markdown = ConversationMarkdown.text(of: excerpt)
        let lines = markdown.utf8.split(separator: 0x0A).filter { !$0.starts(with: ">".utf8) && !$0.starts(with: "- ".utf8) }
        try expect(lines.count == (filed.message.role == .tool ? 0 : 1), "whatever a message says, its frame is one line")
        try expect(!markdown.utf8.contains(0x0D), "lines end in one way")
    }
}
