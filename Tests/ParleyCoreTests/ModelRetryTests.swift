import JSON
import Testing

@testable import ParleyCore

/// When a model that gave no answer is asked again.
@Suite struct ModelRetryTests {
    private static func failure(_ code: Failure.Code, retryAfter: Int64? = nil, isRetryable: Bool? = nil) -> Failure {
        Failure(code, "", details: retryAfter.map { [.init("retryAfterMs", .integer($0))] } ?? [], isRetryable: isRetryable)
    }

    /// What is tried, with the delay that is expected, of a policy with as many attempts as wanted.
    struct Case: Sendable {
        let failure: Failure
        var attempt = 1
        var chance = 0.0
        var remaining: Int64 = 600_000
        let delay: Int64?
    }

    @Test(arguments: [
        Case(failure: failure(.modelUnavailable), delay: 500), Case(failure: failure(.modelRateLimited), attempt: 2, delay: 1_000),
        Case(failure: failure(.modelTimeout), attempt: 3, delay: 2_000),
        Case(failure: failure(.modelUnavailable), attempt: 5, delay: 8_000),
        Case(failure: failure(.modelUnavailable), attempt: 9, delay: 8_000),
        Case(failure: failure(.modelUnavailable), chance: 0.5, delay: 438),
        Case(failure: failure(.modelUnavailable), attempt: 6, chance: 1, delay: 6_000),
        // The last attempt is the last.
        Case(failure: failure(.modelUnavailable), attempt: 10, delay: nil),
        // A server that says when is believed, up to a bound.
        Case(failure: failure(.modelRateLimited, retryAfter: 0), delay: 0),
        Case(failure: failure(.modelRateLimited, retryAfter: 60_000), chance: 1, delay: 60_000),
        Case(failure: failure(.modelRateLimited, retryAfter: 60_001), delay: nil),
        Case(failure: failure(.modelRateLimited, retryAfter: -1), delay: nil),
        // Not beyond the end of the turn.
        Case(failure: failure(.modelUnavailable), remaining: 501, delay: 500),
        Case(failure: failure(.modelUnavailable), remaining: 500, delay: nil),
        // What time does not mend, and what providers say of it.
        Case(failure: failure(.modelBilling), delay: nil), Case(failure: failure(.modelAuth), delay: nil),
        Case(failure: failure(.modelRejected), delay: nil), Case(failure: failure(.contextWindowExceeded), delay: nil),
        Case(failure: failure(.cancelled), delay: nil), Case(failure: failure(.modelBilling, isRetryable: true), delay: nil),
        Case(failure: failure(.modelRejected, isRetryable: true), delay: 500),
        Case(failure: failure(.modelUnavailable, isRetryable: false), delay: nil),
    ])
    func isAskedAgainWhenTimeMayHelp(_ wanted: Case) {
        var policy = ModelRetry()
        policy.maxAttempts = 10
        let delay = policy.delay(after: wanted.failure, attempt: wanted.attempt, chance: wanted.chance, remaining: wanted.remaining)
        #expect(delay == wanted.delay)
    }

    @Test func chanceIsBelowOne() {
        let ambient = DeterministicAmbient()
        let drawn = (0..<1_000).map { _ in ambient.chance() }
        #expect(drawn.allSatisfy { (0..<1).contains($0) } && Set(drawn).count > 990)
        #expect((400...600).contains(drawn.count { $0 < 0.5 }))
    }
}
