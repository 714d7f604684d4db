import Glibc

/// SQLite's own locks on a database, looked at from outside: who keeps whom from doing what.
///
/// They are locks of a process (fcntl(2)), so the system tells which process holds them; and a process that closes a file lets go of all
/// its own on it, so this is for processes that do not have the database open.
struct DatabaseLocks {
    private let file: DatabaseFile

    /// The byte of the log's index that whoever writes has locked (https://www.sqlite.org/walformat.html#wal_locks).
    private static let writing: (start: off_t, length: off_t) = (120, 1)
    /// The bytes of the database of which readers lock one, and who wants it for itself alone all
    /// (https://www.sqlite.org/lockingv3.html).
    private static let reading: (start: off_t, length: off_t) = (0x4000_0002, 510)

    /// The byte of the log's index of which everybody who has the index open holds a share (SQLite's os_unix.c, `UNIX_SHM_DMS`).
    private static let being: (start: off_t, length: off_t) = (128, 1)

    init(_ file: DatabaseFile) {
        self.file = file
    }

    /// Whether anybody has the log open, a host or another program.
    var isLogInUse: Bool { Self.holder(of: Self.being, in: file.logIndexPath, conflictingWith: F_WRLCK) != nil }

    /// The process that keeps all others from writing, or even from reading, for as long as that is waited for.
    ///
    /// - Returns: its process id; nil when nobody does, or not the same one all the time.
    func processThatBlocks(waitingAtMost patience: Duration) -> Int? {
        let deadline = ContinuousClock.now + patience
        guard let blocker = current() else { return nil }
        while ContinuousClock.now < deadline {
            // A host at work lets go after each commit, so that one of many looks finds the gap.
            usleep(2_000)
            guard current() == blocker else { return nil }
        }
        return blocker
    }

    private func current() -> Int? {
        Self.holder(of: Self.reading, in: file.path, conflictingWith: F_RDLCK)
            ?? Self.holder(of: Self.writing, in: file.logIndexPath, conflictingWith: F_WRLCK)
    }

    private static func holder(of bytes: (start: off_t, length: off_t), in path: String, conflictingWith type: Int32) -> Int? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var request = flock()
        request.l_type = Int16(type)
        request.l_whence = Int16(SEEK_SET)
        request.l_start = bytes.start
        request.l_len = bytes.length
        guard fcntl(descriptor, F_GETLK, &request) == 0, request.l_type != F_UNLCK else { return nil }
        return Int(request.l_pid)
    }
}
