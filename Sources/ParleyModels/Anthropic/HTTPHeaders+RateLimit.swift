import Foundation

extension HTTPHeaders {
    /// When the server's limits of the rate will let requests through again, in milliseconds; nil when it does not say.
    ///
    /// Anthropic tells of several limits at once, `anthropic-ratelimit-requests-remaining` and `…-reset` and the like for tokens, each with the
    /// moment at which it is whole again. Those of which nothing remains must all be; when something remains of each, the first moment at
    /// which there will be more is a good one. Moments are counted from the date of the response, so that the clocks need not agree.
    var rateLimitResetMilliseconds: Int64? {
        guard let now = self["date"].flatMap(Self.seconds(ofDate:)) else { return nil }
        let prefix = "anthropic-ratelimit-"
        let suffix = "-reset"
        var exhausted: [Int64] = []
        var others: [Int64] = []
        for field in fields {
            let name = field.name.lowercased()
            guard name.hasPrefix(prefix), name.hasSuffix(suffix), let moment = Self.seconds(ofMoment: field.value) else { continue }
            let delay = max(0, moment - now) * 1_000
            if self[name.dropLast(suffix.count) + "-remaining"] == "0" { exhausted.append(delay) } else { others.append(delay) }
        }
        return exhausted.max() ?? others.min()
    }

    /// The Unix time of a moment in the form of RFC 3339, rounded up.
    private static func seconds(ofMoment text: String) -> Int64? {
        let forms = [Date.ISO8601FormatStyle(), Date.ISO8601FormatStyle(includingFractionalSeconds: true)]
        let moment = forms.lazy.compactMap { try? $0.parse(text) }.first
        return moment.flatMap { Int64(exactly: $0.timeIntervalSince1970.rounded(.up)) }
    }
}
