/// What a turn has cost its person, shown with the finished turn.
package struct QuotaReceipt: Hashable, Sendable {
    /// Whether it counts against the person's own limits.
    package var counted: Bool
    /// Why it does or does not.
    package var reason: Settlement.Reason
    /// Says that a limit comes near.
    package var warning: QuotaWarning?
    /// How the limits that it counts against stand, this turn included.
    package var limits: [QuotaReading]

    /// Makes one of its fields; see them for what the parameters mean.
    package init(counted: Bool, reason: Settlement.Reason, warning: QuotaWarning?, limits: [QuotaReading]) {
        self.counted = counted
        self.reason = reason
        self.warning = warning
        self.limits = limits
    }
}

/// What becomes of what a turn holds, once it has ended: charged or released, for its person and for the system apart.
package struct Settlement: Hashable, Sendable {
    /// Why a turn is counted or not.
    package enum Reason: String, Sendable {
        /// Counted: it came to its end.
        case completed
        /// Counted: it was cancelled after something had been said.
        case cancelled
        /// Not counted: the model was never called.
        case modelNotCalled
        /// Not counted: it ended before anything was said.
        case nothingSaid
        /// Not counted: the model failed, or took too long, in the middle.
        case failed
        /// Not counted: the process ended in the middle.
        case interrupted
        /// Not counted: a command, which needs no model.
        case local
    }

    /// Why.
    package var reason: Reason

    /// Whether the person pays.
    package var chargesPerson: Bool { reason == .completed || reason == .cancelled }

    /// Whether the turn counts for the system: as soon as the model was called, because that has cost something.
    package var chargesSystem: Bool { reason != .modelNotCalled && reason != .local }

    /// What became of a turn.
    package init(_ reason: Reason) {
        self.reason = reason
    }

    /// What follows from how a turn ended.
    ///
    /// - Parameters:
    ///   - status: how it ended.
    ///   - calledModel: whether a model was asked.
    ///   - saidSomething: whether there was any text, or a tool was executed.
    package init(status: Turn.Status, calledModel: Bool, saidSomething: Bool) {
        switch status {
        case .completed: reason = .completed
        case _ where !calledModel: reason = .modelNotCalled
        case .interrupted: reason = .interrupted
        case _ where !saidSomething: reason = .nothingSaid
        case .cancelled: reason = .cancelled
        default: reason = .failed
        }
    }
}
