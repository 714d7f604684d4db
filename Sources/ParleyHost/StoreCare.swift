import Logging
import ParleyCore

/// What a store needs while its host runs: deleted bytes are erased once nothing has happened for a while, so that a long-running host does
/// not keep them until it ends; once a day what has expired is discarded; searches are prepared; about once an hour conversations go that
/// are kept no longer.
final class StoreCare: Sendable {
    /// How often searches are prepared, in milliseconds: rarely, because much at a time costs less, and what they find does not depend on it; and how
    /// long others may write before a little more is done of what is a lot.
    private static let prepareMilliseconds: Int64 = 10_000
    private static let pauseMilliseconds: Int64 = 100

    /// How often conversations are looked for that are kept no longer, in milliseconds.
    private static let retentionMilliseconds: Int64 = 3_600_000

    /// How often what has expired is discarded, in milliseconds.
    private static let discardMilliseconds: Int64 = 86_400_000

    private let store: any Store
    private let ambient: any Ambient
    private let idleMilliseconds: Int64
    private let retention: RetentionPolicy
    private let logger: Logger
    private let forget: @Sendable () -> Void
    private let lastDeletion = Locked(Int64?.none)

    /// - Parameters:
    ///   - idleMilliseconds: how long nothing must have happened before something is erased.
    ///   - retention: how long conversations are kept.
    ///   - forget: forgets what memory holds of what was deleted; called when that is erased from the files.
    init(
        store: any Store, ambient: any Ambient, idleMilliseconds: Int64, retention: RetentionPolicy, logger: Logger,
        forget: @escaping @Sendable () -> Void
    ) {
        self.store = store
        self.ambient = ambient
        self.idleMilliseconds = idleMilliseconds
        self.retention = retention
        self.logger = logger
        self.forget = forget
    }

    /// Starts the time after which, if nothing happens, deleted bytes are erased from the files.
    func noteDeletion() {
        let now = ambient.monotonicMilliseconds()
        lastDeletion.withLock { $0 = now }
    }

    /// Cares until its task is cancelled.
    ///
    /// - Parameter isIdle: whether nothing happens at the moment.
    func run(isIdle: () -> Bool) async {
        // An earlier process may have been killed before it could erase.
        await noteWhatIsPending()
        var nextDiscard = ambient.monotonicMilliseconds()
        while !Task.isCancelled {
            do {
                try await ambient.sleep(milliseconds: idleMilliseconds)
            } catch {
                return
            }
            if ambient.monotonicMilliseconds() >= nextDiscard {
                nextDiscard = ambient.monotonicMilliseconds() + Self.discardMilliseconds
                await discardExpired()
                await noteWhatIsPending()
            }
            let due = ambient.monotonicMilliseconds() - idleMilliseconds
            guard let deletion = lastDeletion.withLock({ $0 }), deletion <= due, isIdle() else { continue }
            await erase(whatWasDeletedAt: deletion)
        }
    }

    /// Prepares searches, and deletes what is kept no longer, until its task is cancelled. Both are done a little at a time, so that whoever
    /// writes meanwhile is held up by no more than that.
    func keepUp() async {
        var nextRetention = ambient.monotonicMilliseconds()
        do {
            while !Task.isCancelled {
                if retention.isLimited, ambient.monotonicMilliseconds() >= nextRetention {
                    nextRetention = ambient.monotonicMilliseconds() + Self.retentionMilliseconds
                    try await deleteUnusedConversations()
                }
                while await prepareSearches() { try await ambient.sleep(milliseconds: Self.pauseMilliseconds) }
                try await ambient.sleep(milliseconds: Self.prepareMilliseconds)
            }
        } catch {
            // Its task was cancelled, because the host ends; all else is warned of where it fails.
            return
        }
    }

    private func noteWhatIsPending() async {
        do {
            if try await store.erasurePending() { noteDeletion() }
        } catch {
            warn("pending erasure not read", error)
        }
    }

    private func prepareSearches() async -> Bool {
        do {
            return try await store.prepareSearches()
        } catch {
            warn("searches were not prepared", error)
            return false
        }
    }

    private func deleteUnusedConversations() async throws(CancellationError) {
        var place: RetentionPlace?
        var count = 0
        repeat {
            do throws(Failure) {
                let (deleted, next) = try await store.deleteUnusedConversations(retention, from: place, at: ambient.now())
                count += deleted
                place = next
            } catch {
                // The next walk begins anew.
                warn("conversations that are kept no longer were not deleted", error)
                return
            }
            if place != nil { try await ambient.sleep(milliseconds: Self.pauseMilliseconds) }
        } while place != nil
        await noteWhatIsPending()
        if count > 0 { logger.notice("deleted conversations that are kept no longer", metadata: ["count": .stringConvertible(count)]) }
    }

    private func erase(whatWasDeletedAt deletion: Int64) async {
        forget()
        do {
            guard try await store.erase() else { return }
            lastDeletion.withLock { last in
                if last == deletion { last = nil }
            }
        } catch {
            warn("erasure failed", error)
        }
    }

    private func discardExpired() async {
        do {
            try await store.discardExpired(at: ambient.now())
        } catch {
            warn("what has expired was not discarded", error)
        }
    }

    private func warn(_ what: Logger.Message, _ failure: Failure) {
        logger.warning(what, metadata: ["cause": .string(failure.underlying ?? failure.message)])
    }
}
