import Foundation

extension HTTPHeaders {
    /// When the server's limits of the rate will let requests through again, in milliseconds; nil when it does not say.
    ///
    /// Servers tell of several limits at once, each with what remains of it and when it is whole again: Anthropic with a moment
    /// (`anthropic-ratelimit-requests-reset: 2026-01-01T00:00:07Z`), OpenAI with a duration (`x-ratelimit-reset-requests: 6m0s`). Those of
    /// which nothing remains must all be; when something remains of each, the first moment at which there will be more is a good one. Moments
    /// are counted from the date of the response, so that the clocks need not agree.
    var rateLimitResetMilliseconds: Int64? {
        let now = self["date"].flatMap(Self.seconds(ofDate:))
        var exhausted: [Int64] = []
        var others: [Int64] = []
        for field in fields {
            let name = field.name.lowercased()
            let delay: Int64?
            let remaining: String?
            if let limit = name.between("anthropic-ratelimit-", "-reset") {
                delay = now.flatMap { now in Self.seconds(ofMoment: field.value).map { max(0, $0 - now) * 1_000 } }
                remaining = self["anthropic-ratelimit-\(limit)-remaining"]
            } else if let limit = name.between("x-ratelimit-reset-", "") {
                delay = Self.milliseconds(ofDuration: field.value)
                remaining = self["x-ratelimit-remaining-\(limit)"]
            } else {
                continue
            }
            guard let delay else { continue }
            if remaining == "0" { exhausted.append(delay) } else { others.append(delay) }
        }
        return exhausted.max() ?? others.min()
    }

    /// A duration such as `6m0s`, `1.5s` or `20ms`, rounded up; nil for anything else.
    static func milliseconds(ofDuration text: String) -> Int64? {
        let units = ["ms": 1.0, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
        var rest = Substring(text)
        var sum = 0.0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            let unit = rest.dropFirst(number.count).prefix { $0.isLetter }
            guard let count = Double(number), let length = units[String(unit)] else { return nil }
            sum += count * length
            rest = rest.dropFirst(number.count + unit.count)
        }
        return Int64(exactly: sum.rounded(.up))
    }

    /// The Unix time of a moment in the form of RFC 3339, rounded up.
    private static func seconds(ofMoment text: String) -> Int64? {
        let forms = [Date.ISO8601FormatStyle(), Date.ISO8601FormatStyle(includingFractionalSeconds: true)]
        let moment = forms.lazy.compactMap { try? $0.parse(text) }.first
        return moment.flatMap { Int64(exactly: $0.timeIntervalSince1970.rounded(.up)) }
    }
}

extension String {
    /// What stands between a beginning and an end; nil when there are none such.
    fileprivate func between(_ prefix: String, _ suffix: String) -> Substring? {
        guard hasPrefix(prefix), hasSuffix(suffix), utf8.count > prefix.utf8.count + suffix.utf8.count else { return nil }
        return dropFirst(prefix.count).dropLast(suffix.count)
    }
}
