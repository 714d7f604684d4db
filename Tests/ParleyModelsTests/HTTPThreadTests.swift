import Foundation
import ParleyCore
import Testing

@testable import ParleyModels

/// The client's thread as a place for tasks.
@Suite struct HTTPThreadTests {
    /// A function that is kept bare in a lock grows with each look at it, until to call it takes more stack than there is.
    @Test func whatSurroundsTasksDoesNotGrow() throws {
        let thread = HTTPThread(inbox: try HTTPInbox())
        let depths = Locked([Int]())
        thread.surround { _ in
            let depth = Thread.callStackReturnAddresses.count
            depths.withLock { $0.append(depth) }
        }
        thread.surroundings?(true)
        for _ in 0..<20 { _ = thread.surroundings }
        thread.surroundings?(false)
        #expect(Set(depths.withLock { $0 }).count == 1)
        thread.surround(with: nil)
        #expect(thread.surroundings == nil)
    }
}
