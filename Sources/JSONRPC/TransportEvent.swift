/// What is odd but not an error on the wire; for the log.
package enum TransportEvent: Sendable, Equatable {
    /// The handler let go of a `Reply` without answering; the transport answered `internalError` for it.
    case unanswered(RequestID)
    /// The handler answered a request again; the second answer was ignored.
    case answeredTwice(RequestID)
    /// A notification was dropped because its params are neither an object nor null; nobody can be answered.
    case notificationRefused(method: String)
    /// More than `maxOutboundBytes` wait, so no further line is handled until the peer has read some.
    case readingPaused
    /// The peer has read enough; lines are handled again.
    case readingResumed
    /// read(2) failed with this errno; the input counts as ended.
    case inputFailed(code: Int32)
    /// Writing failed with this errno; everything later is dropped.
    case outputFailed(code: Int32)
}
