import Logging
import ParleyCore

/// What a store needs while its host runs: deleted bytes are erased once nothing has happened for a while, so that a long-running host does
/// not keep them until it ends; once a day what has expired is discarded.
final class StoreCare: Sendable {
    /// How often what has expired is discarded, in milliseconds.
    private static let discardMilliseconds: Int64 = 86_400_000

    private let store: any Store
    private let ambient: any Ambient
    private let idleMilliseconds: Int64
    private let logger: Logger
    private let lastDeletion = Locked(Int64?.none)

    /// - Parameter idleMilliseconds: how long nothing must have happened before something is erased.
    init(store: any Store, ambient: any Ambient, idleMilliseconds: Int64, logger: Logger) {
        self.store = store
        self.ambient = ambient
        self.idleMilliseconds = idleMilliseconds
        self.logger = logger
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
        do {
            // An earlier process may have been killed before it could erase.
            if try await store.erasurePending() { noteDeletion() }
        } catch {
            warn("pending erasure not read", error)
        }
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
            }
            let due = ambient.monotonicMilliseconds() - idleMilliseconds
            guard let deletion = lastDeletion.withLock({ $0 }), deletion <= due, isIdle() else { continue }
            await erase(whatWasDeletedAt: deletion)
        }
    }

    private func erase(whatWasDeletedAt deletion: Int64) async {
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
