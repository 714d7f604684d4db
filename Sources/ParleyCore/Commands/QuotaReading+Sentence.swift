extension QuotaReading {
    /// How the limit stands, a line for a person.
    var sentence: String {
        guard let totals else {
            let wait = resetsAt.map { " until \($0.rfc3339) at the latest" } ?? ""
            return "\(subject): \(isOpen ? "there is room" : "no room for now\(wait)")"
        }
        let taken = totals.used + totals.held
        let reset = taken > 0 ? resetsAt.map { ", all free again at \($0.rfc3339)" } ?? "" : ""
        return "\(subject): \(taken) of \(totals.limit), \(totals.remaining) left\(reset)"
    }

    private var subject: String {
        let within = windowSeconds.map { " within \(Self.duration(seconds: $0))" } ?? ""
        return switch (scope, unit) {
        case (.system, "anonymousTurns"): "Messages of all who are not signed in\(within)"
        case (.system, _): "Messages of everybody\(within)"
        case (_, "turns"): (scope == .anonymous ? "Messages without signing in" : "Messages") + within
        case (_, "bots"): scope == .anonymous ? "Bots made without signing in" : "Bots"
        case (_, "copies"): "Conversations forked or imported\(within)"
        case (_, "inFlight"): "Messages being answered at once"
        case (_, "anonymousUsers"): "New people from this address\(within)"
        default: "Calls of `\(unit.split(separator: ".").last ?? "")` without signing in"
        }
    }

    private static func duration(seconds: Int) -> String {
        if seconds % 86_400 == 0 { return "\(seconds / 86_400) d" }
        if seconds % 3_600 == 0 { return "\(seconds / 3_600) h" }
        return seconds % 60 == 0 ? "\(seconds / 60) min" : "\(seconds) s"
    }
}
