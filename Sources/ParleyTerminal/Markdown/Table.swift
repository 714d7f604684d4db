/// A table of Markdown with pipes (GitHub Flavored Markdown, 4.10), laid out in columns.
struct Table {
    private enum Alignment {
        case left, center, right
    }

    /// The narrowest that a column is made for the sake of others.
    private static let narrow = 6
    private static let gap = 3

    private let rows: [[String]]
    private let alignments: [Alignment]

    /// Reads a table.
    ///
    /// - Parameter lines: its lines, each of which begins with a pipe.
    /// - Returns: nil when they are no table.
    init?(_ lines: [String]) {
        guard lines.count >= 2 else { return nil }
        let cells = lines.map(Self.cells)
        let count = cells[0].count
        let delimiters = cells[1]
        guard count > 0, delimiters.count == count, delimiters.allSatisfy(Self.isDelimiter) else { return nil }
        alignments = delimiters.map { cell in
            if cell.hasSuffix(":") { cell.hasPrefix(":") ? .center : .right } else { .left }
        }
        rows = ([cells[0]] + cells.dropFirst(2)).map { row in
            Array((row + Array(repeating: "", count: max(0, count - row.count))).prefix(count))
        }
    }

    private static func isDelimiter(_ cell: String) -> Bool {
        let dashes = cell.drop { $0 == ":" }.reversed().drop { $0 == ":" }
        return !dashes.isEmpty && dashes.allSatisfy { $0 == "-" } && cell.count - dashes.count <= 2
    }

    /// The texts between the pipes, except those in code or behind a backslash.
    private static func cells(_ line: String) -> [String] {
        var cells: [String] = []
        var cell = ""
        var isInCode = false
        var isEscaped = false
        for character in line.drop(while: { $0 != "|" }).dropFirst() {
            if isEscaped {
                if character != "|" { cell.append("\\") }
                cell.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "|", !isInCode {
                cells.append(cell)
                cell = ""
            } else {
                if character == "`" { isInCode.toggle() }
                cell.append(character)
            }
        }
        if cell.contains(where: { !$0.isWhitespace }) || isInCode { cells.append(cell) }
        return cells.map { cell in
            String(cell.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
    }

    /// The table's lines.
    ///
    /// - Parameters:
    ///   - width: how many columns there are.
    ///   - inline: reads what stands in a cell.
    /// - Returns: nil when the table has too many columns for that.
    func layout(width: Int, inline: (String, Style) -> [(Unicode.Scalar, Style)]) -> [[Piece]]? {
        let contents = rows.enumerated().map { index, row in
            row.map { Self.lines($0).map { inline($0, index == 0 ? .bold : .plain) } }
        }
        var widths = alignments.indices.map { column in
            max(1, contents.flatMap { $0[column] }.map { Self.width(of: $0) }.max() ?? 0)
        }
        let room = width - Self.gap * (widths.count - 1)
        guard room >= min(Self.narrow * widths.count, widths.reduce(0, +)) else { return nil }
        while widths.reduce(0, +) > room, let widest = widths.indices.max(by: { widths[$0] < widths[$1] }) { widths[widest] -= 1 }
        var lines: [[Piece]] = []
        for (index, row) in contents.enumerated() {
            lines += self.lines(row, widths)
            if index == 0 {
                let rule = widths.map { String(repeating: "─", count: $0) }.joined(separator: "─┼─")
                lines.append([.text(rule, .dim)])
            }
        }
        return lines
    }

    /// A cell may hold line ends, which Markdown has no other way to write.
    private static func lines(_ cell: String) -> [String] {
        cell.replacing("<br/>", with: "<br>").replacing("<br />", with: "<br>").split(separator: "<br>").map(String.init)
    }

    private static func width(of text: [(Unicode.Scalar, Style)]) -> Int {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: text.map(\.0))
        return DisplayWidth.of(String(view))
    }

    /// The lines of one row, as many as its longest cell has.
    private func lines(_ row: [[[(Unicode.Scalar, Style)]]], _ widths: [Int]) -> [[Piece]] {
        let cells = zip(row, widths).map { cell, width in cell.flatMap { Self.wrapped($0, width) } }
        let height = max(1, cells.map(\.count).max() ?? 1)
        return (0..<height).map { index in
            var line: [Piece] = []
            for (column, cell) in cells.enumerated() {
                if column > 0 { line.append(.text(" │ ", .dim)) }
                let content = index < cell.count ? cell[index] : []
                let free = max(0, widths[column] - LineWrapper.width(of: content))
                let before =
                    switch alignments[column] {
                    case .left: 0
                    case .center: free / 2
                    case .right: free
                    }
                let after = column == cells.count - 1 ? 0 : free - before
                if before > 0 { line.append(.text(String(repeating: " ", count: before), .plain)) }
                line += content
                if after > 0 { line.append(.text(String(repeating: " ", count: after), .plain)) }
            }
            return line
        }
    }

    private static func wrapped(_ text: [(Unicode.Scalar, Style)], _ width: Int) -> [[Piece]] {
        var lines: [[Piece]] = []
        var column = 0
        var line = LineWrapper(width: width)
        for (scalar, style) in text { line.add(scalar, style) }
        line.end()
        lines = line.take().split(separator: .newline, omittingEmptySubsequences: false).map(Array.init)
        // A word wider than the column would move all that follows, so it is broken here.
        return lines.flatMap { pieces -> [[Piece]] in
            guard LineWrapper.width(of: pieces) > width else { return [pieces] }
            var broken: [[Piece]] = [[]]
            column = 0
            for case .text(let text, let style) in pieces {
                for character in text {
                    let columns = DisplayWidth.of(character)
                    if column + columns > width, column > 0 {
                        broken.append([])
                        column = 0
                    }
                    broken[broken.count - 1].append(.text(String(character), style))
                    column += columns
                }
            }
            return broken
        }
    }
}
