package import Logging
package import ParleyCore

/// How a database is opened.
package struct SQLiteStoreConfiguration: Sendable {
    /// Where the database is.
    package enum Location: Sendable {
        /// A file, which is made if there is none; so is the folder it lies in.
        case file(path: String)
        /// Nowhere: it is gone when the store is.
        case memory
    }

    /// What survives when the machine loses power; the death of the process alone never costs anything that was answered.
    package enum Durability: Sendable {
        /// Everything that was answered: each commit waits for the disk (`PRAGMA synchronous = FULL`).
        case full
        /// Everything but perhaps the last moments (`PRAGMA synchronous = NORMAL`); the database is never damaged.
        case normal
    }

    /// Where the database is.
    package var location: Location
    /// What survives when the machine loses power.
    package var durability: Durability
    /// How long to wait for another process that writes.
    package var busyTimeout: Duration
    /// The bound of a page of messages, in bytes of their stored content.
    package var maximumPageBytes: Int
    /// The limits in force.
    package var quotas: QuotaPolicy
    /// Gets what the store recovers from, and refusals whose reason clients must not see.
    package var logger: Logger
    /// The wall clock, for what happens without a request: opening and the recovery that goes with it.
    package var now: @Sendable () -> Timestamp
    /// Milliseconds of a clock that never steps and goes on while the machine sleeps: by it windows go on sliding while the wall clock is behind, and
    /// conversations get old.
    package var monotonic: @Sendable () -> Int64
    /// Tells the starts of the machine apart, from which that clock counts; 0 when they cannot be told apart.
    package var boot: Int64

    /// Says how a database is to be opened.
    ///
    /// - Parameters:
    ///   - location: where the database is.
    ///   - durability: what survives when the machine loses power.
    ///   - busyTimeout: how long to wait for another process that writes.
    ///   - maximumPageBytes: the bound of a page of messages, in bytes of their stored content.
    ///   - quotas: the limits in force.
    ///   - logger: gets what the store recovers from, and refusals whose reason clients must not see.
    ///   - now: the wall clock.
    ///   - monotonic: milliseconds of a clock that never steps and goes on while the machine sleeps.
    ///   - boot: tells the starts of the machine apart, from which that clock counts.
    package init(
        location: Location, durability: Durability = .normal, busyTimeout: Duration = .seconds(5), maximumPageBytes: Int = 1 << 20,
        quotas: QuotaPolicy = .standard, logger: Logger, now: @escaping @Sendable () -> Timestamp,
        monotonic: @escaping @Sendable () -> Int64, boot: Int64
    ) {
        self.location = location
        self.durability = durability
        self.busyTimeout = busyTimeout
        self.maximumPageBytes = maximumPageBytes
        self.quotas = quotas
        self.logger = logger
        self.now = now
        self.monotonic = monotonic
        self.boot = boot
    }
}
