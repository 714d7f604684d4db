import Glibc

/// The descriptor that frames are written to, and the way of writing to it that does not block, where there is one.
///
/// | what it is | how it is written to |
/// |---|---|
/// | pipe | reopened through `/proc/self/fd` with `O_NONBLOCK`, so that whoever shares the given one sees no change |
/// | socket | `send` with `MSG_DONTWAIT` |
/// | regular file | plainly: it never makes a writer wait for a reader |
/// | all else (a terminal, a device), or a pipe where `/proc` is missing | plainly, and so only on the writer's thread |
final class OutputDescriptor: Sendable {
    /// What became of one attempt to write.
    enum Outcome {
        case wrote(Int)
        case wouldBlock
        case failed(code: Int32)
    }

    private enum Method {
        case write
        case send
        case blockingWrite
    }

    private let number: Int32
    private let isOwned: Bool
    private let method: Method

    /// Chooses the way of writing.
    /// - Parameters:
    ///   - given: the descriptor, which stays its owner's.
    ///   - descriptors: the folder that shows this process's descriptors.
    init(_ given: Int32, descriptors: String = "/proc/self/fd") {
        let identity = Self.status(of: given)
        switch identity.map({ $0.st_mode & S_IFMT }) {
        case S_IFREG:
            (number, isOwned, method) = (given, false, .write)
        case S_IFSOCK:
            (number, isOwned, method) = (given, false, .send)
        case S_IFIFO:
            let opened = open("\(descriptors)/\(given)", O_WRONLY | O_NONBLOCK | O_CLOEXEC)
            if opened >= 0, let reopened = Self.status(of: opened), reopened.st_dev == identity?.st_dev, reopened.st_ino == identity?.st_ino
            {
                (number, isOwned, method) = (opened, true, .write)
            } else {
                if opened >= 0 { close(opened) }
                (number, isOwned, method) = (given, false, .blockingWrite)
            }
        default:
            (number, isOwned, method) = (given, false, .blockingWrite)
        }
    }

    deinit {
        if isOwned { close(number) }
    }

    /// Whether only a thread that may block can write.
    var mayBlock: Bool { method == .blockingWrite }

    /// Writes as much as can be written at once, or waits if it `mayBlock`.
    func write(_ bytes: ArraySlice<UInt8>) -> Outcome {
        while true {
            let count = bytes.withUnsafeBytes { bytes in
                method == .send
                    ? Glibc.send(number, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
                    : Glibc.write(number, bytes.baseAddress, bytes.count)
            }
            if count >= 0 { return .wrote(count) }
            switch errno {
            case EINTR: continue
            case EAGAIN, EWOULDBLOCK: return .wouldBlock
            case let code: return .failed(code: code)
            }
        }
    }

    /// Blocks until the peer has made room or is gone.
    func waitUntilWritable() {
        var poll = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
        while Glibc.poll(&poll, 1, -1) < 0, errno == EINTR || errno == EAGAIN {}
    }

    /// Whether the peer has gone, as far as that is to be seen without writing (poll(2)).
    var isAbandoned: Bool {
        var poll = pollfd(fd: number, events: 0, revents: 0)
        return Glibc.poll(&poll, 1, 0) > 0 && poll.revents & Int16(POLLERR | POLLHUP) != 0
    }

    private static func status(of descriptor: Int32) -> stat? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? status : nil
    }
}
