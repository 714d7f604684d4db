import CCurl
import Glibc

/// A URL that may be asked, in the form in which libcurl has parsed it.
///
/// libcurl's own parser decides, and the transfer gets what it parsed (`CURLOPT_CURLU`), so that the host which was judged is the
/// host which is asked.
struct HTTPTarget: ~Copyable {
    /// The parsed URL, owned by this value.
    let handle: OpaquePointer
    /// The host and port, for messages.
    let place: String
    /// Whether it is asked over TLS.
    let isSecure: Bool
    /// Whether its host never leaves this machine.
    let isLoopback: Bool

    /// Parses and judges a URL.
    ///
    /// - Parameters:
    ///   - url: An absolute URL.
    ///   - allowed: The hosts beside loopback to which plain HTTP may go.
    /// - Throws: `.badURL` if it is malformed, neither https nor http, or http to a host for which that is not allowed.
    init(_ url: String, allowingInsecureHTTPTo allowed: Set<String>) throws(HTTPFailure) {
        // A NUL would end the text for libcurl alone.
        guard !url.utf8.contains(0) else { throw HTTPFailure(.badURL, "the URL holds a NUL") }
        guard let handle = curl_url() else { throw HTTPFailure.withoutCurl }
        do throws(HTTPFailure) {
            let code = curl_url_set(handle, CURLUPART_URL, url, 0)
            guard code == CURLUE_OK else { throw HTTPFailure(.badURL, String(cString: curl_url_strerror(code))) }
            let scheme = try Self.part(CURLUPART_SCHEME, of: handle)
            let host = try Self.part(CURLUPART_HOST, of: handle).lowercased()
            guard scheme == "https" || scheme == "http" else { throw HTTPFailure(.badURL, "the URL is neither https nor http") }
            let isLoopback = Self.isLoopback(host)
            guard scheme == "https" || isLoopback || allowed.contains(host) else {
                throw HTTPFailure(.badURL, "plain http is not allowed for the host \(host)")
            }
            place = host + ":" + (try Self.part(CURLUPART_PORT, of: handle))
            isSecure = scheme == "https"
            self.isLoopback = isLoopback
            self.handle = handle
        } catch {
            curl_url_cleanup(handle)
            throw error
        }
    }

    deinit {
        curl_url_cleanup(handle)
    }

    private static func part(_ part: CURLUPart, of handle: OpaquePointer) throws(HTTPFailure) -> String {
        var text: UnsafeMutablePointer<CChar>?
        let code = parley_curl_url_get(handle, part, &text, UInt32(CURLU_DEFAULT_PORT))
        guard code == CURLUE_OK, let text else { throw HTTPFailure(.badURL, String(cString: curl_url_strerror(code))) }
        defer { curl_free(text) }
        return String(cString: text)
    }

    /// Whether a host never leaves this machine: 127.0.0.0/8, [::1], or the name that libcurl itself resolves to these.
    private static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "[::1]" { return true }
        var address = in_addr()
        return inet_pton(AF_INET, host, &address) == 1 && UInt32(bigEndian: address.s_addr) >> 24 == 127
    }
}
