import Glibc

/// The signals that a client takes.
enum EndSignals {
    /// Those that end it, each with the exit code 128 and its number, as shells have it.
    static let all: Set = [SIGINT, SIGTERM, SIGHUP]
    /// Those and what says that the terminal has another size, or is this client's again.
    static let taken = [SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGCONT]
}
