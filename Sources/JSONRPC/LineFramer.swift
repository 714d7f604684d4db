import Glibc

/// Cuts what read(2) brings into lines, at byte 0x0A and at nothing else, and holds nothing but the one unfinished line.
///
/// Its memory is bounded by `maxLineBytes` and one read; what exceeds a line is thrown away as it comes.
struct LineFramer {
    /// The most that one read brings, in bytes; a pipe holds as much.
    static let readBytes = 64 * 1024
    /// The buffer while no long line is under way: a whole read beside an unfinished line of ordinary length.
    private static let restingBytes = 2 * readBytes

    private let maxLineBytes: Int
    private var buffer = [UInt8](repeating: 0, count: restingBytes)
    /// How many bytes of the unfinished line stand at the front of the buffer.
    private var unfinished = 0
    /// Whether the unfinished line has been found too long, so that its rest is thrown away.
    private var isDiscarding = false

    init(maxLineBytes: Int) {
        self.maxLineBytes = maxLineBytes
    }

    /// The size of the buffer, in bytes.
    var heldBytes: Int { buffer.count }

    /// Takes one read and returns the lines that it completes.
    /// - Parameter read: fills the front of the buffer that it gets and returns how many bytes it wrote, at least 1.
    /// - Returns: nil when the closure returned 0 or less; otherwise the lines, often none.
    mutating func lines(read: (UnsafeMutableRawBufferPointer) -> Int) -> FramedLines? {
        makeRoom()
        let old = unfinished
        let count = buffer.withUnsafeMutableBytes { bytes in
            read(UnsafeMutableRawBufferPointer(rebasing: bytes[old..<min(old + Self.readBytes, bytes.count)]))
        }
        guard count > 0 else { return nil }
        let filled = old + count
        // What stood there before holds no line end, so a long line is searched only once.
        guard let firstEnd = lineEnd(in: buffer, old..<filled), let lastEnd = buffer[..<filled].lastIndex(of: 0x0A) else {
            unfinished = isDiscarding ? 0 : filled
            return FramedLines(bytes: [], maxLineBytes: maxLineBytes, endsTooLong: startDiscardingIfTooLong())
        }
        let start = isDiscarding ? firstEnd + 1 : 0
        isDiscarding = false
        let bytes = Array(buffer[start..<lastEnd + 1])
        keep(lastEnd + 1..<filled)
        return FramedLines(bytes: bytes, maxLineBytes: maxLineBytes, endsTooLong: startDiscardingIfTooLong())
    }

    /// The last line, when the input ended without a line end.
    mutating func rest() -> FramedLines {
        let bytes = unfinished > 0 ? Array(buffer[..<unfinished]) + [0x0A] : []
        unfinished = 0
        return FramedLines(bytes: bytes, maxLineBytes: maxLineBytes, endsTooLong: false)
    }

    /// Grows the buffer for a long line, in doubling steps so that copying stays linear, up to the longest line and one read.
    private mutating func makeRoom() {
        guard buffer.count - unfinished < Self.readBytes else { return }
        let size = min(2 * buffer.count, max(Self.restingBytes, maxLineBytes + Self.readBytes))
        buffer += [UInt8](repeating: 0, count: size - buffer.count)
    }

    /// Moves the unfinished line to the front, and gives back the memory that a long line before it needed.
    private mutating func keep(_ range: Range<Int>) {
        unfinished = range.count
        if buffer.count > Self.restingBytes, range.count <= Self.readBytes {
            buffer = Array(buffer[range]) + [UInt8](repeating: 0, count: Self.restingBytes - range.count)
        } else if !range.isEmpty {
            buffer.withUnsafeMutableBytes { bytes in
                bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[range]))
            }
        }
    }

    private mutating func startDiscardingIfTooLong() -> Bool {
        // One byte more may be the CR before the line end.
        let mayEndInTime = unfinished <= maxLineBytes || unfinished == maxLineBytes + 1 && buffer[maxLineBytes] == 0x0D
        guard !mayEndInTime else { return false }
        isDiscarding = true
        keep(0..<0)
        return true
    }
}

/// The lines of one read, in one array of bytes that they share.
struct FramedLines {
    /// One line that is not blank, or too long to tell.
    enum Line {
        /// A line without its line end and one CR before it.
        case complete(Range<Int>)
        /// A line that is longer than allowed, reported once.
        case tooLong
    }

    /// Whole lines, each with its line end.
    let bytes: [UInt8]
    private let maxLineBytes: Int
    private var endsTooLong: Bool
    private var position = 0

    init(bytes: [UInt8], maxLineBytes: Int, endsTooLong: Bool) {
        self.bytes = bytes
        self.maxLineBytes = maxLineBytes
        self.endsTooLong = endsTooLong
    }

    /// The next line that is not blank, or that is too long; nil when there is none.
    mutating func next() -> Line? {
        while position < bytes.count {
            let start = position
            var end = lineEnd(in: bytes, start..<bytes.count) ?? bytes.count
            position = end + 1
            if end > start, bytes[end - 1] == 0x0D { end -= 1 }
            // Before anything else, because of a line that came in several reads nobody knows any more what it was.
            if end - start > maxLineBytes { return .tooLong }
            if isBlank(start..<end) { continue }
            return .complete(start..<end)
        }
        defer { endsTooLong = false }
        return endsTooLong ? .tooLong : nil
    }

    /// Whether a line holds nothing but what JSON calls white space.
    private func isBlank(_ range: Range<Int>) -> Bool {
        var index = range.lowerBound
        while index < range.upperBound {
            guard bytes[index] == 0x20 || bytes[index] == 0x09 || bytes[index] == 0x0D else { return false }
            index += 1
        }
        return true
    }
}

/// Where the first byte 0x0A stands.
private func lineEnd(in bytes: [UInt8], _ range: Range<Int>) -> Int? {
    bytes.withUnsafeBytes { bytes in
        guard let start = bytes.baseAddress, let end = memchr(start + range.lowerBound, 0x0A, range.count) else { return nil }
        return start.distance(to: UnsafeRawPointer(end))
    }
}
