package import JSON
package import JSONRPC
package import ParleyCore

/// All bounds that a client may run into, shown by `initialize`.
package struct HostLimits: Sendable, JSONWritable {
    /// The bounds of the connection.
    package var transport: TransportLimits
    /// How many requests may be unanswered at once.
    package var maxInFlight: Int
    /// How large all unanswered requests may be, in bytes of their params.
    package var maxInFlightBytes: Int
    /// The bounds on what people may store.
    package var core: Limits

    /// Makes one of its fields; see them for what the parameters mean.
    package init(
        transport: TransportLimits = TransportLimits(), maxInFlight: Int = 4_096, maxInFlightBytes: Int = 256 * 1024 * 1024,
        core: Limits = Limits()
    ) {
        self.transport = transport
        self.maxInFlight = maxInFlight
        self.maxInFlightBytes = maxInFlightBytes
        self.core = core
    }

    /// Writes the value as the protocol's limits.
    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("maxLineBytes", transport.maxLineBytes)
            writer.member("maxInFlight", maxInFlight)
            writer.member("maxInFlightBytes", maxInFlightBytes)
            writer.member("maxOutboundBytes", transport.maxOutboundBytes)
            writer.member("maxBatchMembers", transport.maxBatchMembers)
            writer.key("maxMessageBytes")
            writer.object { writer in
                writer.member("anonymous", core.maxMessageBytesAnonymous)
                writer.member("user", core.maxMessageBytesUser)
            }
            writer.member("maxAnswerBytes", core.maxAnswerBytes)
            writer.member("maxQueuedTurns", core.maxQueuedTurns)
            writer.member("maxTitleCharacters", core.maxTitleCharacters)
            writer.member("maxMetadataBytes", core.maxMetadataBytes)
            writer.key("maxCopiedMessages")
            writer.object { writer in
                writer.member("anonymous", core.maxCopiedMessagesAnonymous)
                writer.member("user", core.maxCopiedMessagesUser)
            }
            writer.key("maxCopiedBytes")
            writer.object { writer in
                writer.member("anonymous", core.maxCopiedBytesAnonymous)
                writer.member("user", core.maxCopiedBytesUser)
            }
            writer.member("maxDescriptionCharacters", core.maxDescriptionCharacters)
            writer.member("maxInstructionsBytes", core.maxInstructionsBytes)
            writer.member("maxConfigBytes", core.maxConfigBytes)
            writer.member("maxHistoryBytes", core.maxHistoryBytes)
        }
    }
}
