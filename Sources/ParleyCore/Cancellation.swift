/// A way to cancel work that may not have begun yet: whoever starts the work says how, whoever wants its end asks, in either order.
package final class Cancellation: Sendable {
    private enum State {
        case idle
        case armed(@Sendable () -> Void)
        case requested
    }

    private let state = Locked(State.idle)

    /// Nothing to cancel yet.
    package init() {}

    /// Whether somebody has asked.
    package var isRequested: Bool {
        state.withLock { if case .requested = $0 { true } else { false } }
    }

    /// Says how the work is cancelled; does so at once if somebody has asked already.
    package func arm(_ cancel: @escaping @Sendable () -> Void) {
        let now = state.withLock { state in
            if case .requested = state { return true }
            state = .armed(cancel)
            return false
        }
        if now { cancel() }
    }

    /// Asks for the end; a second time does nothing.
    package func request() {
        let cancel: (@Sendable () -> Void)? = state.withLock { state in
            defer { state = .requested }
            return if case .armed(let cancel) = state { cancel } else { nil }
        }
        cancel?()
    }
}
