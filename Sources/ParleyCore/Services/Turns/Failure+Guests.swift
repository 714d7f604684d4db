extension Failure {
    /// What people may know of a failure who may not know how the bot is set up: a provider's words may repeat what it was told.
    var forGuests: Failure {
        switch code {
        case .modelUnavailable, .modelRateLimited, .modelRejected, .modelAuth, .modelBilling, .modelTimeout, .contextWindowExceeded:
            let shown = details.filter { ["providerStatus", "retryAfterMs", "deadlineMs"].contains($0.name) }
            return Failure(code, "The bot's model gave no answer.", details: shown)
        default:
            return self
        }
    }
}
