/// A text that is being edited, cut into the rows of a terminal.
struct EditorLayout {
    /// The rows that fit, those around the cursor when there are more.
    let rows: [String]
    /// Where the cursor is in them.
    let cursorRow: Int
    let cursorColumn: Int

    /// - Parameters:
    ///   - prompt: what stands before the first row.
    ///   - continuation: what stands before each further line, as wide as the prompt.
    ///   - before: the text before the cursor.
    ///   - after: the text behind it.
    ///   - width: how many columns there are; the last one stays free, because terminals differ in what they do behind it.
    ///   - height: how many rows there may be.
    init(prompt: String, continuation: String, before: String, after: String, width: Int, height: Int) {
        var rows = [prompt]
        var column = DisplayWidth.of(prompt)
        let room = max(width - 1, column + 2)
        func lay(_ text: String) {
            for character in text {
                if character.isNewline {
                    rows.append(continuation)
                    column = DisplayWidth.of(continuation)
                    continue
                }
                let shown = character == "\t" ? "  " : SafeText.shown(String(character))
                let columns = DisplayWidth.of(shown)
                if column + columns > room {
                    rows.append(continuation)
                    column = DisplayWidth.of(continuation)
                }
                rows[rows.count - 1] += shown
                column += columns
            }
        }
        lay(before)
        let cursor = (row: rows.count - 1, column: column)
        lay(after)
        let first = max(0, min(cursor.row - height / 2, rows.count - height))
        self.rows = Array(rows[first..<min(rows.count, first + height)])
        cursorRow = cursor.row - first
        cursorColumn = cursor.column
    }
}
