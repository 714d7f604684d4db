import CCurl

extension HTTPHeaders {
    /// How long the server asks to be left alone, in milliseconds; nil when it does not say.
    ///
    /// `retry-after-ms` (OpenAI) is the more exact; `Retry-After` is seconds or a date (RFC 9110, section 10.2.3). A date is counted from
    /// that of the response, so that the clocks need not agree.
    var retryAfterMilliseconds: Int64? {
        if let milliseconds = self["retry-after-ms"].flatMap(Double.init) { return Self.whole(milliseconds) }
        guard let value = self["retry-after"] else { return nil }
        if let seconds = Double(value) { return Self.whole(seconds * 1_000) }
        guard let date = Self.seconds(ofDate: value), let now = self["date"].flatMap(Self.seconds) else { return nil }
        return max(0, date - now) * 1_000
    }

    /// The name that the server gave the request, for questions to its operator.
    var requestID: String? {
        ["x-request-id", "request-id", "trace-id"].lazy.compactMap { self[$0] }.first
    }

    private static func whole(_ milliseconds: Double) -> Int64? {
        guard milliseconds >= 0 else { return nil }
        return Int64(exactly: milliseconds.rounded(.up))
    }

    /// The Unix time of a date in any of the three forms of RFC 9110, section 5.6.7.
    static func seconds(ofDate text: String) -> Int64? {
        let seconds = curl_getdate(text, nil)
        return seconds >= 0 ? Int64(seconds) : nil
    }
}
