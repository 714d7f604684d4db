/// What a line of Markdown is, as its beginning tells (CommonMark 0.31, chapters 4 and 5, of which this is a part).
struct LineStart {
    /// The kinds of lines that are shown in ways of their own.
    enum Kind: Hashable {
        case blank
        case paragraph
        case heading(Int)
        /// With what stands before the item: a bullet, or a number with its mark.
        case item(String)
        case rule
        case fence(mark: Unicode.Scalar, count: Int)
        /// Of a table.
        case row
    }

    /// The deepest indent and the deepest quote that are shown.
    private static let deepest = 24

    let kind: Kind
    /// How many scalars are taken by what is told here.
    let length: Int
    let indent: Int
    let quotes: Int

    /// A line of which nothing is special.
    static let paragraph = LineStart(kind: .paragraph, length: 0, indent: 0, quotes: 0)

    private init(kind: Kind, length: Int, indent: Int, quotes: Int) {
        self.kind = kind
        self.length = length
        self.indent = indent
        self.quotes = quotes
    }

    /// Reads the beginning of a line.
    ///
    /// - Parameters:
    ///   - line: what has come of it.
    ///   - isWhole: whether that is all.
    /// - Returns: nil when more could make it something else.
    init?(_ line: [Unicode.Scalar], isWhole: Bool) {
        var position = 0
        var indent = 0
        var quotes = 0
        scan: while position < line.count {
            switch line[position] {
            case " ": indent += 1
            // After a sign one space belongs to it.
            case ">":
                quotes += 1
                indent = position + 1 < line.count && line[position + 1] == " " ? -1 : 0
            default: break scan
            }
            position += 1
        }
        self.indent = min(max(indent, 0), Self.deepest)
        self.quotes = min(quotes, Self.deepest)
        let rest = line[position...]
        guard let first = rest.first else {
            guard isWhole else { return nil }
            kind = quotes > 0 ? .paragraph : .blank
            length = position
            return
        }
        guard let (kind, count) = Self.kind(of: rest, first, isWhole) else { return nil }
        // More spaces may belong to the marks.
        if count == rest.count, count > 0, !isWhole { return nil }
        self.kind = kind
        length = position + count
    }

    /// - Returns: the kind, and how many scalars the marks take; nil when it is not sure.
    private static func kind(of rest: ArraySlice<Unicode.Scalar>, _ first: Unicode.Scalar, _ isWhole: Bool) -> (Kind, Int)? {
        let run = rest.prefix { $0 == first }.count
        let next = rest.dropFirst(run).first
        switch first {
        case "#":
            guard next != nil || isWhole || run > 6 else { return nil }
            guard run <= 6, next == nil || next == " " else { return (.paragraph, 0) }
            return (.heading(run), run + rest.dropFirst(run).prefix { $0 == " " }.count)
        case "`", "~":
            // What follows the mark on its line is the language, which must be there before the line is shown.
            if run < 3, next != nil || isWhole { return (.paragraph, 0) }
            if first == "`", rest.dropFirst(run).contains("`") { return (.paragraph, 0) }
            return isWhole ? (.fence(mark: first, count: run), 0) : nil
        case "|": return isWhole ? (.row, 0) : nil
        case "-", "*", "_", "+":
            // Three with nothing but spaces between them are a rule; a mark and a space begin an item.
            if first != "+", rest.allSatisfy({ $0 == first || $0 == " " }) {
                guard isWhole else { return nil }
                if rest.count(where: { $0 == first }) >= 3 { return (.rule, rest.count) }
            }
            guard first != "_", run == 1 else { return (.paragraph, 0) }
            guard let next else { return isWhole ? (.paragraph, 0) : nil }
            return next == " " ? (.item("•"), 1 + rest.dropFirst().prefix { $0 == " " }.count) : (.paragraph, 0)
        case "0"..."9":
            let digits = rest.prefix { ("0"..."9").contains($0) }
            guard digits.count <= 9 else { return (.paragraph, 0) }
            let mark = rest.dropFirst(digits.count).prefix(2)
            guard let last = mark.first else { return isWhole ? (.paragraph, 0) : nil }
            guard last == "." || last == ")" else { return (.paragraph, 0) }
            guard mark.count == 2 else { return isWhole ? (.paragraph, 0) : nil }
            guard mark.last == " " else { return (.paragraph, 0) }
            var marker = String.UnicodeScalarView()
            marker.append(contentsOf: digits + [last])
            return (.item(String(marker)), digits.count + 1 + rest.dropFirst(digits.count + 1).prefix { $0 == " " }.count)
        default: return (.paragraph, 0)
        }
    }
}
