/// A message while it is written: text with a cursor, and the messages before it.
struct LineEditor {
    /// What a key means beyond the text.
    enum Action: Hashable, Sendable {
        /// The text or the cursor may have changed.
        case edited
        /// The text is a message; the editor is empty again.
        case submit(String)
        case complete
        case interrupt
        case suspend
        case clearScreen
        /// Ctrl-D, and there is no text.
        case leave
    }

    /// What stands before the cursor.
    private(set) var before = ""
    /// What stands behind the cursor.
    private(set) var after = ""
    private var history: [String] = []
    /// Which message of the history is shown; nil for the one that is new.
    private var shown: Int?
    private var draft = ""
    private var killed = ""
    private static let maximumHistory = 1_000

    init() {}

    /// The whole text.
    var text: String { before + after }

    /// Remembers a message as the newest.
    mutating func remember(_ message: String) {
        guard !message.isEmpty, history.last != message else { return }
        history.append(message)
        if history.count > Self.maximumHistory { history.removeFirst() }
    }

    /// Forgets the messages, for those of another conversation.
    mutating func forget() {
        history = []
    }

    /// Empties the text.
    mutating func clear() {
        before = ""
        after = ""
        shown = nil
        draft = ""
    }

    /// Puts a text in the place of what stands right before the cursor.
    ///
    /// - Parameter count: how many characters go.
    mutating func replaceBefore(_ count: Int, with text: String) {
        before = before.dropLast(count) + text
    }

    /// Takes a key.
    mutating func take(_ key: Key) -> Action {
        switch key {
        case .text(let text): before += text
        case .paste(let text): before += text
        case .newline: before += "\n"
        case .enter:
            if before.hasSuffix("\\") {
                before.removeLast()
                before += "\n"
            } else {
                let message = text
                remember(message)
                clear()
                return .submit(message)
            }
        case .tab: return .complete
        case .interrupt: return .interrupt
        case .suspend: return .suspend
        case .clearScreen: return .clearScreen
        case .endOfInput:
            if text.isEmpty { return .leave }
            after = String(after.dropFirst())
        case .backspace: before = String(before.dropLast())
        case .delete: after = String(after.dropFirst())
        case .left: moveLeft(before.isEmpty ? 0 : 1)
        case .right: moveRight(after.isEmpty ? 0 : 1)
        case .wordLeft: moveLeft(wordBefore)
        case .wordRight: moveRight(wordAfter)
        case .lineStart: moveLeft(lineBefore)
        case .lineEnd: moveRight(lineAfter)
        case .up: goUp()
        case .down: goDown()
        case .killWord: killBefore(wordBefore)
        case .killToLineStart: killBefore(max(lineBefore, before.last == "\n" ? 1 : 0))
        case .killNextWord: killAfter(wordAfter)
        case .killToLineEnd: killAfter(max(lineAfter, after.first == "\n" ? 1 : 0))
        case .yank: before += killed
        }
        return .edited
    }

    // MARK: Moving and killing

    private mutating func moveLeft(_ count: Int) {
        after = before.suffix(count) + after
        before = String(before.dropLast(count))
    }

    private mutating func moveRight(_ count: Int) {
        before += after.prefix(count)
        after = String(after.dropFirst(count))
    }

    private mutating func killBefore(_ count: Int) {
        guard count > 0 else { return }
        killed = String(before.suffix(count))
        before = String(before.dropLast(count))
    }

    private mutating func killAfter(_ count: Int) {
        guard count > 0 else { return }
        killed = String(after.prefix(count))
        after = String(after.dropFirst(count))
    }

    /// How many characters lie between the cursor and the beginning of the word before it.
    private var wordBefore: Int {
        let spaces = before.reversed().prefix { $0.isWhitespace }.count
        return spaces + before.reversed().dropFirst(spaces).prefix { !$0.isWhitespace }.count
    }

    private var wordAfter: Int {
        let spaces = after.prefix { $0.isWhitespace }.count
        return spaces + after.dropFirst(spaces).prefix { !$0.isWhitespace }.count
    }

    private var lineBefore: Int { before.reversed().prefix { $0 != "\n" }.count }

    private var lineAfter: Int { after.prefix { $0 != "\n" }.count }

    /// Goes to the line above, or, in the first one, to the message before.
    private mutating func goUp() {
        guard before.contains("\n") else { return show((shown ?? history.count) - 1) }
        let column = lineBefore
        moveLeft(column + 1)
        moveLeft(max(0, lineBefore - column))
    }

    private mutating func goDown() {
        guard after.contains("\n") else { return show((shown ?? history.count) + 1) }
        let column = lineBefore
        moveRight(lineAfter + 1)
        moveRight(min(column, lineAfter))
    }

    private mutating func show(_ index: Int) {
        guard index >= 0, index <= history.count, index != shown ?? history.count else { return }
        if shown == nil { draft = text }
        before = index == history.count ? draft : history[index]
        after = ""
        shown = index == history.count ? nil : index
    }
}
