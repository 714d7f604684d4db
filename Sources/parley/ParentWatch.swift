import CPidfd
import Foundation
import Glibc

/// A watch over the process that started this one.
///
/// It waits on a pidfd (pidfd_open(2)) and not for the signal of `PR_SET_PDEATHSIG` (prctl(2)), which comes as soon as the *thread* ends
/// that started this process, while its process lives on; a number that has gone to another process in between cannot mislead it either.
/// It is a thread and no dispatch source, because those take whatever looks like a regular file for readable at all times, and what a
/// pidfd looks like has changed with the kernel.
struct ParentWatch {
    /// Readable once the parent has ended; nil when it had ended before it could be watched.
    private let descriptor: Int32?

    /// Takes whoever is the parent now for the one to watch, so it is to be made first of all.
    ///
    /// - Throws: `SettingsError` where the system cannot watch a process.
    init() throws(SettingsError) {
        let parent = getppid()
        let descriptor = parley_pidfd_open(parent)
        guard descriptor >= 0 || errno == ESRCH else {
            throw SettingsError("--exit-with-parent: this system cannot watch a process: \(String(cString: strerror(errno))).")
        }
        // A parent that ended meanwhile has left this process to another, and its number perhaps as well.
        self.descriptor = descriptor >= 0 && getppid() == parent ? descriptor : nil
    }

    /// Starts the watch, which lasts as long as this process; to be called once.
    ///
    /// - Parameter onEnd: called once, on a thread of its own, when the parent has ended; also when it ended before the call.
    func start(onEnd: @escaping @Sendable () -> Void) {
        let thread = Thread { [descriptor] in
            if let descriptor { Self.waitUntilReadable(descriptor) }
            onEnd()
        }
        thread.name = "parent"
        thread.start()
    }

    private static func waitUntilReadable(_ descriptor: Int32) {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while poll(&request, 1, -1) < 0, errno == EINTR {}
    }
}
