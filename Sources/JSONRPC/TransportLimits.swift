/// What bounds the memory of one connection, whatever its peer does.
package struct TransportLimits: Sendable {
    /// The longest line that is handled, in bytes without its terminator; a longer one is answered with `inputTooLarge`.
    package var maxLineBytes: Int
    /// The bytes of whole frames that may wait to be written before the reader thread pauses.
    package var maxOutboundBytes: Int
    /// The bytes of whole frames that may wait to be written before `Connection.isCongested` holds.
    package var congestionBytes: Int
    /// The most members of one batch; a longer batch is refused as a whole, so that a line of tiny members cannot ask for a huge answer.
    package var maxBatchMembers: Int

    /// Makes limits; the defaults are those of the protocol, all in bytes but for the number of members.
    package init(
        maxLineBytes: Int = 8 * 1024 * 1024,
        maxOutboundBytes: Int = 64 * 1024 * 1024,
        congestionBytes: Int = 256 * 1024,
        maxBatchMembers: Int = 65_536
    ) {
        self.maxLineBytes = maxLineBytes
        self.maxOutboundBytes = maxOutboundBytes
        self.congestionBytes = congestionBytes
        self.maxBatchMembers = maxBatchMembers
    }
}
