/// Makes Markdown readable on a terminal while it comes.
///
/// It only ever adds to what it has shown, so nothing flickers and all of it can be scrolled and copied: words come as soon as they are whole,
/// marks as soon as their other half is there, tables when they end. Lines stay lines. What is no Markdown, or not of the kind that models
/// write, is shown as it is. The pieces in which the text comes make no difference to what is shown in the end.
struct MarkdownRenderer {
    /// Where in the text the next scalar is.
    private enum Place {
        /// At the beginning of a line, of which it is not known yet what it is.
        case lineStart
        /// In a line of text.
        case text(LineWrapper, Style)
        /// In a line of code.
        case code
        /// Where the rest of a line does not matter.
        case ignored
    }

    /// Lines of code between fences.
    private struct Fence {
        var mark: Unicode.Scalar
        var count: Int
        var indent: Int
        var quotes: Int
    }

    private static let codeIndent = "    "
    private static let maximumTableLines = 400
    /// How much of a line is waited for to know what it is, in scalars.
    private static let maximumStart = 2_000

    /// How many columns a line has; may change between pieces.
    var width: Int {
        didSet { width = max(width, 10) }
    }
    private let isStyled: Bool
    private let inline: InlineParser
    private var place = Place.lineStart
    private var pending: [Unicode.Scalar] = []
    private var previous: Unicode.Scalar?
    private var fence: Fence?
    private var table: [String] = []
    private var tableQuotes = 0
    /// Whether a line was begun that has not been ended.
    private var isLineOpen = false
    /// Whether an empty line stands before the next one.
    private var isGapDue = false
    private var output: [Piece] = []

    /// - Parameters:
    ///   - width: how many columns a line has.
    ///   - isStyled: whether styles are seen; otherwise the marks that stand for them stay.
    init(width: Int, isStyled: Bool) {
        self.width = max(width, 10)
        self.isStyled = isStyled
        inline = InlineParser(hidesMarks: isStyled)
    }

    /// Takes more of the text.
    ///
    /// - Returns: what can be shown now.
    mutating func add(_ text: String) -> [Piece] {
        for scalar in text.unicodeScalars {
            guard let shown = SafeText.shown(scalar) else { continue }
            pending.append(shown)
            if shown == "\n" { takeLine() }
        }
        advance(isWhole: false)
        return take()
    }

    /// Ends the text.
    ///
    /// - Returns: what remained, with the end of the last line.
    mutating func end() -> [Piece] {
        if !pending.isEmpty || isInLine { takeLine() }
        endTable()
        if isLineOpen { output.append(.newline) }
        isLineOpen = false
        isGapDue = false
        fence = nil
        return take()
    }

    private var isInLine: Bool {
        if case .lineStart = place { false } else { true }
    }

    private mutating func take() -> [Piece] {
        defer { output = [] }
        return output
    }

    /// Takes a line whose end is there.
    private mutating func takeLine() {
        if pending.last == "\n" { pending.removeLast() }
        advance(isWhole: true)
        if case .text(var wrapper, _) = place {
            wrapper.end()
            output += wrapper.take()
        }
        place = .lineStart
        pending = []
        previous = nil
    }

    private mutating func advance(isWhole: Bool) {
        if case .lineStart = place { begin(isWhole: isWhole) }
        switch place {
        case .lineStart, .ignored: break
        case .code:
            append(Self.string(pending), .plain)
            pending = []
        case .text(var wrapper, let style):
            inline.take(from: &pending, previous: &previous, isWhole: isWhole, style: style) { wrapper.add($0, $1) }
            output += wrapper.take()
            place = .text(wrapper, style)
        }
    }

    private mutating func append(_ text: String, _ style: Style) {
        guard !text.isEmpty else { return }
        if case .text(let before, style) = output.last {
            output[output.count - 1] = .text(before + text, style)
        } else {
            output.append(.text(text, style))
        }
    }

    private static func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    // MARK: Beginnings

    /// Finds out what the line is, if that is sure.
    private mutating func begin(isWhole: Bool) {
        if let fence { return continueCode(fence, isWhole: isWhole) }
        let isLong = pending.count > Self.maximumStart
        let head = isLong ? Array(pending.prefix(Self.maximumStart)) : pending
        guard let start = LineStart(head, isWhole: isWhole && !isLong) ?? (isLong ? .paragraph : nil) else { return }
        let body = pending[start.length...]
        if start.kind != .row { endTable() }
        let quote: [Piece] = start.quotes > 0 ? [.text(String(repeating: "│ ", count: start.quotes), .dim)] : []
        let margin = String(repeating: " ", count: start.indent)
        switch start.kind {
        case .blank:
            isGapDue = isLineOpen
            place = .ignored
        case .row:
            tableQuotes = start.quotes
            table.append(Self.string(body))
            if table.count >= Self.maximumTableLines { endTable() }
            place = .ignored
        case .rule:
            beginLine()
            output += quote + [.text(String(repeating: "─", count: max(3, min(width - start.quotes * 2, 40))), .dim)]
            place = .ignored
        case .fence(let mark, let count):
            fence = Fence(mark: mark, count: count, indent: start.indent, quotes: start.quotes)
            let language = Self.string(body.drop { $0 == mark }).split(separator: " ").first.map(String.init) ?? ""
            if !language.isEmpty {
                beginLine()
                output += quote + [.text(Self.codeIndent + language, .dim)]
            }
            place = .ignored
        case .heading(let level):
            beginLine()
            let style = Style(isBold: true, isUnderlined: level == 1)
            let marks: [Piece] = isStyled ? [] : [.text(String(repeating: "#", count: level) + " ", .plain)]
            text(body, style, first: quote + marks, indent: quote)
        case .item(let marker):
            beginLine()
            let first = marker == "•" ? [Piece.text(margin + "• ", .plain)] : [.text(margin + marker + " ", .plain)]
            let hanging = String(repeating: " ", count: start.indent + marker.count + 1)
            text(body, .plain, first: quote + first, indent: quote + [.text(hanging, .plain)])
        case .paragraph:
            beginLine()
            let first: [Piece] = margin.isEmpty ? quote : quote + [.text(margin, .plain)]
            text(body, start.quotes > 0 ? Style(isItalic: true) : .plain, first: first, indent: first)
        }
    }

    private mutating func text(_ body: ArraySlice<Unicode.Scalar>, _ style: Style, first: [Piece], indent: [Piece]) {
        pending = Array(body)
        place = .text(LineWrapper(width: width, first: first, indent: indent), style)
    }

    /// Ends the line before, and puts the empty one in between that the text has there.
    private mutating func beginLine() {
        if isLineOpen { output.append(.newline) }
        if isGapDue { output.append(.newline) }
        isGapDue = false
        isLineOpen = true
    }

    // MARK: Code

    private mutating func continueCode(_ fence: Fence, isWhole: Bool) {
        var position = 0
        // The signs of the quote that the code stands in.
        var quotes = 0
        while quotes < fence.quotes, position < pending.count {
            if pending[position] == ">" {
                quotes += 1
                position += 1
                if position < pending.count, pending[position] == " " { position += 1 }
            } else if pending[position] == " " {
                position += 1
            } else {
                break
            }
        }
        let line = pending[position...]
        let margin = line.prefix { $0 == " " }.count
        let marks = line.dropFirst(margin).prefix { $0 == fence.mark }.count
        let rest = line.dropFirst(margin + marks)
        if pending.count <= Self.maximumStart, rest.allSatisfy({ $0 == " " }) {
            guard isWhole else { return }
            if marks >= fence.count {
                self.fence = nil
                place = .ignored
                return
            }
        }
        // Lines that are only spaces are gaps, of which there may be many in code.
        beginLine()
        if fence.quotes > 0 { output.append(.text(String(repeating: "│ ", count: fence.quotes), .dim)) }
        pending = Array(line.dropFirst(min(margin, fence.indent)))
        if !pending.allSatisfy({ $0 == " " }) || !isWhole { append(Self.codeIndent, .plain) }
        place = .code
    }

    // MARK: Tables

    private mutating func endTable() {
        guard !table.isEmpty else { return }
        let lines = table
        table = []
        let quote: [Piece] = tableQuotes > 0 ? [.text(String(repeating: "│ ", count: tableQuotes), .dim)] : []
        let laidOut = Table(lines)?.layout(width: width - tableQuotes * 2) { cell, style in
            var scalars: [(Unicode.Scalar, Style)] = []
            var rest = Array(cell.unicodeScalars)
            var previous: Unicode.Scalar?
            inline.take(from: &rest, previous: &previous, isWhole: true, style: style) { scalars.append(($0, $1)) }
            return scalars
        }
        for line in laidOut ?? lines.map({ [.text($0, .plain)] }) {
            beginLine()
            output += quote + line
        }
    }
}
