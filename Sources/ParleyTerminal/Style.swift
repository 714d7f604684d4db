/// How a text looks.
struct Style: Hashable, Sendable {
    /// A colour that every terminal has.
    enum Color: Int, Sendable {
        case red = 31
        case green = 32
        case yellow = 33
        case cyan = 36
    }

    var isBold = false
    var isDim = false
    var isItalic = false
    var isUnderlined = false
    var isStruck = false
    var color: Color?

    /// Nothing special.
    static let plain = Style()
    static let bold = Style(isBold: true)
    /// What is beside the matter.
    static let dim = Style(isDim: true)
    /// What has gone wrong.
    static let error = Style(color: .red)

    /// What both say, the other first where they disagree.
    func with(_ other: Style) -> Style {
        Style(
            isBold: isBold || other.isBold, isDim: isDim || other.isDim, isItalic: isItalic || other.isItalic,
            isUnderlined: isUnderlined || other.isUnderlined, isStruck: isStruck || other.isStruck, color: other.color ?? color)
    }

    /// The parameters of Select Graphic Rendition (ECMA-48, 8.3.117).
    var parameters: String {
        let flags = [(isBold, 1), (isDim, 2), (isItalic, 3), (isUnderlined, 4), (isStruck, 9)]
        return (flags.compactMap { $0.0 ? $0.1 : nil } + [color?.rawValue].compactMap(\.self)).map(String.init).joined(separator: ";")
    }
}

/// A piece of what is to be shown.
enum Piece: Hashable, Sendable {
    /// Text without line ends.
    case text(String, Style)
    /// The end of a line.
    case newline
}
