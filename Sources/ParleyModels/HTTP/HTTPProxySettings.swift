/// Which requests go through a proxy.
///
/// Requests to this machine itself never do.
package struct HTTPProxySettings: Sendable, Equatable {
    /// The URL of the proxy for `https://`, to which a tunnel is made; nil for none.
    package var https: String?
    /// The URL of the proxy for `http://`; nil for none.
    package var http: String?
    /// The hosts that are asked directly: names, of which their subdomains are too, addresses, and ranges of addresses such as `10.0.0.0/8`.
    package var exceptions: [String]

    /// Makes settings; see the properties for what the parameters mean.
    package init(https: String? = nil, http: String? = nil, exceptions: [String] = []) {
        self.https = https
        self.http = http
        self.exceptions = exceptions
    }

    /// Reads the variables that most programs know: `https_proxy`, `http_proxy`, `all_proxy` for both, and `no_proxy`, of which `*` is every host.
    ///
    /// Each may also be written in capitals; the small ones win, and an empty one counts as unset. Only `HTTP_PROXY` in capitals is passed over
    /// where `REQUEST_METHOD` is set: there a web server has started the program, and the variable may be a header of its client
    /// (CVE-2016-5385).
    ///
    /// - Parameter environment: the variables.
    package init(environment: [String: String]) {
        func variable(_ names: String...) -> String? {
            names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        }
        let all = variable("all_proxy", "ALL_PROXY")
        https = variable("https_proxy", "HTTPS_PROXY") ?? all
        http = (environment["REQUEST_METHOD"] == nil ? variable("http_proxy", "HTTP_PROXY") : variable("http_proxy")) ?? all
        exceptions = (variable("no_proxy", "NO_PROXY") ?? "").split { $0 == "," || $0.isWhitespace }.map(String.init)
    }

    /// The proxy for a target, or nil if it is asked directly, as far as the exceptions do not say so.
    ///
    /// - Parameter target: what is asked.
    func proxy(for target: borrowing HTTPTarget) -> String? {
        target.isLoopback || exceptions.contains("*") ? nil : target.isSecure ? https : http
    }
}
