import GRDB
import ParleyCore

/// A piece of work for a thread that has the database, together with whoever waits for its outcome.
struct DatabaseJob: Sendable {
    /// Does the work.
    ///
    /// - Returns: what hands the result to whoever waits; called once the work is safe.
    let run: @Sendable (Database) throws -> @Sendable () -> Void

    /// Tells whoever waits that it came to nothing.
    let fail: @Sendable (Failure) -> Void

    /// Whether the work must stand outside of any transaction, such as `VACUUM`.
    let isAlone: Bool
}
