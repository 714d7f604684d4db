import ParleyClient

/// Errors of the protocol in one line for a person: what is wrong, and what can be done.
enum Explanation {
    /// The line for an error.
    ///
    /// - Parameter hasCommands: whether slash commands can be written, which may help.
    static func line(_ refusal: HostConnection.Refusal, hasCommands: Bool) -> String {
        var parts = [refusal.message]
        if let milliseconds = refusal.data["retryAfterMs"]?.intValue {
            parts.append("Try again in \(duration(milliseconds: milliseconds)).")
        } else if refusal.code == "modelAuth" {
            parts.append("Check the key of the model's provider, for example MINIMAX_API_KEY.")
        } else if hasCommands, let advice = advice(refusal.code) {
            parts.append(advice)
        }
        return parts.joined(separator: " ")
    }

    private static func advice(_ code: String) -> String? {
        switch code {
        case "modelUnavailable", "modelRateLimited", "modelTimeout": "/regenerate asks again."
        case "contextWindowExceeded": "/new begins another conversation."
        case "conversationBusy": "It may be open elsewhere; /new begins another one."
        default: nil
        }
    }

    /// A length of time in words, rounded up.
    static func duration(milliseconds: Int) -> String {
        let seconds = max(1, (milliseconds + 999) / 1_000)
        if seconds < 100 { return "\(seconds) s" }
        let minutes = (seconds + 59) / 60
        if minutes < 100 { return "\(minutes) min" }
        return minutes % 60 == 0 ? "\(minutes / 60) h" : "\(minutes / 60) h \(minutes % 60) min"
    }
}
