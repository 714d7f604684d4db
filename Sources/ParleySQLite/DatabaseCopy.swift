import GRDB
import Glibc

/// How a database is copied while hosts use it.
///
/// All pages are copied in one step of SQLite's backup (https://www.sqlite.org/backup.html), which is one read transaction. With a log of
/// writes a reader keeps no writer waiting, so there is nothing to pause for; a backup of many steps would begin anew with each commit of
/// another process, and under a busy host never end. The log grows meanwhile by what hosts write.
struct DatabaseCopy {
    let source: DatabaseFile
    let target: DatabaseFile
    /// Whether a file that is at the target's path is replaced.
    let overwrites: Bool
    let busyTimeout: Duration

    /// Makes the copy. It gets its name when it is complete and on the disk, so that nobody ever sees half of one.
    ///
    /// - Returns: its bytes.
    func make() throws -> Int {
        guard target.path != source.path, !(source.companionPaths + [source.locksPath]).contains(target.path) else {
            throw StoreOpenFailure(.exists, "\(target.path) belongs to the database that is to be copied.")
        }
        // Twice: before the work, which may be long, and when the copy gets its name.
        try whileNobodyUsesTarget(requireRoom)
        var draft = Array("\(target.path)-XXXXXX".utf8CString)
        let descriptor = mkstemp(&draft)
        guard descriptor >= 0 else { throw SystemError.last }
        // Closed last: letting go of any descriptor of the file would undo SQLite's locks on it (fcntl(2)).
        defer { close(descriptor) }
        let path = draft.withUnsafeBufferPointer { String(decoding: $0.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self) }
        let paths = [path] + DatabaseFile(path: path).companionPaths
        defer { for path in paths { unlink(path) } }

        guard try fchmod(descriptor, source.permissions()) == 0 else { throw SystemError.last }
        try fill(path)
        guard fsync(descriptor) == 0 else { throw SystemError.last }
        try whileNobodyUsesTarget {
            try requireRoom()
            try name(path)
        }
        try target.syncFolder()
        return target.bytes
    }

    private func fill(_ path: String) throws {
        try target.inConnection(path: path, busyTimeout: busyTimeout, foreignKeys: false) { copy in
            try source.inConnection(busyTimeout: busyTimeout, readOnly: !source.isWritable) { original in
                try original.backup(to: copy)
            }
            // The original may wait for a moment of rest before deleted bytes leave it; a copy could lie about for years.
            if try Schema.version(of: copy) > 0, try Erasure.isPending(in: copy) {
                guard try Erasure.perform(in: copy) else { throw StoreOpenFailure(.locked, "\(path) is being read by another program.") }
            }
        }
        // Closing a database moves what is in its log into it, and says nothing when it cannot.
        guard DatabaseFile(path: path).logBytes == 0 else {
            throw StoreOpenFailure(.other, "The copy of \(source.path) at \(target.path) could not be completed.")
        }
    }

    /// Makes sure that there is nothing where the copy goes, or that it may be replaced. A log without its database counts as well: it
    /// would be taken for the copy's.
    private func requireRoom() throws {
        guard !overwrites else { return }
        for path in [target.path] + target.companionPaths {
            var status = stat()
            guard lstat(path, &status) != 0 else { throw StoreOpenFailure(.exists, "\(path) is there already.") }
        }
    }

    private func name(_ draft: String) throws {
        for companion in target.companionPaths where unlink(companion) != 0 && errno != ENOENT { throw SystemError.last }
        if !overwrites {
            // Unlike rename(2) it does not replace what has appeared since; where files cannot have two names it is not available.
            if link(draft, target.path) == 0 { return }
            switch errno {
            case EEXIST: throw StoreOpenFailure(.exists, "\(target.path) is there already.")
            case EPERM, EOPNOTSUPP: break
            default: throw SystemError.last
            }
        }
        guard rename(draft, target.path) == 0 else { throw SystemError.last }
    }

    /// Does something while no host has the target open and none can open it.
    private func whileNobodyUsesTarget(_ body: () throws -> Void) throws {
        // Where no host ever was, nothing is left behind for its sake.
        guard access(target.locksPath, F_OK) == 0 else { return try body() }
        let locks = try OwnerLocks(path: target.locksPath)
        guard try locks.lock(OwnerLocks.openingByte, waitingAtMost: busyTimeout), try !locks.isAnyHostHeld() else {
            throw StoreOpenFailure(.locked, "\(target.path) is in use by a host.")
        }
        defer { locks.unlock(OwnerLocks.openingByte) }
        try body()
    }
}

extension DatabaseFile {
    /// Who may read and write the file.
    fileprivate func permissions() throws(SystemError) -> mode_t {
        var status = stat()
        guard stat(path, &status) == 0 else { throw .last }
        return status.st_mode & 0o777
    }
}
