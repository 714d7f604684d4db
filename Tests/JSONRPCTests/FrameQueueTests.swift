import ParleyTestSupport
import Testing

@testable import JSONRPC

struct FrameQueueTests {
    @Test func gathersSmallFramesAndKeepsTheOrder() {
        var random = SeededGenerator(seed: 7)
        var queue = FrameQueue()
        var sent: [UInt8] = []
        var taken: [UInt8] = []
        for round in 0..<3000 {
            let size = round.isMultiple(of: 50) ? Int.random(in: 60_000...70_000, using: &random) : Int.random(in: 0...500, using: &random)
            let frame = [UInt8](repeating: UInt8(truncatingIfNeeded: round), count: size)
            queue.append(frame)
            sent += frame
            if round.isMultiple(of: 3), let piece = queue.popFirst() {
                taken += piece
                queue.recycle(piece)
            }
            #expect(queue.count == sent.count - taken.count)
        }
        while let piece = queue.popFirst() { taken += piece }
        #expect(taken == sent)
        #expect(queue.isEmpty)
    }

    @Test func makesPiecesOfOneWrite() {
        var queue = FrameQueue()
        for _ in 0..<100_000 { queue.append([UInt8](repeating: 1, count: 100)) }
        var pieces = 0
        while let piece = queue.popFirst() {
            #expect(piece.count <= FrameQueue.pieceBytes && piece.count.isMultiple(of: 100))
            pieces += 1
        }
        #expect(pieces == (100_000 + 654) / 655)
    }
}
