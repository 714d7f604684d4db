import Glibc
import JSON

/// Reads the pieces of one answer. Most say the same as one before but for a text, and then nothing but that text is read: a server repeats some
/// 150 bytes around each token, and to read these is half of all that is done with it.
struct PieceReader<Piece: ServerPiece>: Sendable {
    /// A piece that others may be like.
    private struct Pattern: Sendable {
        let piece: Piece
        let data: [UInt8]
        /// Where its text lies, with the quotation marks.
        let literal: Range<Int>

        /// The text of a piece that differs from this one in nothing else.
        ///
        /// - Parameter other: the piece's data.
        /// - Returns: nil for any other piece.
        func text(of other: [UInt8]) -> String? {
            let after = data.count - literal.upperBound
            let end = other.count - after
            let quote = UInt8(ascii: "\"")
            guard end > literal.lowerBound, other[literal.lowerBound] == quote, other[end - 1] == quote,
                isSame(other, at: 0, as: 0, literal.lowerBound), isSame(other, at: end, as: literal.upperBound, after)
            else { return nil }
            var reader = JSONReader(other, in: literal.lowerBound..<end)
            do throws(JSONError) {
                let text = try reader.string()
                try reader.end()
                return text
            } catch {
                // There is more between the two than one string: whoever reads it all will see what.
                return nil
            }
        }

        private func isSame(_ other: [UInt8], at start: Int, as place: Int, _ count: Int) -> Bool {
            data.withUnsafeBytes { data in
                other.withUnsafeBytes { other in
                    guard count > 0, let here = data.baseAddress, let there = other.baseAddress else { return count == 0 }
                    return memcmp(here + place, there + start, count) == 0
                }
            }
        }
    }

    private var pattern: Pattern?

    /// Reads a piece.
    ///
    /// - Parameter data: the data of one event.
    /// - Returns: what parsing it says.
    /// - Throws: `JSONError` of kind syntax.
    mutating func read(_ data: [UInt8]) throws(JSONError) -> Piece {
        if let text = pattern?.text(of: data), var piece = pattern?.piece {
            piece.text = text
            return piece
        }
        let piece = try Piece(data)
        pattern = piece.textLiteral.map { Pattern(piece: piece, data: data, literal: $0) } ?? pattern
        return piece
    }
}
