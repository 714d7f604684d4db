/// What the core takes from its surroundings: time, sleep, ids and chance. Injected, so that a host can be deterministic.
package protocol Ambient: Sendable {
    /// The wall clock.
    func now() -> Timestamp

    /// Milliseconds of a clock that never steps; only differences mean something.
    func monotonicMilliseconds() -> Int64

    /// Returns after that many milliseconds of the monotonic clock.
    ///
    /// - Throws: `CancellationError` at once when the task is cancelled.
    func sleep(milliseconds: Int64) async throws(CancellationError)

    /// A new id: a UUIDv7 (RFC 9562, section 5.7), or counted per kind in a deterministic host.
    func newID(_ kind: IDKind) -> String

    /// Bytes fit for a secret (seeded in a deterministic host).
    func randomBytes(_ count: Int) -> [UInt8]

    /// Says that something began that will go on without input or time. A deterministic host reads its next line when all of it has ended.
    func beginActivity()

    /// Says that it ended, or that it now waits for input. `sleep` says both by itself.
    func endActivity()

    /// Lets everything else run until nothing more can without input or time; returns at once in a host that is not deterministic.
    ///
    /// For an activity that sets off several things, whose order would otherwise be left to chance, and for things that were set off at once.
    ///
    /// - Parameter place: of those that have one, the smallest goes on first; before them those that have none, the last of them first.
    func rest(place: Int?) async
}

extension Ambient {
    /// Lets everything else run, those that have a place excepted.
    package func rest() async { await rest(place: nil) }
}

/// What an id is for; a deterministic host counts each kind apart.
package enum IDKind: String, CaseIterable, Sendable {
    case anonymousUser, conversation, bot, turn, message, toolCall
}
