import Glibc

/// Bytes from and to descriptors, whatever interrupts, and whether or not somebody else has made them non-blocking.
package enum Descriptor {
    /// Reads what is there, or waits for it.
    ///
    /// - Returns: at most 65,536 bytes; none at the end, or when nothing can be read any more.
    package static func read(_ descriptor: Int32) -> [UInt8] {
        while true {
            var failure: Int32 = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
                let result = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                failure = result < 0 ? errno : 0
                count = max(0, result)
            }
            guard canGoOn(after: failure, descriptor, POLLIN) else { return bytes }
        }
    }

    /// Writes all bytes.
    ///
    /// - Returns: false when the other end has gone, or nothing can be written for another reason.
    @discardableResult
    package static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if !canGoOn(after: errno, descriptor, POLLOUT) {
                return false
            }
        }
        return true
    }

    /// Waits, where a failed call only came too early.
    private static func canGoOn(after failure: Int32, _ descriptor: Int32, _ event: Int32) -> Bool {
        if failure == EAGAIN {
            var state = pollfd(fd: descriptor, events: Int16(event), revents: 0)
            poll(&state, 1, -1)
        }
        return failure == EAGAIN || failure == EINTR
    }
}
