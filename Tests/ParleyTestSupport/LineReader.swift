import Foundation
import Glibc
import ParleyCore

/// A thread that cuts what comes from a child's output into lines. Foundation's own reading traps when a signal interrupts it.
package final class LineReader: Sendable {
    private let child: ChildProcess
    private let continuation: AsyncStream<String>.Continuation
    private let isStopped = Locked(false)

    /// - Parameter child: its output is closed by the thread, at its end.
    init(_ child: ChildProcess, _ continuation: AsyncStream<String>.Continuation) {
        self.child = child
        self.continuation = continuation
    }

    func start() {
        Thread.detachNewThread { [self] in
            var pending: [UInt8] = []
            while !isStopped.withLock({ $0 }), let chunk = Self.read(child.output) {
                pending += chunk
                var start = 0
                while let end = pending[start...].firstIndex(of: 0x0A) {
                    continuation.yield(String(decoding: pending[start..<end], as: UTF8.self))
                    start = end + 1
                }
                pending.removeFirst(start)
            }
            child.close(child.output)
            continuation.finish()
        }
    }

    /// Reads no more once what is being read has come.
    func stop() {
        isStopped.withLock { $0 = true }
    }

    /// The next bytes of a descriptor; nil at its end.
    package static func read(_ descriptor: Int32) -> [UInt8]? {
        while true {
            var failure: Int32 = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
                let result = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                failure = result < 0 ? errno : 0
                count = max(0, result)
            }
            if failure == EINTR { continue }
            return bytes.isEmpty ? nil : bytes
        }
    }
}
