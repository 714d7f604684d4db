/// What happens to a message whose turn cannot begin at once, because another one runs or waits in its conversation.
package enum BusyPolicy: String, CaseIterable, Sendable {
    /// It is refused.
    case reject
    /// Its turn waits behind those that wait already. It also waits while its person has as many turns in flight as the limits allow.
    case enqueue
    /// The turn that runs is cancelled and keeps its partial text; then this one runs, before all that were enqueued.
    case interrupt
}
