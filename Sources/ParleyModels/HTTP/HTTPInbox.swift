import CCurl
import Foundation
import Glibc

/// What other threads ask of the engine's thread.
enum HTTPCommand: Sendable {
    /// Begin a request and deliver what comes of it.
    case start(HTTPRequest, HTTPDelivery)
    /// Go on with a transfer that was paused because its reader was slow.
    case resume(HTTPDelivery)
    /// End a transfer that nobody waits for.
    case cancel(HTTPDelivery)
    /// Discard the rest of a transfer, and end it if it does not end by itself soon.
    case letEnd(HTTPDelivery)
    /// Run a part of a task.
    case run(UnownedJob)
    /// End all transfers and then the thread.
    case stop
}

/// The queue of commands to the engine's thread, with the eventfd that wakes it.
///
/// `@unchecked Sendable` is right: `descriptor` never changes, and the rest is read and written under `lock` alone.
final class HTTPInbox: @unchecked Sendable {
    /// Readable when commands have come; for the engine's epoll.
    let descriptor: Int32

    private let lock = NSLock()
    private var commands: [HTTPCommand] = []
    /// The engine's thread, which looks here before it sleeps and so need not be woken by itself.
    private var reader: pthread_t?
    private var isClosed = false

    /// Makes an empty queue.
    ///
    /// - Throws: `.other` if the system has no descriptor left.
    init() throws(HTTPFailure) {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard descriptor >= 0 else { throw HTTPFailure(.other, "no eventfd: \(HTTPFailure.systemError(errno))") }
    }

    deinit {
        Glibc.close(descriptor)
    }

    /// Says that the calling thread is the one that takes the commands.
    func belongToThisThread() {
        lock.withLock { reader = pthread_self() }
    }

    /// Queues a command and wakes the engine's thread if it may sleep.
    ///
    /// - Parameter command: What to do.
    /// - Returns: False if the engine has ended and will never do it.
    @discardableResult
    func post(_ command: HTTPCommand) -> Bool {
        lock.lock()
        guard !isClosed else {
            lock.unlock()
            return false
        }
        commands.append(command)
        let wakes = commands.count == 1 && !(reader.map { pthread_equal($0, pthread_self()) != 0 } ?? false)
        lock.unlock()
        // The eventfd lives as long as this object and counts, so that waking an engine which has just ended does no harm.
        if wakes { eventfd_write(descriptor, 1) }
        return true
    }

    /// Whether no command waits.
    var isEmpty: Bool { lock.withLock { commands.isEmpty } }

    /// Takes all commands, in their order.
    func take() -> [HTTPCommand] {
        lock.withLock {
            guard !commands.isEmpty else { return [] }
            defer { commands = [] }
            return commands
        }
    }

    /// Refuses all commands from now on.
    ///
    /// - Returns: Those that were still queued.
    func close() -> [HTTPCommand] {
        lock.withLock {
            isClosed = true
            defer { commands = [] }
            return commands
        }
    }

    /// Takes back what woke the engine's thread.
    func quiet() {
        var count: UInt64 = 0
        eventfd_read(descriptor, &count)
    }
}
