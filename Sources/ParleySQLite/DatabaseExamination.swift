import Foundation
package import ParleyCore

/// What a database's files look like, from outside and inside, found while hosts go on using them and without changing anything: nothing
/// is migrated, recovered, moved out of the log or left beside the file.
package struct DatabaseExamination: Sendable {
    /// What is at the path.
    package enum State: Sendable {
        /// No database yet.
        case missing
        /// Something that no host can use, or not as it is now.
        case unusable(StoreOpenFailure)
        /// A database of this program, with the version of its tables.
        case usable(version: Int)
    }

    /// A process that serves the database.
    package struct Host: Hashable, Sendable {
        /// Its process id.
        package let process: Int
        /// When it opened the database.
        package let openedAt: Timestamp
    }

    /// Absolute and without symbolic links.
    package let path: String
    /// What is there.
    package internal(set) var state = State.missing
    /// The version of the tables that this program writes.
    package let currentVersion = Schema.currentVersion
    /// Whether the file, if there is one, may be written to.
    package internal(set) var isWritable = true
    /// Whether files can be made in its folder, or the folder itself.
    package internal(set) var folderIsWritable = false
    /// Whether others than its owner may read the file.
    package internal(set) var isOpenToOthers = false
    /// The name of a file system over the network, on which SQLite's locks and its log do not work; nil for any other.
    package internal(set) var networkFileSystem: String?
    /// Bytes that may still be written to that file system; nil when it does not say.
    package internal(set) var freeBytes: Int?
    /// Bytes of the database, without its log.
    package internal(set) var databaseBytes = 0
    /// Bytes of the log of writes.
    package internal(set) var logBytes = 0
    /// The processes that serve it.
    package internal(set) var hosts: [Host] = []
    /// How many hosts died without a farewell; the next one that starts clears up after them.
    package internal(set) var deadHosts = 0
    /// How many turns run or wait, those of dead hosts included.
    package internal(set) var openTurns = 0
    /// Since when bytes of something deleted wait to be erased; nil when none do.
    package internal(set) var erasurePendingSince: Timestamp?
    /// What SQLite finds damaged; empty when nothing is, or when the tables were not read.
    package internal(set) var damages: [String] = []
    /// Why the tables were not read although the database is usable; nil when they were.
    package internal(set) var unread: String?
    /// The process that kept everybody else from writing all the time that was waited; nil for none.
    package internal(set) var blocker: Int?

    /// Examines the files at a path.
    ///
    /// Not in a process that has the database open: SQLite's locks belong to the process, and looking at them from outside of SQLite lets go
    /// of them (fcntl(2)).
    ///
    /// - Parameters:
    ///   - path: as the user gave it.
    ///   - patience: how long a process that writes is waited for.
    package init(path: String, patience: Duration) {
        let file = DatabaseFile(path: path)
        self.path = file.path
        lookAtFiles(file)
        let version: Int
        do throws(StoreOpenFailure) {
            guard case .parley(let found) = try file.look() else { return }
            version = found
            state = .usable(version: version)
        } catch {
            state = .unusable(error)
            return
        }
        blocker = DatabaseLocks(file).processThatBlocks(waitingAtMost: patience)
        let before = file.signature
        do {
            try read(file)
        } catch {
            let failure = SQLiteFailure.openFailure(for: error, path: file.path)
            switch failure.reason {
            // The message says what to do about it, and a host could do no more.
            case .corrupt, .notADatabase: state = .unusable(failure)
            default: unread = failure.message
            }
        }
        if case .usable = state, damages.isEmpty { return }
        // Unless somebody began to write while nobody seemed to be there.
        if file.signature != before {
            (state, damages) = (.usable(version: version), [])
            unread = "\(file.path) was written to at the same moment."
        }
    }

    private mutating func lookAtFiles(_ file: DatabaseFile) {
        var status = stat()
        if stat(file.path, &status) == 0 {
            isWritable = file.isWritable
            isOpenToOthers = status.st_mode & 0o077 != 0
        }
        (databaseBytes, logBytes) = (file.bytes, file.logBytes)
        let folder = file.existingFolder
        folderIsWritable = access(folder, W_OK | X_OK) == 0
        var space = statvfs()
        if statvfs(folder, &space) == 0 { freeBytes = Int(space.f_bavail) * Int(space.f_frsize) }
        networkFileSystem = Self.fileSystem(of: folder).flatMap { Self.networkFileSystems.contains($0) ? $0 : nil }
    }

    private static let networkFileSystems: Set = ["nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "afs", "fuse.sshfs", "fuse.glusterfs"]

    /// The kind of file system on which a folder lies, as the kernel's list of mounts calls it (proc_pid_mountinfo(5)).
    private static func fileSystem(of folder: String) -> String? {
        var status = stat()
        // Where there is no such list, nothing is known.
        guard stat(folder, &status) == 0, let mounts = try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8) else {
            return nil
        }
        // As glibc's gnu_dev_major and gnu_dev_minor, which Swift cannot call.
        let major = status.st_dev >> 8 & 0xFFF | status.st_dev >> 32 & ~0xFFF
        let minor = status.st_dev & 0xFF | status.st_dev >> 12 & ~0xFF & 0xFFFF_FFFF
        let mount = mounts.split(separator: "\n").first { $0.split(separator: " ").dropFirst(2).first == "\(major):\(minor)" }
        return mount?.components(separatedBy: " - ").last?.split(separator: " ").first.map(String.init)
    }

    private mutating func read(_ file: DatabaseFile) throws {
        let locks = try OwnerLocks(lookingAt: file.locksPath)
        guard file.logBytes == 0 || file.hasLogIndex else {
            unread = "There is a log of writes beside \(file.path) without its index, which the next host makes."
            return
        }
        let connection = try LookingConnection(file, isLogInUse: DatabaseLocks(file).isLogInUse)
        damages = try connection.rows("PRAGMA quick_check(5)").flatMap { $0[0].split(separator: "\n").map(String.init) }
            .filter { $0 != "ok" && !$0.hasPrefix("***") }
        guard damages.isEmpty else { return }
        for row in try connection.rows("SELECT number, process_id, opened_at FROM hosts ORDER BY number") {
            guard let number = Int64(row[0]), let process = Int(row[1]), let openedAt = Int64(row[2]) else { continue }
            if try locks?.isHeld(number) ?? false {
                hosts.append(Host(process: process, openedAt: Timestamp(milliseconds: openedAt)))
            } else {
                deadHosts += 1
            }
        }
        openTurns =
            try connection.rows("SELECT count(*) FROM turns WHERE status IN ('queued', 'inProgress')").first.flatMap { Int($0[0]) } ?? 0
        let marks = "'\(Erasure.marks.due)', '\(Erasure.marks.deferred)'"
        let pending = try connection.rows("SELECT value FROM marks WHERE name IN (\(marks)) ORDER BY value LIMIT 1").first.flatMap {
            Int64($0[0])
        }
        erasurePendingSince = pending.map(Timestamp.init(milliseconds:))
    }
}
