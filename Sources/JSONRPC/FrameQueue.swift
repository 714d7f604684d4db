/// Whole frames that wait to be written, in order, in pieces of about one write each.
///
/// Small frames share a piece, a large one is a piece of its own and is not copied. Pieces are released one by one as they are written,
/// so nothing is ever moved to the front and the memory held is what waits and at most one piece more.
struct FrameQueue {
    /// What small frames are gathered into, in bytes; a pipe takes as much in one write.
    static let pieceBytes = 64 * 1024

    private var pieces: [[UInt8]] = []
    /// The pieces before this index are taken.
    private var first = 0
    /// The memory of a written piece, to gather the next frames in.
    private var spare: [UInt8] = []

    /// How many bytes wait here.
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// Adds one or many whole frames.
    mutating func append(_ frames: [UInt8]) {
        guard !frames.isEmpty else { return }
        count += frames.count
        if frames.count >= Self.pieceBytes {
            pieces.append(frames)
        } else if first < pieces.count, pieces[pieces.count - 1].count + frames.count <= Self.pieceBytes {
            pieces[pieces.count - 1].append(contentsOf: frames)
        } else {
            var piece: [UInt8] = []
            swap(&piece, &spare)
            piece.append(contentsOf: frames)
            pieces.append(piece)
        }
    }

    /// Takes the piece that is to be written first.
    mutating func popFirst() -> [UInt8]? {
        guard first < pieces.count else { return nil }
        var piece: [UInt8] = []
        swap(&piece, &pieces[first])
        first += 1
        count -= piece.count
        if first == pieces.count {
            pieces.removeAll(keepingCapacity: first <= 1024)
            first = 0
        } else if first >= 1024, first * 2 >= pieces.count {
            // At least as many have been taken since the last time as are moved now, so the cost of a piece is constant.
            pieces.removeFirst(first)
            first = 0
        }
        return piece
    }

    /// Keeps the memory of a piece that has been written.
    mutating func recycle(_ piece: consuming [UInt8]) {
        guard piece.capacity <= 2 * Self.pieceBytes else { return }
        piece.removeAll(keepingCapacity: true)
        spare = piece
    }

    /// Drops everything.
    mutating func removeAll() {
        self = FrameQueue()
    }
}
