/// A piece of a text round what was looked for.
package struct SearchExcerpt: Hashable, Sendable {
    /// Part of the piece, in UTF-16 code units from its beginning, as clients count in strings.
    package struct Highlight: Hashable, Sendable {
        /// Where it begins.
        package var start: Int
        /// How long it is.
        package var length: Int

        /// Makes one of its fields; see them for what the parameters mean.
        package init(start: Int, length: Int) {
            self.start = start
            self.length = length
        }
    }

    /// The greatest piece, in Unicode scalars, without the dots that stand for what is left out.
    package static let maximumScalars = 200
    /// How much stands before what was found, in Unicode scalars.
    private static let lead = 40

    /// The piece, on one line.
    package let text: String
    /// Where the words stand that were looked for, in order; they neither overlap nor touch.
    package let highlights: [Highlight]

    /// How many places in a text are looked at, so that what is kept of a text is bounded.
    private static let maximumOccurrences = 1_024
    /// How far from what was found something of the piece can be, in bytes.
    private static let reach = 4 * maximumScalars

    /// Cuts out the piece in which most of a query is found.
    ///
    /// - Parameter text: a text that the query matches; of any other, the beginning is taken.
    package init(of text: String, for query: SearchQuery) {
        let bytes = Array(text.utf8)
        var occurrences: [SearchQuery.Occurrence] = []
        query.forEachOccurrence(in: SearchWords(utf8: bytes)) { occurrence in
            occurrences.append(occurrence)
            return occurrences.count < Self.maximumOccurrences
        }
        occurrences.sort { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
        let anchor = Self.best(of: occurrences, phrases: query.phrases.count)?.range.lowerBound ?? 0
        var words: [Range<Int>] = []
        for word in SearchWords(utf8: bytes) where word.range.upperBound > anchor - Self.reach {
            guard word.range.lowerBound < anchor + Self.reach else { break }
            words.append(word.range)
        }
        let start = Self.beginning(before: anchor, in: bytes, words)
        var piece = Piece(bytes: bytes, range: start..<Self.end(after: start, in: bytes, words, beyond: anchor))
        piece.highlight(occurrences.map(\.range))
        self.text = piece.text
        highlights = piece.highlights
    }

    /// The first occurrence of those with the most different phrases soon after them.
    private static func best(of occurrences: [SearchQuery.Occurrence], phrases: Int) -> SearchQuery.Occurrence? {
        var best: (occurrence: SearchQuery.Occurrence, count: Int)?
        for (index, occurrence) in occurrences.enumerated() {
            let limit = occurrence.range.lowerBound + maximumScalars - lead
            let count = Set(occurrences[index...].prefix { $0.range.upperBound <= limit }.map(\.phrase)).count
            if count > best?.count ?? -1 { best = (occurrence, count) }
            if count == phrases { break }
        }
        return best?.occurrence
    }

    /// Where a piece begins: with a word, a little before what was found.
    private static func beginning(before anchor: Int, in bytes: [UInt8], _ words: [Range<Int>]) -> Int {
        var start = anchor
        for _ in 0..<lead where start > 0 {
            repeat { start -= 1 } while start > 0 && bytes[start] & 0xC0 == 0x80
        }
        guard start > 0 else { return 0 }
        return words.first { (start...anchor).contains($0.lowerBound) }?.lowerBound ?? anchor
    }

    /// Where a piece ends: with a word, if that is possible.
    private static func end(after start: Int, in bytes: [UInt8], _ words: [Range<Int>], beyond anchor: Int) -> Int {
        var end = start
        for _ in 0..<maximumScalars where end < bytes.count {
            repeat { end += 1 } while end < bytes.count && bytes[end] & 0xC0 == 0x80
        }
        guard end < bytes.count else { return end }
        return words.last { $0.upperBound <= end && $0.upperBound > anchor }?.upperBound ?? end
    }
}

/// A piece of a text while it is brought on one line.
private struct Piece {
    private(set) var text = ""
    private(set) var highlights: [SearchExcerpt.Highlight] = []
    private let range: Range<Int>
    /// For each byte of the range, and the end, how many UTF-16 code units come before it.
    private var units: [Int] = []

    init(bytes: [UInt8], range: Range<Int>) {
        self.range = range
        units.reserveCapacity(range.count + 1)
        var length = 0
        func add(_ scalar: Unicode.Scalar) {
            text.unicodeScalars.append(scalar)
            length += UTF16.width(scalar)
        }
        func isEmpty(_ bytes: ArraySlice<UInt8>) -> Bool {
            String(decoding: bytes, as: UTF8.self).unicodeScalars.allSatisfy(\.isBlank)
        }
        if !isEmpty(bytes[..<range.lowerBound]) { add("…") }
        var isAfterBlank = true
        for scalar in String(decoding: bytes[range], as: UTF8.self).unicodeScalars {
            // White space that follows white space, or begins the piece, is nowhere.
            let place = length
            if scalar.isBlank {
                if !isAfterBlank { add(" ") }
                isAfterBlank = true
            } else {
                add(scalar)
                isAfterBlank = false
            }
            for _ in 0..<UTF8.width(scalar) { units.append(place) }
        }
        units.append(length)
        if text.unicodeScalars.last == " " { text.unicodeScalars.removeLast() }
        if !isEmpty(bytes[range.upperBound...]) { text.unicodeScalars.append("…") }
    }

    /// Highlights ranges of the text's bytes, in order, as far as they are in the piece.
    mutating func highlight(_ ranges: [Range<Int>]) {
        for found in ranges {
            let shown = found.clamped(to: range)
            guard !shown.isEmpty else { continue }
            let (start, end) = (units[shown.lowerBound - range.lowerBound], units[shown.upperBound - range.lowerBound])
            if let last = highlights.last, start <= last.start + last.length {
                highlights[highlights.count - 1].length = max(last.length, end - last.start)
            } else {
                highlights.append(SearchExcerpt.Highlight(start: start, length: end - start))
            }
        }
    }
}

extension Unicode.Scalar {
    /// Whether nothing is seen of it but a gap.
    fileprivate var isBlank: Bool { properties.isWhitespace || properties.generalCategory == .control }
}
