/// Puts words on lines of a terminal as they come, each as soon as it is known to be whole.
///
/// A word wider than a line is left to the terminal to break, which knows then that it is one, so that an address can be copied.
struct LineWrapper {
    /// How many columns a line has.
    private let width: Int
    /// What stands before each line but the first.
    private let indent: [Piece]
    private let indentWidth: Int
    /// How many columns of the line are taken.
    private var column: Int
    private var spaces: [(scalar: Unicode.Scalar, style: Style)] = []
    private var word: [(text: String, style: Style)] = []
    private var wordWidth = 0
    /// The character that may still grow, as with accents and joined emojis.
    private var character = ""
    private var characterStyle = Style.plain
    private(set) var pieces: [Piece] = []

    /// Begins a line.
    ///
    /// - Parameters:
    ///   - width: of the terminal, in columns.
    ///   - first: what stands before the first line.
    ///   - indent: what stands before each further line.
    init(width: Int, first: [Piece] = [], indent: [Piece] = []) {
        self.width = width
        // Where the indent leaves no room it would only make all lines too long.
        self.indent = Self.width(of: indent) <= width - 8 ? indent : []
        indentWidth = Self.width(of: self.indent)
        column = Self.width(of: first)
        pieces = first
    }

    /// Takes what can be shown.
    mutating func take() -> [Piece] {
        defer { pieces = [] }
        return pieces
    }

    /// Adds a scalar of text.
    mutating func add(_ scalar: Unicode.Scalar, _ style: Style) {
        if scalar == " " {
            endCharacter()
            endWord()
            spaces.append((scalar, style))
            return
        }
        if !character.isEmpty, !joins(scalar) { endCharacter() }
        if character.isEmpty { characterStyle = style }
        character.unicodeScalars.append(scalar)
    }

    /// Ends the line's text.
    mutating func end() {
        endCharacter()
        endWord()
        spaces = []
    }

    /// Whether a scalar belongs to the character before it.
    private func joins(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return false }
        var both = character
        both.unicodeScalars.append(scalar)
        return both.count == 1
    }

    private mutating func endCharacter() {
        guard let whole = character.first else { return }
        let columns = DisplayWidth.of(whole)
        // Lines of scripts without spaces break anywhere.
        let isBreakable = columns == 2
        if isBreakable { endWord() }
        if word.last?.style == characterStyle {
            word[word.count - 1].text += character
        } else {
            word.append((character, characterStyle))
        }
        wordWidth += columns
        character = ""
        if isBreakable { endWord() }
    }

    private mutating func endWord() {
        guard !word.isEmpty else { return }
        if column + spaces.count + wordWidth > width, column > indentWidth {
            pieces.append(.newline)
            pieces += indent
            column = indentWidth
        } else {
            for (scalar, style) in spaces { append(String(scalar), style) }
            column += spaces.count
        }
        spaces = []
        for (text, style) in word { append(text, style) }
        column += wordWidth
        if column > width { column %= width }
        word = []
        wordWidth = 0
    }

    private mutating func append(_ text: String, _ style: Style) {
        if case .text(let before, style) = pieces.last {
            pieces[pieces.count - 1] = .text(before + text, style)
        } else {
            pieces.append(.text(text, style))
        }
    }

    /// The columns of pieces that stand on one line.
    static func width(of pieces: [Piece]) -> Int {
        pieces.reduce(0) { sum, piece in
            if case .text(let text, _) = piece { sum + DisplayWidth.of(text) } else { sum }
        }
    }
}
