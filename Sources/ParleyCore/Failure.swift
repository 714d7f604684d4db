package import JSON

/// Why something was refused or did not work, in the words of the domain.
package struct Failure: Error, Hashable, Sendable {
    /// What clients match; the wire's numbers belong to the host.
    package enum Code: String, CaseIterable, Sendable {
        case invalidParams, internalError, authRequired, overloaded, shuttingDown, notFound, cancelled
        case quotaExceeded, modelNotAllowed, messageTooLarge
        case conversationBusy, queueFull, idempotencyConflict
        case nameTaken, revisionConflict
        case storeUnavailable, storeFull
        case modelUnavailable, modelRateLimited, modelRejected, modelAuth, modelBilling, modelTimeout
        case contextWindowExceeded
        case toolFailed, toolTimeout, toolDenied
    }

    /// One member of the error's data beside `code`, `httpStatus` and `retryable`.
    package struct Detail: Hashable, Sendable {
        /// What it is called.
        package var name: String
        /// What it is.
        package var value: JSONValue

        /// Makes one of its fields; see them for what the parameters mean.
        package init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// What clients match.
    package var code: Code
    /// One sentence for a developer; never holds a secret or a library's own words about paths and keys.
    package var message: String
    /// Further members of the error's data.
    package var details: [Detail]
    /// The cause in a library's words: logged, never sent.
    package var underlying: String?
    /// Whether the same call of a model may be made again, where its provider has said so (`x-should-retry`); nil leaves that to the code.
    package var isRetryable: Bool?

    /// Makes one of its fields; see them for what the parameters mean.
    package init(_ code: Code, _ message: String, details: [Detail] = [], underlying: String? = nil, isRetryable: Bool? = nil) {
        self.code = code
        self.message = message
        self.details = details
        self.underlying = underlying
        self.isRetryable = isRetryable
    }

    /// A parameter that cannot be accepted.
    ///
    /// - Parameters:
    ///   - path: where the parameter stands, for example `content[0].text`.
    ///   - reason: what is wrong with it, without a full stop.
    package static func invalidParams(path: String, reason: String) -> Failure {
        Failure(
            .invalidParams, "The params are not valid\(path.isEmpty ? "" : " at \(path)"): \(reason).",
            details: [Detail("path", .string(path)), Detail("reason", .string(reason))])
    }

    /// The same parameter's fault where it stands elsewhere; anything else stays as it is.
    ///
    /// - Parameter path: where the parameter stands.
    func at(path: String) -> Failure {
        guard code == .invalidParams, let reason = details.first(where: { $0.name == "reason" })?.value.stringValue else { return self }
        return .invalidParams(path: path, reason: reason)
    }

    /// Something that does not exist, or is not the caller's: the two look exactly alike.
    package static func notFound(_ resource: Resource, _ id: String) -> Failure {
        // No id of ours is longer; an echo must not be as large as whatever was sent.
        let shown = id.utf8.count > 128 ? "\(id.prefix(64))…" : id
        return Failure(
            .notFound, "There is no such \(resource.rawValue).",
            details: [Detail("resource", .string(resource.rawValue)), Detail("id", .string(shown))])
    }

    /// What `notFound` can name.
    package enum Resource: String, Sendable { case conversation, bot, turn, message, anonymousUser }

    /// A conversation in which another turn runs.
    package static func conversationBusy(turnID: String) -> Failure {
        Failure(
            .conversationBusy, "Another turn is running in this conversation.", details: [Detail("turnId", .string(turnID))])
    }

    /// A conversation in which too many turns wait.
    ///
    /// - Parameter limit: how many may.
    package static func queueFull(limit: Int) -> Failure {
        Failure(
            .queueFull, "More than \(limit) turns would wait in this conversation.", details: [Detail("limit", .integer(Int64(limit)))])
    }
}
