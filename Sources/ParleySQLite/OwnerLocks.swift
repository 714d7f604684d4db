import Glibc

/// The locks by which hosts on one database tell who is alive: one byte of a file for each.
///
/// They are open-file-description locks (fcntl(2)): they belong to the open file and not to the process, so the kernel lets go of them at
/// the very moment the file is closed, however the process ends, and two stores in one process see each other's. Byte 0 is no host's:
/// whoever opens, migrates or compacts the database holds it for as long as that takes.
final class OwnerLocks: Sendable {
    /// The byte held by the one who opens, migrates or compacts the database.
    static let openingByte: Int64 = 0

    // Linux, include/uapi/asm-generic/fcntl.h: the same numbers on every architecture. Swift does not see them, because glibc hides them
    // unless _GNU_SOURCE is defined.
    private static let getOpenFileLock: Int32 = 36
    private static let setOpenFileLock: Int32 = 37

    private let descriptor: Int32

    /// Opens the file of locks, making it if there is none.
    ///
    /// - Parameter path: the database's path with `-hosts` behind it.
    init(path: String) throws(SystemError) {
        // Closed on exec, or else a child process would keep its parent alive.
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .last }
    }

    /// Opens the file of locks for looking alone: nothing is made, and nothing can be locked.
    ///
    /// - Parameter path: the database's path with `-hosts` behind it.
    /// - Returns: nil when there is no such file, and so no host.
    init?(lookingAt path: String) throws(SystemError) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor < 0 else { return }
        let error = SystemError.last
        guard error.number == ENOENT else { throw error }
        return nil
    }

    deinit {
        close(descriptor)
    }

    /// Locks a byte if nobody else has.
    ///
    /// - Returns: whether the byte is now this file's.
    func lock(_ byte: Int64) throws(SystemError) -> Bool {
        var request = flock(F_WRLCK, from: byte, length: 1)
        guard fcntl(descriptor, Self.setOpenFileLock, &request) != 0 else { return true }
        let error = SystemError.last
        guard error.number == EAGAIN || error.number == EACCES else { throw error }
        return false
    }

    /// Locks a byte, waiting for whoever has it.
    ///
    /// - Returns: false when the time has passed.
    func lock(_ byte: Int64, waitingAtMost timeout: Duration) throws(SystemError) -> Bool {
        let deadline = ContinuousClock.now + timeout
        while try !lock(byte) {
            guard ContinuousClock.now < deadline else { return false }
            // There is no lock call that gives up after a while, and only those who open a database at the same moment come here.
            usleep(5_000)
        }
        return true
    }

    /// Lets go of a byte.
    func unlock(_ byte: Int64) {
        unlock(from: byte, length: 1)
    }

    /// Lets go of everything.
    func unlockAll() {
        unlock(from: 0, length: 0)
    }

    /// Whether somebody else holds a host's byte.
    func isHeld(_ byte: Int64) throws(SystemError) -> Bool {
        try isHeld(from: byte, length: 1)
    }

    /// Whether somebody else holds any host's byte.
    func isAnyHostHeld() throws(SystemError) -> Bool {
        try isHeld(from: Self.openingByte + 1, length: 0)
    }

    private func isHeld(from start: Int64, length: Int64) throws(SystemError) -> Bool {
        var request = flock(F_WRLCK, from: start, length: length)
        guard fcntl(descriptor, Self.getOpenFileLock, &request) == 0 else { throw .last }
        return request.l_type != F_UNLCK
    }

    private func unlock(from start: Int64, length: Int64) {
        var request = flock(F_UNLCK, from: start, length: length)
        let code = fcntl(descriptor, Self.setOpenFileLock, &request)
        precondition(code == 0, "letting go of a lock on an open file does not fail")
    }
}

extension flock {
    /// A lock on some bytes of a file.
    ///
    /// - Parameters:
    ///   - type: `F_WRLCK` or `F_UNLCK`.
    ///   - start: offset of the first byte.
    ///   - length: number of bytes; 0 means all that follow.
    fileprivate init(_ type: Int32, from start: Int64, length: Int64) {
        // `l_pid` must be 0 for open-file-description locks (fcntl(2)), which the empty initialiser sees to.
        self.init()
        l_type = Int16(type)
        l_whence = Int16(SEEK_SET)
        l_start = off_t(start)
        l_len = off_t(length)
    }
}
