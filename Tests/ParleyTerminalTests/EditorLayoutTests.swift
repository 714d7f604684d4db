import Testing

@testable import ParleyTerminal

struct EditorLayoutTests {
    /// The rows of a text, with the cursor as `|`.
    private static func rows(_ before: String, _ after: String = "", width: Int, height: Int = 10) -> [String] {
        let layout = EditorLayout(prompt: "> ", continuation: "  ", before: before, after: after, width: width, height: height)
        var rows = layout.rows
        var column = 0
        let row = rows[layout.cursorRow]
        let index = row.indices.first { position in
            defer { column += DisplayWidth.of(row[position]) }
            return column == layout.cursorColumn
        }
        rows[layout.cursorRow].insert("|", at: index ?? row.endIndex)
        return rows
    }

    @Test func rowsAreCutWhereTheTerminalEnds() {
        #expect(Self.rows("", width: 10) == ["> |"])
        #expect(Self.rows("abcdefg", width: 10) == ["> abcdefg|"])
        #expect(Self.rows("abcdefgh", width: 10) == ["> abcdefg", "  h|"])
        #expect(Self.rows("abc", "defghij", width: 10) == ["> abc|defg", "  hij"])
        #expect(Self.rows("a\n", "\nb", width: 10) == ["> a", "  |", "  b"])
        // What is wide is not cut in two, and the last column stays free.
        #expect(Self.rows("漢漢漢", "漢", width: 10) == ["> 漢漢漢|", "  漢"])
        #expect(Self.rows("👨‍👩‍👧e\u{301}", "x", width: 10) == ["> 👨‍👩‍👧e\u{301}|x"])
        #expect(Self.rows("a\tb\u{1B}c", width: 20) == ["> a  b␛c|"])
        // Whatever the width, there is room for one wide character.
        #expect(Self.rows("abc", width: 1) == ["> ab", "  c|"])
    }

    @Test func whatDoesNotFitIsShownAroundTheCursor() {
        #expect(Self.rows("1\n2\n3\n4\n5", width: 10, height: 3) == ["  3", "  4", "  5|"])
        #expect(Self.rows("1\n2", "\n3\n4\n5", width: 10, height: 3) == ["> 1", "  2|", "  3"])
        #expect(Self.rows("", "1\n2\n3\n4", width: 10, height: 3) == ["> |1", "  2", "  3"])
        #expect(Self.rows("1\n2\n3", "\n4\n5", width: 10, height: 1) == ["  3|"])
    }
}
