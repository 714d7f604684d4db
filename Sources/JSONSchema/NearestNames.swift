/// Names that somebody may have meant who wrote another one.
package enum NearestNames {
    /// Longer names, and names after so many, are not compared.
    private static let maximumLength = 64
    private static let maximumCount = 256

    /// The nearest names, the best first, three at most; none when all are too different.
    package static func of(_ name: String, among names: [String]) -> [String] {
        guard name.utf8.count <= maximumLength else { return [] }
        let wanted = comparable(name)
        var candidates: [(name: String, distance: Int)] = []
        for candidate in names.prefix(maximumCount) where candidate.utf8.count <= maximumLength {
            let other = comparable(candidate)
            let distance = distance(wanted, other)
            if distance <= max(wanted.count, other.count) / 3 {
                candidates.append((candidate, distance))
            }
        }
        guard let least = candidates.map(\.distance).min() else { return [] }
        return candidates.filter { $0.distance == least }.prefix(3).map(\.name)
    }

    /// A name without what is often confused: case and separators.
    private static func comparable(_ name: String) -> [Unicode.Scalar] {
        name.lowercased().unicodeScalars.filter { $0 != "_" && $0 != "-" && $0 != "." && $0 != " " }
    }

    /// How many letters must be put in, taken out, replaced or exchanged with their neighbour (the "optimal string alignment" distance).
    private static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for i in left.indices {
            var row = [i + 1]
            for j in right.indices {
                var best = min(last[j + 1] + 1, row[j] + 1, last[j] + (left[i] == right[j] ? 0 : 1))
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    best = min(best, beforeLast[j - 1] + 1)
                }
                row.append(best)
            }
            beforeLast = last
            last = row
        }
        return last[right.count]
    }
}
