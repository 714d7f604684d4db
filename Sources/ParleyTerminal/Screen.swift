import Glibc
import ParleyClient

/// Where a client shows things: the only one that writes to the terminal, so that nothing of others reaches it but as text.
///
/// What is written waits until it is flushed.
final class Screen {
    /// What a terminal, or what stands in its place, can do.
    struct Abilities: Hashable, Sendable {
        /// Whether it is a terminal, so that somebody is looking.
        var isTerminal: Bool
        /// Whether the cursor can be moved.
        var movesCursor: Bool
        /// Whether styles are seen.
        var hasStyles: Bool

        init(isTerminal: Bool, movesCursor: Bool, hasStyles: Bool) {
            self.isTerminal = isTerminal
            self.movesCursor = movesCursor
            self.hasStyles = hasStyles
        }

        /// What a descriptor can do.
        ///
        /// - Parameters:
        ///   - descriptor: where is written.
        ///   - environment: the variables; `NO_COLOR` (no-color.org) and `TERM` matter.
        ///   - wantsColor: false when somebody has said that they want none.
        init(of descriptor: Int32, environment: [String: String], wantsColor: Bool) {
            isTerminal = isatty(descriptor) == 1
            movesCursor = isTerminal && !["", "dumb"].contains(environment["TERM"] ?? "")
            hasStyles = movesCursor && wantsColor && (environment["NO_COLOR"] ?? "").isEmpty
        }
    }

    /// The sequences that are written (ECMA-48, and xterm's bracketed paste).
    enum Control {
        case up(Int)
        case right(Int)
        case lineBegin
        case eraseDown
        case clear
        case bracketedPaste(Bool)
    }

    /// How often the sign of waiting changes, in milliseconds.
    static let tick = 100
    private static let frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]

    let abilities: Abilities
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    /// Whether the cursor stands at the beginning of a line.
    private(set) var isAtLineStart = true
    /// Whether the line before is empty, or there is none.
    private var isAfterGap = true
    /// What is shown while something is waited for.
    private var waiting: String?

    init(_ descriptor: Int32, _ abilities: Abilities) {
        self.descriptor = descriptor
        self.abilities = abilities
    }

    /// How many columns and rows there are now; 80 and 24 where that is not known.
    var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Writes text without line ends; whatever it holds, it is only text.
    func text(_ text: String, _ style: Style = .plain) {
        guard !text.isEmpty else { return }
        endWaiting()
        let safe = SafeText.shown(text).replacing("\n", with: " ")
        let parameters = abilities.hasStyles ? style.parameters : ""
        if !parameters.isEmpty { escape("\(parameters)m") }
        buffer += safe.utf8
        if !parameters.isEmpty { escape("0m") }
        isAtLineStart = false
    }

    func newline() {
        endWaiting()
        isAfterGap = isAtLineStart
        buffer.append(0x0A)
        isAtLineStart = true
    }

    func pieces(_ pieces: [Piece]) {
        for piece in pieces {
            switch piece {
            case .text(let text, let style): self.text(text, style)
            case .newline: newline()
            }
        }
    }

    /// Writes a line of its own for each line of the text.
    func line(_ text: String, _ style: Style = .plain) {
        beginLine()
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            self.text(String(line), style)
            newline()
        }
    }

    /// Writes a text wrapped at words.
    func paragraph(_ text: String, _ style: Style = .plain) {
        beginLine()
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            var wrapper = LineWrapper(width: size.columns)
            for scalar in SafeText.shown(String(line)).unicodeScalars { wrapper.add(scalar, style) }
            wrapper.end()
            pieces(wrapper.take())
            newline()
        }
    }

    /// Writes bytes as they are, for programs that read; not for terminals.
    func raw(_ text: String) {
        buffer += text.utf8
        if let last = text.utf8.last { isAtLineStart = last == 0x0A }
    }

    /// Makes sure that what comes stands at the beginning of a line.
    func beginLine() {
        if !isAtLineStart { newline() }
    }

    /// Makes sure that what comes stands behind an empty line.
    func beginParagraph() {
        beginLine()
        if !isAfterGap { newline() }
    }

    /// Moves the cursor, where it can be moved.
    func control(_ control: Control) {
        guard abilities.movesCursor else { return }
        switch control {
        case .up(let rows): if rows > 0 { escape("\(rows)A") }
        case .right(let columns): if columns > 0 { escape("\(columns)C") }
        case .lineBegin: buffer.append(0x0D)
        case .eraseDown: escape("J")
        case .clear:
            escape("H")
            escape("2J")
        case .bracketedPaste(let isOn): escape(isOn ? "?2004h" : "?2004l")
        }
    }

    /// Shows that something is waited for, on a terminal, until the next text; to be called again every `tick`.
    ///
    /// - Parameter text: what is waited for.
    func wait(_ text: String) {
        guard abilities.movesCursor, isAtLineStart else { return }
        let frame = Self.frames[Clock.monotonic / Self.tick % Self.frames.count]
        let shown = SafeText.line("\(frame) \(text)", width: size.columns - 1)
        guard shown != waiting else { return }
        control(.lineBegin)
        escape("J")
        if abilities.hasStyles { escape("2m") }
        buffer += shown.utf8
        if abilities.hasStyles { escape("0m") }
        waiting = shown
        flush()
    }

    /// Takes the sign of waiting away.
    func endWaiting() {
        guard waiting != nil else { return }
        waiting = nil
        control(.lineBegin)
        escape("J")
    }

    /// Writes what waits.
    ///
    /// What cannot be written is dropped: whoever looked has gone, which the end of the input or a signal tells.
    func flush() {
        Descriptor.write(buffer, to: descriptor)
        buffer = []
    }

    private func escape(_ sequence: String) {
        buffer += "\u{1B}[\(sequence)".utf8
    }
}
