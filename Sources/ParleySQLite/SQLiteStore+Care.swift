import GRDB
package import ParleyCore

/// What a store says about itself.
package struct SQLiteStoreStatus: Hashable, Sendable {
    /// The database's file, nil in memory.
    package let path: String?
    /// Bytes of the database.
    package let databaseBytes: Int
    /// Bytes of the log of writes beside it.
    package let logBytes: Int
    /// The version of the tables.
    package let schemaVersion: Int
    /// Whether something deleted is still to be erased from the files.
    package let erasurePending: Bool
}

extension SQLiteStore {
    package func erasurePending() async throws(Failure) -> Bool {
        try await read { try Erasure.isPending(in: $0.db) }
    }

    package func erase() async throws(Failure) -> Bool {
        try await writeAlone { transaction in
            guard try Erasure.isDue(in: transaction.db) else { return true }
            return try transaction.surroundings.whileAlone { try Erasure.perform(in: transaction.db.database) } ?? false
        }
    }

    package func deleteUnusedConversations(
        _ policy: RetentionPolicy, from place: RetentionPlace?, at now: Timestamp
    ) async throws(Failure) -> (deleted: Int, next: RetentionPlace?) {
        let begun = if let place { Optional(place) } else { try await beginRetentionWalk(at: now) }
        guard let place = begun else { return (0, nil) }
        var (found, next) = try await read { try $0.unusedConversations(policy, from: place) }
        var deleted = 0
        if let last = found.last {
            deleted = try await write { [found] in try $0.delete(found, keepsPinned: policy.keepsPinned, at: now) }
            // What was found and is in use again must not be found for ever.
            if deleted == 0 { next = RetentionPlace(time: place.time, person: last.owner) }
        }
        if next == nil { try await write { try $0.endRetentionWalk() } }
        return (deleted, next)
    }

    private func beginRetentionWalk(at now: Timestamp) async throws(Failure) -> RetentionPlace? {
        try await write { try $0.beginRetentionWalk(at: now) }.map { RetentionPlace(time: $0, person: 0) }
    }

    package func discardExpired(at now: Timestamp) async throws(Failure) {
        try await write { transaction in
            try transaction.discardExpired(at: now)
            try Erasure.takeTurn(in: transaction.db, at: now)
        }
    }

    /// What the store says about itself.
    ///
    /// - Throws: `storeUnavailable`, `internalError`.
    package func status() async throws(Failure) -> SQLiteStoreStatus {
        let file = file
        return try await read { transaction in
            let pages = try transaction.db.first("PRAGMA page_count", read: { $0[0] as Int }) ?? 0
            let pageSize = try transaction.db.first("PRAGMA page_size", read: { $0[0] as Int }) ?? 0
            return SQLiteStoreStatus(
                path: file?.path, databaseBytes: pages * pageSize, logBytes: file?.logBytes ?? 0,
                schemaVersion: try Schema.version(of: transaction.db.database), erasurePending: try Erasure.isPending(in: transaction.db))
        }
    }

    /// Finishes what was begun, erases what is due if this is the only host, and lets go of the files. Turns that still run are
    /// interrupted, because nobody will end them.
    ///
    /// - Throws: `storeUnavailable`, `storeFull`, `internalError`; the files are let go of all the same.
    package func close() async throws(Failure) {
        await stopReading()
        let outcome = await lastWrites()
        await stopWriting()
        defer { surroundings.locks?.unlockAll() }
        do {
            // Readers first: whoever closes last moves the log into the database and removes it, and a reader may not.
            (writer as? DatabasePool)?.invalidateReadOnlyConnections()
            try writer.close()
        } catch {
            throw SQLiteFailure.failure(for: error)
        }
        try outcome.get()
    }

    private func lastWrites() async -> Result<Void, Failure> {
        let now = configuration.now()
        do throws(Failure) {
            try await write { transaction in
                _ = try transaction.interruptTurns(ofHost: transaction.surroundings.host, at: now)
                try transaction.db.run("DELETE FROM hosts WHERE number = ?", transaction.surroundings.host)
                // Processes that are always short would otherwise never do it.
                try transaction.discardExpiredOnceADay(at: now)
                try Erasure.takeTurn(in: transaction.db, at: now)
            }
            _ = try await erase()
            return .success(())
        } catch {
            return .failure(error)
        }
    }
}
