@testable import JSONRPC

/// The first byte is the longest line that is allowed, the second says how the rest, the stream, is cut.
enum LineTarget {
    private enum Line: Equatable {
        case complete([UInt8])
        case tooLong
    }

    static func check(_ input: [UInt8]) throws(BrokenPromise) {
        guard input.count >= 2 else { return }
        let (limit, stream) = (Int(input[0]), input[2...])
        let expected = lines(of: stream, limit: limit)
        try expect(read([stream], limit: limit) == expected, "a stream that comes at once has the lines that it has")
        try expect(read(Cuts(input[1]).pieces(of: stream), limit: limit) == expected, "a stream has the same lines however it is cut")
    }

    private static func read(_ pieces: [ArraySlice<UInt8>], limit: Int) throws(BrokenPromise) -> [Line] {
        var framer = LineFramer(maxLineBytes: limit)
        var found: [Line] = []
        for piece in pieces {
            var rest = piece
            while !rest.isEmpty {
                var count = 0
                let framed = framer.lines { bytes in
                    count = min(rest.count, bytes.count)
                    bytes.copyBytes(from: rest.prefix(count))
                    return count
                }
                rest = rest.dropFirst(count)
                try expect(framed != nil, "whatever brings bytes brings lines, if none")
                if let framed { found += lines(of: framed) }
                try expect(framer.heldBytes <= 2 * LineFramer.readBytes + limit, "no more is held than a line and a read")
            }
        }
        return found + lines(of: framer.rest())
    }

    private static func lines(of framed: FramedLines) -> [Line] {
        var framed = framed
        var lines: [Line] = []
        while let line = framed.next() {
            switch line {
            case .complete(let range): lines.append(.complete(Array(framed.bytes[range])))
            case .tooLong: lines.append(.tooLong)
            }
        }
        return lines
    }

    /// The lines as the protocol defines them.
    private static func lines(of stream: ArraySlice<UInt8>, limit: Int) -> [Line] {
        stream.split(separator: 0x0A).compactMap { line in
            let line = line.last == 0x0D ? line.dropLast() : line
            if line.count > limit { return .tooLong }
            return line.allSatisfy { [0x20, 0x09, 0x0D].contains($0) } ? nil : .complete(Array(line))
        }
    }
}
