import Logging

extension Turns {
    /// How often the monitor looks, in milliseconds: a cancel from another process is honoured within this time.
    private static let tickMilliseconds: Int64 = 200

    /// Watches over the running turns until its task is cancelled: ends those whose time is up or that another process wants cancelled, stores
    /// what they have said so far, and stores ends that the store could not take before. One task for all turns; it sleeps while none runs.
    ///
    /// Must be counted as an activity by whoever calls it.
    package func monitor() async {
        var lastCheckpoint = ambient.monotonicMilliseconds()
        while !Task.isCancelled {
            await sleepWhileIdle()
            do {
                try await ambient.sleep(milliseconds: min(Self.tickMilliseconds, settings.checkpointMilliseconds))
            } catch {
                return
            }
            let now = ambient.monotonicMilliseconds()
            let turns = running.all
            for turn in turns.filter({ $0.deadline <= now }).sorted() {
                turn.end(.deadline)
                await ambient.rest()
            }
            await honourForeignCancels(of: turns)
            if now - lastCheckpoint >= settings.checkpointMilliseconds {
                lastCheckpoint = now
                await checkpoint(turns)
            }
            await settleUnsettled()
            if running.isAnyWaiting { await advanceQueue() }
        }
    }

    private func sleepWhileIdle() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if running.keepMonitor(continuation) {
                    ambient.endActivity()
                    if Task.isCancelled { wake() }
                } else {
                    continuation.resume()
                }
            }
        } onCancel: {
            wake()
        }
    }

    private func wake() {
        guard let monitor = running.takeMonitor() else { return }
        ambient.beginActivity()
        monitor.resume()
    }

    private func honourForeignCancels(of turns: [RunningTurn]) async {
        guard !turns.isEmpty else { return }
        do {
            for id in try await store.turnsToCancel() { running[id]?.end(.cancelled) }
        } catch {
            logger.warning("cancels not read", metadata: ["cause": .string(error.underlying ?? error.message)])
        }
    }

    private func checkpoint(_ turns: [RunningTurn]) async {
        let checkpoints = turns.compactMap { $0.takeCheckpoint() }
        guard !checkpoints.isEmpty else { return }
        do {
            try await store.checkpoint(checkpoints)
        } catch {
            // The text is not lost: the next checkpoint, or the end of the turn, stores all of it.
            logger.warning("checkpoint not stored", metadata: ["cause": .string(error.underlying ?? error.message)])
        }
    }

    private func settleUnsettled() async {
        for outcome in running.takeUnsettled() {
            do {
                _ = try await store.finishTurn(outcome)
            } catch {
                if error.code != .notFound { running.keepUnsettled(outcome) }
            }
        }
    }
}
