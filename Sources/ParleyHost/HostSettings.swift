package import ParleyCore

/// How a host ends and cares for its files, all of it settings.
package struct HostSettings: Sendable {
    /// `shutdown.drainSeconds`: how long running turns may go on after the end of input.
    package var drainMilliseconds: Int64 = 600_000
    /// `shutdown.graceSeconds`: the same after SIGTERM or SIGINT.
    package var graceMilliseconds: Int64 = 5_000
    /// `erasure.idleSeconds`: how long nothing must have happened before deleted bytes are erased from the files.
    package var erasureIdleMilliseconds: Int64 = 60_000
    /// `retention.…`: how long conversations are kept.
    package var retention = RetentionPolicy()

    /// The defaults.
    package init() {}

    func milliseconds(for stage: Lifecycle.Stage) -> Int64 {
        switch stage {
        case .running, .draining: drainMilliseconds
        case .terminating: graceMilliseconds
        case .broken: 0
        }
    }
}
