package import ParleyCore

extension SQLiteStore {
    /// How much of what a person has is put into the index before a search of theirs, in bytes of text; what is missing beyond is read. Their other
    /// requests wait for it.
    private static let preparedBytes = 2 << 20

    /// What a search has come to.
    private enum Step: Sendable {
        case found(Page<FoundConversation>)
        /// More is missing in the index than should be read again and again; this is some of it.
        case missing(SearchBatch)
    }

    package func searchConversations(
        _ search: ConversationSearch, page: PageRequest, for caller: Caller, isSettled: @escaping @Sendable () -> Void
    ) async throws(Failure) -> Page<FoundConversation> {
        var left = Self.preparedBytes
        while true {
            let mayPrepare = left > 0
            let step: Step = try await searches.readWhileWanted { [surroundings] db, isWanted in
                let transaction = StoreTransaction(db: db, surroundings: surroundings)
                let person = try transaction.person(caller)
                if mayPrepare, let person {
                    let batch = try SearchIndex(db: db).missing(of: person)
                    // A little is read faster than it is written.
                    if batch.isMore { return .missing(batch.folded()) }
                }
                isSettled()
                return .found(try transaction.search(search, of: person, page: page, isWanted: isWanted))
            }
            switch step {
            case .found(let page): return page
            case .missing(let batch):
                left -= max(batch.bytes, SearchIndex.batchBytes)
                do throws(Failure) {
                    _ = try await put(batch)
                } catch {
                    // What cannot be written, because the disk is full for example, can be read all the same.
                    configuration.logger.notice(
                        "a search was not prepared", metadata: ["cause": .string(error.underlying ?? error.message)])
                    left = 0
                }
            }
        }
    }

    package func prepareSearches() async throws(Failure) -> Bool {
        let place = indexPlace.withLock { $0 }
        // Most of the time there is nothing to do, and looking holds up nobody who writes.
        let (batch, hasGraves) = try await searches.read { db in
            let index = SearchIndex(db: db)
            return (try index.missing(from: place).folded(), try index.hasGraves())
        }
        indexPlace.withLock { $0 = batch.next }
        guard !batch.conversations.isEmpty || hasGraves else { return false }
        let isFull = try await put(batch)
        return batch.isMore || isFull
    }

    /// Puts what was missing into the index, after all others who do the same: whoever else writes waits for one batch, not for one of each.
    ///
    /// - Returns: whether more of what is gone waits to be taken out.
    private func put(_ batch: SearchBatch) async throws(Failure) -> Bool {
        await indexTurns.enter()
        defer { indexTurns.leave() }
        return try await write { try SearchIndex(db: $0.db.database).put(batch) }
    }
}
