import GRDB

/// What `parley db` does to a database.
extension SQLiteStore {
    /// Brings a database's tables up to the version of this program.
    ///
    /// - Returns: the versions before and after.
    /// - Throws: ``StoreOpenFailure``, among others when there is no database, or when hosts use one that must be changed.
    package static func migrate(path: String, busyTimeout: Duration = .seconds(5)) throws(StoreOpenFailure) -> (from: Int, to: Int) {
        let file = DatabaseFile(path: path)
        _ = try file.requireDatabase()
        let locks = try file.lock(waitingAtMost: busyTimeout)
        do {
            return try file.migrate(locks, busyTimeout: busyTimeout)
        } catch {
            throw SQLiteFailure.openFailure(for: error, path: file.path)
        }
    }

    /// Rewrites a database without the room that deleted things took, and erases their bytes. The index of searches is made anew.
    ///
    /// - Returns: the bytes of the file and its log before and after.
    /// - Throws: ``StoreOpenFailure``, among others when there is no database, or when somebody uses it.
    package static func compact(path: String, busyTimeout: Duration = .seconds(5)) throws(StoreOpenFailure) -> (before: Int, after: Int) {
        let file = DatabaseFile(path: path)
        _ = try file.requireDatabase()
        let locks = try file.lock(waitingAtMost: busyTimeout)
        let before = file.bytes + file.logBytes
        do {
            try file.requireNoHost(locks)
            guard try file.inConnection(busyTimeout: busyTimeout, { try Erasure.perform(in: $0, makesIndexAnew: true) }) else {
                throw StoreOpenFailure(.locked, "\(file.path) is being read by another program.")
            }
        } catch {
            throw SQLiteFailure.openFailure(for: error, path: file.path)
        }
        return (before, file.bytes + file.logBytes)
    }

    /// Copies a database as it is at one moment; hosts may go on using it, and wait for nothing.
    ///
    /// - Parameters:
    ///   - target: the copy's file, in a folder that exists.
    ///   - overwrites: whether a file that is there is replaced.
    /// - Returns: the bytes of the copy.
    /// - Throws: ``StoreOpenFailure``, among others when there is no database, or when `target` is in use or is there and must not be
    ///   replaced.
    package static func backUp(
        path: String, to target: String, overwrites: Bool = false, busyTimeout: Duration = .seconds(5)
    ) throws(StoreOpenFailure) -> Int {
        let source = DatabaseFile(path: path)
        _ = try source.requireDatabase()
        let copy = DatabaseCopy(source: source, target: DatabaseFile(path: target), overwrites: overwrites, busyTimeout: busyTimeout)
        do {
            return try copy.make()
        } catch {
            throw SQLiteFailure.copyFailure(for: error, path: source.path, target: copy.target.path)
        }
    }

    /// Verifies a database: its structure, its references and what else must hold. Nothing is changed, and hosts may go on using it.
    ///
    /// - Returns: one sentence for each problem; none when all is well.
    package static func check(path: String, busyTimeout: Duration = .seconds(5)) -> [String] {
        let file = DatabaseFile(path: path)
        do {
            let version = try file.requireDatabase()
            guard version == Schema.currentVersion else {
                return ["The tables are version \(version) and must be migrated to version \(Schema.currentVersion) first."]
            }
            return try file.inConnection(busyTimeout: busyTimeout, readOnly: !file.isWritable) { db in
                try DatabaseCheck.prepareSearchCheck(in: db)
                // Nothing but looking, whatever the checks below may ever do.
                try db.execute(sql: "PRAGMA query_only = ON")
                return try DatabaseCheck.problems(in: db)
            }
        } catch {
            return [SQLiteFailure.openFailure(for: error, path: file.path).message]
        }
    }
}
