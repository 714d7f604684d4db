/// What all requests of one `HTTPClient` have in common.
package struct HTTPClientConfiguration: Sendable {
    /// The path of a PEM file with the certificate authorities to trust; nil for those of the system.
    package var caBundle: String?
    /// The URL of a proxy for all hosts but loopback; nil for none. The environment's proxy variables are never read.
    package var proxy: String?
    /// The lower-case hosts, beside loopback, to which plain `http://` may go; an IPv6 address stands in brackets.
    package var allowInsecureHTTPHosts: Set<String>
    /// How many connections may be open at once, idle ones included; requests beyond that wait for one.
    package var maximumConnections: Int

    /// Makes a configuration; see the properties for what the parameters mean.
    package init(
        caBundle: String? = nil,
        proxy: String? = nil,
        allowInsecureHTTPHosts: Set<String> = [],
        maximumConnections: Int = 2048
    ) {
        self.caBundle = caBundle
        self.proxy = proxy
        self.allowInsecureHTTPHosts = allowInsecureHTTPHosts
        self.maximumConnections = maximumConnections
    }
}
