/// What all requests of one `HTTPClient` have in common.
package struct HTTPClientConfiguration: Sendable {
    /// Which HTTP is spoken.
    package enum Version: Sendable {
        /// HTTP/1.1, with a connection for each request that runs. A reader who is slow holds up its own sender, by TCP.
        case http1
        /// HTTP/2 where a server offers it in the TLS handshake, and HTTP/1.1 everywhere else, so always without TLS. Requests share a
        /// connection, but a reader who is slow has megabytes buffered for it before its sender notices.
        case http2
    }

    /// The path of a PEM file with the certificate authorities to trust; nil for those of the system.
    package var caBundle: String?
    /// Which requests go through a proxy.
    package var proxy: HTTPProxySettings
    /// Which HTTP is spoken.
    package var version: Version
    /// The lower-case hosts, beside loopback, to which plain `http://` may go; an IPv6 address stands in brackets.
    package var allowInsecureHTTPHosts: Set<String>
    /// How many connections may be open at once, idle ones included; requests beyond that wait for one.
    package var maximumConnections: Int

    /// Makes a configuration that reads nothing from anywhere; see the properties for what the parameters mean.
    package init(
        caBundle: String? = nil,
        proxy: HTTPProxySettings = HTTPProxySettings(),
        version: Version = .http1,
        allowInsecureHTTPHosts: Set<String> = [],
        maximumConnections: Int = 2048
    ) {
        self.caBundle = caBundle
        self.proxy = proxy
        self.version = version
        self.allowInsecureHTTPHosts = allowInsecureHTTPHosts
        self.maximumConnections = maximumConnections
    }

    /// Takes from an environment what the configuration leaves open: the proxies, and the authorities that `CURL_CA_BUNDLE` or else
    /// `SSL_CERT_FILE` names. libcurl itself reads neither.
    ///
    /// - Parameter environment: the variables; an empty one counts as unset.
    /// - Returns: the whole. A configuration with a proxy of its own takes none of the environment's.
    package func completed(from environment: [String: String]) -> HTTPClientConfiguration {
        var whole = self
        whole.caBundle = caBundle ?? ["CURL_CA_BUNDLE", "SSL_CERT_FILE"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        if proxy == HTTPProxySettings() { whole.proxy = HTTPProxySettings(environment: environment) }
        return whole
    }
}
