import CCurl
import Glibc

extension HTTPFailure {
    /// Why nothing can be asked when libcurl gives nothing to ask with.
    static var withoutCurl: HTTPFailure {
        HTTPFailure(.other, parley_curl_missing().map { "libcurl cannot be loaded: \(String(cString: $0))" } ?? "libcurl does not start")
    }

    /// Translates how libcurl says that a transfer failed.
    ///
    /// Only fixed texts go into the message: libcurl's own (`curl_easy_strerror`), the system's for the error number of the
    /// socket, and for TLS what the library found wrong with the peer. The host is all that comes from the request.
    ///
    /// - Parameters:
    ///   - code: What the transfer ended with, not `CURLE_OK`.
    ///   - easy: The transfer's handle.
    ///   - place: The host and port.
    ///   - detail: What libcurl wrote into the transfer's error buffer.
    ///   - hasHead: Whether the response's header had come.
    init(_ code: CURLcode, of easy: UnsafeMutableRawPointer, at place: String, detail: String, hasHead: Bool) {
        let reason = String(cString: curl_easy_strerror(code))
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
            self.init(.resolve, "no address for \(place): \(reason)")
        case CURLE_COULDNT_CONNECT, CURLE_INTERFACE_FAILED, CURLE_PROXY:
            self.init(.connect, "no connection to \(place): \(Self.systemError(of: easy) ?? reason)")
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE,
            CURLE_SSL_CRL_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED,
            CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_CLIENTCERT:
            self.init(.tls, "no TLS connection to \(place): \(detail.isEmpty ? reason : detail)")
        case CURLE_OPERATION_TIMEDOUT:
            // The bound of connecting is the only one that libcurl is told.
            self.init(.timeout(.connect), "no connection to \(place) in time")
        case CURLE_RECV_ERROR where Self.proxyStatus(of: easy) >= 300:
            self.init(.connect, "the proxy refused the way to \(place) with status \(Self.proxyStatus(of: easy))")
        case CURLE_RECV_ERROR, CURLE_SEND_ERROR:
            self.init(.closed, "\(place) broke the connection \(Self.moment(hasHead)): \(Self.systemError(of: easy) ?? reason)")
        case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING:
            self.init(.closed, "\(place) closed the connection \(Self.moment(hasHead)): \(reason)")
        case CURLE_OUT_OF_MEMORY where !hasHead:
            // libcurl holds a header line of at most 100 KiB and names a longer one so.
            self.init(.tooLarge, "\(place) sent a header line that is too long")
        case CURLE_URL_MALFORMAT:
            self.init(.badURL, reason)
        default:
            self.init(.other, "\(place): \(reason) (\(code.rawValue))")
        }
    }

    private static func moment(_ hasHead: Bool) -> String {
        hasHead ? "in the middle of the response" : "before the response"
    }

    private static func systemError(of easy: UnsafeMutableRawPointer) -> String? {
        var number = 0
        guard parley_curl_get_long(easy, CURLINFO_OS_ERRNO, &number) == CURLE_OK, number != 0 else { return nil }
        return systemError(Int32(truncatingIfNeeded: number))
    }

    private static func proxyStatus(of easy: UnsafeMutableRawPointer) -> Int {
        var status = 0
        return parley_curl_get_long(easy, CURLINFO_HTTP_CONNECTCODE, &status) == CURLE_OK ? status : 0
    }

    /// The system's text for one of its error numbers; glibc's `strerror` is safe on any thread since 2.32.
    static func systemError(_ number: Int32) -> String {
        strerror(number).map { String(cString: $0) } ?? "error \(number)"
    }
}
