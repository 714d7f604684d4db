import Foundation
import GRDB
import GRDBSQLite

/// A database's file and those beside it, before and around SQLite's own handling of them.
struct DatabaseFile: Sendable {
    /// Absolute and without symbolic links, because processes that share a database must agree on the name of the file of locks.
    let path: String

    private var folder: String { (path as NSString).deletingLastPathComponent }
    /// The file of ``OwnerLocks``.
    var locksPath: String { path + "-hosts" }
    private var logPath: String { path + "-wal" }
    /// A database being made: it gets its name when it is complete, so that nobody ever sees half of one.
    private var draftPath: String { path + "-new" }

    /// - Parameter path: as the user gave it; a leading `~` is not special.
    init(path: String) {
        let absolute = URL(fileURLWithPath: path).standardizedFileURL.path
        if let resolved = Self.resolved(absolute) {
            self.path = resolved
        } else {
            let folder = (absolute as NSString).deletingLastPathComponent
            self.path = ((Self.resolved(folder) ?? folder) as NSString).appendingPathComponent((absolute as NSString).lastPathComponent)
        }
    }

    private static func resolved(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// The index of the log, which processes share.
    var logIndexPath: String { path + "-shm" }

    /// What SQLite keeps beside the file and takes for its own at the next opening.
    var companionPaths: [String] { [logPath, logIndexPath, path + "-journal"] }

    /// Whether there is an index of the log.
    var hasLogIndex: Bool { Self.size(of: logIndexPath) != nil }

    /// Differs when the file was written to in between.
    var signature: [Int] {
        var status = stat()
        guard stat(path, &status) == 0 else { return [] }
        return [Int(status.st_ino), Int(status.st_size), status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
    }

    /// A path as it stands in a URI (https://www.sqlite.org/uri.html).
    static func escaped(_ path: String) -> String { path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? path }

    /// The file's folder, or the nearest one above that exists.
    var existingFolder: String {
        var folder = folder
        while Self.size(of: folder) == nil, folder != "/" { folder = (folder as NSString).deletingLastPathComponent }
        return folder
    }

    /// Bytes of the log of writes, 0 when there is none.
    var logBytes: Int { Self.size(of: logPath) ?? 0 }

    /// Bytes of the database, 0 when there is none.
    var bytes: Int { Self.size(of: path) ?? 0 }

    private static func size(of path: String) -> Int? {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : nil
    }

    // MARK: Looking

    /// What a file holds.
    enum Content: Equatable {
        /// Nothing: no file, an empty one, or a database without tables.
        case nothing
        /// A database of this program.
        case parley(version: Int)
    }

    /// Looks into the file without changing anything: not the file, not its journal mode, and nothing appears beside it.
    ///
    /// - Throws: ``StoreOpenFailure`` for what must not be touched: another program's database, or that of a newer version.
    func look() throws(StoreOpenFailure) -> Content {
        var status = stat()
        guard stat(path, &status) == 0, status.st_size > 0 else { return .nothing }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw StoreOpenFailure(.notADatabase, "\(path) is not a file.")
        }
        let header = try Header(path: path, hasLog: logBytes > 0)
        switch header.applicationID {
        case Schema.applicationID where header.version > Schema.currentVersion:
            let versions = "its tables are version \(header.version), this program knows \(Schema.currentVersion)"
            throw StoreOpenFailure(.newer, "\(path) was written by a newer version of Parley (\(versions)).")
        case Schema.applicationID:
            return .parley(version: header.version)
        // A log could hold tables that the file does not show yet.
        case 0 where header.tables == 0 && logBytes == 0:
            return .nothing
        default:
            throw StoreOpenFailure(.foreign, "\(path) is the database of another program.")
        }
    }

    /// Makes sure that there is a database of this program.
    ///
    /// - Returns: the version of its tables.
    func requireDatabase() throws(StoreOpenFailure) -> Int {
        guard case .parley(let version) = try look() else {
            throw StoreOpenFailure(.missing, "There is no database at \(path).")
        }
        return version
    }

    /// Whether the file may be written to. Without a single permission to write it is meant to stay as it is, even if the system would let
    /// this user.
    var isWritable: Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & 0o222 != 0 && access(path, W_OK) == 0
    }

    // MARK: Opening

    /// Takes the lock under which a database is opened, migrated or compacted, after making sure that what is there may be touched.
    ///
    /// - Parameter timeout: how long to wait for another process that does the same.
    func lock(waitingAtMost timeout: Duration) throws(StoreOpenFailure) -> OwnerLocks {
        // Before anything is left beside another program's file, unless a host was here already: then whoever makes the database
        // may just be at it, and only under the lock does a second look tell the truth.
        if Self.size(of: locksPath) == nil { _ = try look() }
        try makeFolder()
        try requireWritable()
        let locks: OwnerLocks
        let isLocked: Bool
        do {
            locks = try OwnerLocks(path: locksPath)
            isLocked = try locks.lock(OwnerLocks.openingByte, waitingAtMost: timeout)
        } catch {
            throw StoreOpenFailure(.cannotCreate, "\(locksPath) cannot be used: \(error).")
        }
        guard isLocked else {
            throw StoreOpenFailure(.locked, "\(path) is being opened or compacted by another process.")
        }
        return locks
    }

    /// Makes the database, or brings it up to the current version. The caller holds the lock.
    ///
    /// - Returns: the versions before and after; before is 0 for a new database.
    func migrate(_ locks: OwnerLocks, busyTimeout: Duration) throws -> (from: Int, to: Int) {
        switch try look() {
        case .nothing:
            try make(busyTimeout: busyTimeout)
            return (0, Schema.currentVersion)
        case .parley(Schema.currentVersion):
            return (Schema.currentVersion, Schema.currentVersion)
        case .parley(let version):
            try requireNoHost(locks)
            try inConnection(busyTimeout: busyTimeout, foreignKeys: false) { db in
                try Schema.migrate(db)
                // The version must stand in the file itself, where whoever looks will look.
                try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
            }
            return (version, Schema.currentVersion)
        }
    }

    /// Makes sure that no host has the database open.
    func requireNoHost(_ locks: OwnerLocks) throws {
        guard try locks.isAnyHostHeld() else { return }
        let processes = try inConnection(busyTimeout: .zero) { db in
            try db.all("SELECT number, process_id FROM hosts") { row in (host: row[0] as Int64, process: row[1] as Int) }
        }
        let living = try processes.filter { try locks.isHeld($0.host) }.map { "\($0.process)" }
        throw StoreOpenFailure(
            .locked, "\(path) is in use by process \(living.joined(separator: ", ")), which must end before this can be done.")
    }

    /// Does something in a connection of its own that is closed afterwards.
    func inConnection<Value>(
        path: String? = nil, busyTimeout: Duration, foreignKeys: Bool = true, readOnly: Bool = false, _ body: (Database) throws -> Value
    ) throws -> Value {
        var configuration = Configuration.parley(busyTimeout: busyTimeout)
        configuration.foreignKeysEnabled = foreignKeys
        configuration.readonly = readOnly
        let queue = try DatabaseQueue(path: path ?? self.path, configuration: configuration)
        let outcome = Result { try queue.writeWithoutTransaction(body) }
        try queue.close()
        return try outcome.get()
    }

    private func make(busyTimeout: Duration) throws {
        for leftover in [draftPath, draftPath + "-journal"] where unlink(leftover) != 0 && errno != ENOENT {
            throw StoreOpenFailure(.cannotCreate, "\(leftover) is in the way and cannot be removed: \(SystemError.last).")
        }
        let descriptor = open(draftPath, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StoreOpenFailure(.cannotCreate, "\(path) cannot be made: \(SystemError.last).")
        }
        Glibc.close(descriptor)
        try inConnection(path: draftPath, busyTimeout: busyTimeout, foreignKeys: false) { try Schema.migrate($0) }
        guard rename(draftPath, path) == 0 else {
            throw StoreOpenFailure(.cannotCreate, "\(path) cannot be made: \(SystemError.last).")
        }
        try syncFolder()
    }

    /// Makes the file's name survive a loss of power, as its content does.
    func syncFolder() throws {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError.last }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw SystemError.last }
    }

    private func makeFolder() throws(StoreOpenFailure) {
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw StoreOpenFailure(.cannotCreate, "The folder \(folder) cannot be made.")
        }
    }

    private func requireWritable() throws(StoreOpenFailure) {
        guard Self.size(of: path) == nil || isWritable else {
            throw StoreOpenFailure(.readOnly, "\(path) is read-only.")
        }
        guard access(folder, W_OK | X_OK) == 0 else {
            throw StoreOpenFailure(.readOnly, "The folder \(folder) is read-only, and the database needs files beside it.")
        }
    }
}

extension Configuration {
    /// What every connection of ours has in common.
    static func parley(busyTimeout: Duration) -> Configuration {
        var configuration = Configuration()
        // SQLite's own way to wait asks ever more rarely, up to every 100 ms, and then finds the lock taken again by a host that commits
        // all the time. Asking every millisecond, which costs next to nothing, finds the gap.
        let tries = Int(busyTimeout / .milliseconds(1))
        configuration.busyMode = .callback { triesSoFar in
            usleep(1_000)
            return triesSoFar < tries
        }
        configuration.label = "parley"
        configuration.maximumReaderCount = ReadLoop.maximumConnections
        // GRDB would end the process if a transaction could not be rolled back; the commit loop tries again with the next one.
        configuration.allowsUnsafeTransactions = true
        configuration.prepareDatabase { db in
            if !db.configuration.readonly {
                // As often as `LogCare` does it. Eight MiB of pages (SQLite's default is two) hold what the turns of some hundred long
                // conversations touch, which lies far apart.
                try db.execute(sql: "PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -8192")
            }
        }
        return configuration
    }
}

/// What tells one program's database from another's, read without touching it.
///
/// SQLite reads the file as one that nobody can change (`immutable`): it takes no locks, sets up no log and recovers nothing. Reading the
/// bytes without SQLite would be simpler, but closing the file would let go of all locks that this process holds on it (fcntl(2)).
private struct Header {
    let applicationID: Int32
    let version: Int
    let tables: Int

    /// - Parameter hasLog: whether there is a log of writes beside the file.
    init(path: String, hasLog: Bool) throws(StoreOpenFailure) {
        var connection: OpaquePointer?
        var statement: OpaquePointer?
        defer {
            sqlite3_finalize(statement)
            sqlite3_close(connection)
        }
        var code = sqlite3_open_v2(
            "file:\(DatabaseFile.escaped(path))?immutable=1", &connection, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, nil
        )
        if code == SQLITE_OK {
            code = sqlite3_prepare_v2(
                connection,
                """
                SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),
                    (SELECT count(*) FROM sqlite_schema)
                """, -1, &statement, nil)
        }
        if code == SQLITE_OK { code = sqlite3_step(statement) }
        if code == SQLITE_ROW {
            applicationID = sqlite3_column_int(statement, 0)
            version = Int(sqlite3_column_int(statement, 1))
            tables = Int(sqlite3_column_int(statement, 2))
        } else if code == SQLITE_CORRUPT, hasLog, let words = Self.words(connection), words[17] == Schema.applicationID {
            // Somebody died, or the disk was full, while pages were moved from the log into the file. Without the log the file is no
            // database then, but with it nothing is lost.
            (applicationID, version, tables) = (words[17], Int(words[15]), 0)
        } else {
            throw SQLiteFailure.openFailure(for: DatabaseError(resultCode: ResultCode(rawValue: code)), path: path)
        }
    }

    /// The file's first 100 bytes as numbers (https://www.sqlite.org/fileformat2.html#the_database_header), nil when they cannot be read.
    private static func words(_ connection: OpaquePointer?) -> [Int32]? {
        var file: UnsafeMutablePointer<sqlite3_file>?
        var bytes = [UInt8](repeating: 0, count: 100)
        guard sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK,
            file?.pointee.pMethods?.pointee.xRead?(file, &bytes, Int32(bytes.count), 0) == SQLITE_OK
        else { return nil }
        return stride(from: 0, to: bytes.count, by: 4).map { start in bytes[start..<start + 4].reduce(0) { $0 << 8 | Int32($1) } }
    }
}
