import JSON

/// Finds which received line is which of the expected ones, so that one line too many does not make all others look wrong.
enum Alignment {
    /// What became of a line, by the indices of both lists.
    enum Step: Equatable {
        /// Both are about the same, and may differ.
        case both(expected: Int, actual: Int)
        case missing(Int)
        case unexpected(Int)
    }

    /// A line that is expected.
    typealias Expectation = (value: JSONValue, isExact: Bool)

    /// - Parameter comparison: with what was captured before; it is not changed.
    /// - Returns: every expected and every received line once, both in their order.
    static func steps(_ expected: [Expectation], _ actual: [JSONValue?], after comparison: Comparison) -> [Step] {
        var comparison = comparison
        var steps: [Step] = []
        var start = 0
        while start < min(expected.count, actual.count), let value = actual[start],
            comparison.mismatch(expected[start].value, value, isExact: expected[start].isExact) == nil
        {
            steps.append(.both(expected: start, actual: start))
            start += 1
        }
        if start == expected.count || start == actual.count {
            return steps + (start..<expected.count).map { .missing($0) } + (start..<actual.count).map { .unexpected($0) }
        }
        return steps + rest(expected, actual, from: start, comparison)
    }

    /// The longest common subsequence of two lists (Wagner, Fischer: The string-to-string correction problem, 1974), where lines that fit
    /// count more than lines that are only about the same.
    private static func rest(_ expected: [Expectation], _ actual: [JSONValue?], from start: Int, _ comparison: Comparison) -> [Step] {
        let (rows, columns) = (expected.count - start, actual.count - start)
        var weights = [[Int]](repeating: [Int](repeating: 0, count: columns + 1), count: rows + 1)
        var best = weights
        for row in (0..<rows).reversed() {
            for column in (0..<columns).reversed() {
                weights[row][column] = weight(expected[start + row], actual[start + column], comparison)
                let joined = weights[row][column] > 0 ? best[row + 1][column + 1] + weights[row][column] : 0
                best[row][column] = max(joined, best[row + 1][column], best[row][column + 1])
            }
        }
        var steps: [Step] = []
        var (row, column) = (0, 0)
        while row < rows || column < columns {
            if row < rows, column < columns, weights[row][column] > 0,
                best[row][column] == best[row + 1][column + 1] + weights[row][column]
            {
                steps.append(.both(expected: start + row, actual: start + column))
                row += 1
                column += 1
            } else if column == columns || row < rows && best[row + 1][column] >= best[row][column + 1] {
                steps.append(.missing(start + row))
                row += 1
            } else {
                steps.append(.unexpected(start + column))
                column += 1
            }
        }
        return steps
    }

    /// How well two lines go together: 0 not at all, 1 when they are about the same request or event, 4 when they fit.
    private static func weight(_ expected: Expectation, _ actual: JSONValue?, _ comparison: Comparison) -> Int {
        guard let actual else { return 0 }
        var comparison = comparison
        if comparison.mismatch(expected.value, actual, isExact: expected.isExact) == nil { return 4 }
        let isSame = ["method", "id"].allSatisfy { expected.value[$0] == nil || expected.value[$0] == actual[$0] }
        return isSame && (expected.value["method"] != nil || actual["method"] == nil) ? 1 : 0
    }
}
