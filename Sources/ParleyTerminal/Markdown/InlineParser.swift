/// Reads what stands within a line of Markdown: emphasis, code and links (CommonMark 0.31, chapter 6, of which this is a part).
///
/// The line may still be growing. What a mark means is decided only when it is sure, whatever follows: at its other half, at the end of
/// the line, or when that has not come for long. So the pieces in which a line comes make no difference.
struct InlineParser {
    /// How far away a mark's other half may be, in scalars.
    private static let reach = 400
    /// How many marks of the same kind may lie between two halves, and how deep brackets may nest: without a bound, a line of nothing but
    /// marks would take very long.
    private static let patience = 16

    /// Whether marks are left out, because what they say is seen.
    let hidesMarks: Bool

    /// Takes what is sure from the beginning of a line's rest.
    ///
    /// - Parameters:
    ///   - rest: what has come of the line and was not taken; what is taken goes.
    ///   - previous: the scalar before it, if any.
    ///   - isWhole: whether the line has ended.
    ///   - style: the style of the line.
    ///   - emit: takes the text that was read, scalar by scalar.
    func take(
        from rest: inout [Unicode.Scalar], previous: inout Unicode.Scalar?, isWhole: Bool, style: Style,
        emit: (Unicode.Scalar, Style) -> Void
    ) {
        var position = 0
        while position < rest.count, let end = step(rest[position...], previous, isWhole, style, emit) {
            previous = rest[end - 1]
            position = end
        }
        rest.removeFirst(position)
    }

    /// Reads one thing.
    ///
    /// - Returns: where the next one begins; nil when it is not sure yet what this one is.
    private func step(
        _ rest: ArraySlice<Unicode.Scalar>, _ previous: Unicode.Scalar?, _ isWhole: Bool, _ style: Style,
        _ emit: (Unicode.Scalar, Style) -> Void
    ) -> Int? {
        let start = rest.startIndex
        let first = rest[start]
        let next = start + 1 < rest.endIndex ? rest[start + 1] : nil
        switch first {
        case "\\":
            guard let next else { break }
            let isEscape = next.isASCII && next.properties.isPunctuation
            if !isEscape || !hidesMarks { emit(first, style) }
            guard isEscape else { return start + 1 }
            emit(next, style)
            return start + 2
        case "`", "*", "_", "~": return span(rest, previous, isWhole, style, emit)
        case "[": return link(rest, isWhole, style, emit)
        default:
            emit(first, style)
            return start + 1
        }
        guard isWhole else { return nil }
        emit(first, style)
        return start + 1
    }

    // MARK: Spans

    private func span(
        _ rest: ArraySlice<Unicode.Scalar>, _ previous: Unicode.Scalar?, _ isWhole: Bool, _ style: Style,
        _ emit: (Unicode.Scalar, Style) -> Void
    ) -> Int? {
        let mark = rest[rest.startIndex]
        let contents = rest.firstIndex { $0 != mark } ?? rest.endIndex
        let count = contents - rest.startIndex
        // A run that may go on is not known yet, unless it is too long for a mark already.
        if contents == rest.endIndex, !isWhole, count <= Self.reach { return nil }
        let opens = mark == "`" ? contents < rest.endIndex : opens(mark, count, previous, contents < rest.endIndex ? rest[contents] : nil)
        if opens, contents < rest.endIndex {
            switch closing(mark, count, rest, contents, isWhole) {
            case .unknown: return nil
            case .none: break
            case .found(let close):
                if !hidesMarks { rest[rest.startIndex..<contents].forEach { emit($0, style) } }
                if mark == "`" {
                    code(rest[contents..<close]).forEach { emit($0, style.with(Style(color: .cyan))) }
                } else {
                    nested(rest[contents..<close], previous: mark, style: style.with(Self.style(mark, count)), emit)
                }
                if !hidesMarks { rest[close..<close + count].forEach { emit($0, style) } }
                return close + count
            }
        }
        rest[rest.startIndex..<contents].forEach { emit($0, style) }
        return contents
    }

    private static func style(_ mark: Unicode.Scalar, _ count: Int) -> Style {
        mark == "~" ? Style(isStruck: true) : Style(isBold: count > 1, isItalic: count != 2)
    }

    /// Code without the space on both sides with which it may begin and end in a grave accent.
    private func code(_ contents: ArraySlice<Unicode.Scalar>) -> ArraySlice<Unicode.Scalar> {
        let isPadded = contents.count > 2 && contents.first == " " && contents.last == " " && contents.contains { $0 != " " }
        return hidesMarks && isPadded ? contents.dropFirst().dropLast() : contents
    }

    /// Whether a run can begin an emphasis: something stands right behind it, and no word before an underscore.
    private func opens(_ mark: Unicode.Scalar, _ count: Int, _ previous: Unicode.Scalar?, _ next: Unicode.Scalar?) -> Bool {
        guard let next, !next.properties.isWhitespace, mark == "~" ? count == 2 : count <= 3 else { return false }
        return mark != "_" || previous.map { !$0.isWordlike } ?? true
    }

    private enum Closing {
        case found(Int)
        case none
        case unknown
    }

    /// Finds the run that ends a span.
    private func closing(
        _ mark: Unicode.Scalar, _ count: Int, _ rest: ArraySlice<Unicode.Scalar>, _ contents: Int, _ isWhole: Bool
    ) -> Closing {
        let limit = min(rest.endIndex, contents + Self.reach)
        var position = contents
        var passed = 0
        while position < limit {
            let scalar = rest[position]
            if scalar == "\\", mark != "`" {
                position += 2
                continue
            }
            guard scalar == mark else {
                position += 1
                continue
            }
            let end = rest[position..<limit].firstIndex { $0 != mark } ?? limit
            if end == rest.endIndex, !isWhole { return .unknown }
            let next = end < rest.endIndex ? rest[end] : nil
            if let close = close(mark, count, position..<end, rest[position - 1], next) { return .found(close) }
            passed += 1
            if passed == Self.patience { return .none }
            position = end
        }
        return limit < rest.endIndex || isWhole || rest.endIndex - contents >= Self.reach ? .none : .unknown
    }

    /// Where in a run the marks are that end a span; nil when they do not.
    private func close(
        _ mark: Unicode.Scalar, _ count: Int, _ run: Range<Int>, _ previous: Unicode.Scalar, _ next: Unicode.Scalar?
    ) -> Int? {
        if mark == "`" { return run.count == count ? run.lowerBound : nil }
        guard !previous.properties.isWhitespace else { return nil }
        if mark == "_", let next, next.isWordlike { return nil }
        // Two marks may end right behind the one that ends what is within.
        let isExact = run.count == count || count == 2 && run.count == 3
        return isExact ? run.upperBound - count : nil
    }

    // MARK: Links

    private func link(
        _ rest: ArraySlice<Unicode.Scalar>, _ isWhole: Bool, _ style: Style, _ emit: (Unicode.Scalar, Style) -> Void
    ) -> Int? {
        let start = rest.startIndex
        let limit = min(rest.endIndex, start + Self.reach)
        let isFinal = isWhole || limit < rest.endIndex || rest.count >= Self.reach
        func literally() -> Int {
            emit(rest[start], style)
            return start + 1
        }
        guard let close = partner(of: "[", "]", rest[start..<limit]) else { return isFinal ? literally() : nil }
        guard close + 1 < limit else { return isFinal ? literally() : nil }
        guard rest[close + 1] == "(" else { return literally() }
        guard let end = partner(of: "(", ")", rest[(close + 1)..<limit]) else { return isFinal ? literally() : nil }
        let text = rest[(start + 1)..<close]
        // A title may follow the address.
        let target = rest[(close + 2)..<end].drop { $0 == " " }.prefix { $0 != " " }
        guard hidesMarks, !target.isEmpty else { return literally() }
        nested(text, previous: nil, style: style.with(Style(isUnderlined: true)), emit)
        if !text.elementsEqual(target) {
            for scalar in [" ", "("] + target + [")"] { emit(scalar, style.with(.dim)) }
        }
        return end + 1
    }

    /// The bracket that closes the first one.
    private func partner(of open: Unicode.Scalar, _ close: Unicode.Scalar, _ text: ArraySlice<Unicode.Scalar>) -> Int? {
        var depth = 0
        var isEscaped = false
        for (position, scalar) in zip(text.indices, text) {
            if isEscaped {
                isEscaped = false
            } else if scalar == "\\" {
                isEscaped = true
            } else if scalar == open {
                depth += 1
                if depth > Self.patience { return nil }
            } else if scalar == close {
                depth -= 1
                if depth == 0 { return position }
            }
        }
        return nil
    }

    /// Reads what stands between two halves of a mark.
    private func nested(
        _ contents: ArraySlice<Unicode.Scalar>, previous: Unicode.Scalar?, style: Style, _ emit: (Unicode.Scalar, Style) -> Void
    ) {
        var rest = Array(contents)
        var previous = previous
        take(from: &rest, previous: &previous, isWhole: true, style: style, emit: emit)
    }
}

extension Unicode.Scalar {
    /// Whether it is a letter or a digit.
    fileprivate var isWordlike: Bool { properties.isAlphabetic || properties.numericType != nil }
}

extension Unicode.Scalar.Properties {
    /// Whether it is one of ASCII's punctuation marks, or another one.
    fileprivate var isPunctuation: Bool {
        switch generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation, .finalPunctuation,
            .otherPunctuation, .mathSymbol, .currencySymbol, .modifierSymbol:
            true
        default: false
        }
    }
}
