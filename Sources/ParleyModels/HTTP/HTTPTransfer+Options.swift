import CCurl

extension HTTPTransfer {
    /// Tells libcurl everything about the request.
    ///
    /// - Parameters:
    ///   - request: What to ask.
    ///   - configuration: What all requests have in common.
    /// - Throws: `.other` if a header or the method has characters that do not belong there, or if libcurl lacks an option.
    func setUp(_ request: HTTPRequest, _ configuration: HTTPClientConfiguration) throws(HTTPFailure) {
        try setUpProtocol(configuration)
        try setUpCallbacks()
        try setMethod(request)
        try setHeaders(request.headers)
        // Zero would mean libcurl's own default of five minutes.
        let connect = max(1, Int(clamping: Int64(request.connectTimeout / .milliseconds(1))))
        try check(parley_curl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, connect))
    }

    private func setUpProtocol(_ configuration: HTTPClientConfiguration) throws(HTTPFailure) {
        try check(parley_curl_set_pointer(easy, CURLOPT_CURLU, UnsafeRawPointer(target.handle)))
        try check(parley_curl_set_string(easy, CURLOPT_PROTOCOLS_STR, "http,https"))
        try check(parley_curl_set_long(easy, CURLOPT_FOLLOWLOCATION, 0))
        try setVersion(configuration.version)
        try check(parley_curl_set_long(easy, CURLOPT_NOSIGNAL, 1))
        // Without this, ending a transfer whose host's address is being looked up would hold all others up until the look-up ends.
        try check(parley_curl_set_long(easy, CURLOPT_QUICK_EXIT, 1))
        try check(parley_curl_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1))
        try check(parley_curl_set_close_on_exec(easy))
        try check(parley_curl_set_long(easy, CURLOPT_SSL_VERIFYPEER, 1))
        try check(parley_curl_set_long(easy, CURLOPT_SSL_VERIFYHOST, 2))
        try check(parley_curl_set_long(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2))
        if let caBundle = configuration.caBundle { try check(parley_curl_set_string(easy, CURLOPT_CAINFO, caBundle)) }
        // Empty texts keep libcurl from reading the environment.
        try check(parley_curl_set_string(easy, CURLOPT_PROXY, configuration.proxy.proxy(for: target) ?? ""))
        try check(parley_curl_set_string(easy, CURLOPT_NOPROXY, configuration.proxy.exceptions.joined(separator: ",")))
        try check(parley_curl_set_long(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1))
        // Every transfer has such a buffer all the time. libcurl reads again while there is more, so that larger ones save next to nothing.
        try check(parley_curl_set_long(easy, CURLOPT_BUFFERSIZE, 4 << 10))
    }

    private func setVersion(_ version: HTTPClientConfiguration.Version) throws(HTTPFailure) {
        let number =
            switch version {
            case .http1: CURL_HTTP_VERSION_1_1
            // Without a handshake to agree in it would take prior knowledge, with which libcurl 7.88 uses no connection twice.
            case .http2: CURL_HTTP_VERSION_2TLS
            }
        try check(parley_curl_set_long(easy, CURLOPT_HTTP_VERSION, number))
        // Whoever may share a connection waits for the one that is being made.
        if version != .http1 { try check(parley_curl_set_long(easy, CURLOPT_PIPEWAIT, 1)) }
    }

    private func setUpCallbacks() throws(HTTPFailure) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        try check(parley_curl_set_write_callback(easy, receiveBody, context))
        try check(parley_curl_set_header_callback(easy, receiveHeader, context))
        try check(parley_curl_set_prerequest_callback(easy, beginExchange, context))
        try check(parley_curl_set_pointer(easy, CURLOPT_PRIVATE, context))
        try check(parley_curl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorBuffer))
    }

    private func setMethod(_ request: HTTPRequest) throws(HTTPFailure) {
        guard Self.isToken(request.method) else { throw HTTPFailure(.other, "the method is not a token") }
        let hasBody = request.method == "POST" || !request.body.isEmpty
        if hasBody {
            try check(parley_curl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count)))
            let code = request.body.withUnsafeBytes { parley_curl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, $0.baseAddress) }
            try check(code)
        }
        switch request.method {
        case "POST": try check(parley_curl_set_long(easy, CURLOPT_POST, 1))
        case "GET" where !hasBody: try check(parley_curl_set_long(easy, CURLOPT_HTTPGET, 1))
        case "HEAD": try check(parley_curl_set_long(easy, CURLOPT_NOBODY, 1))
        default: try check(parley_curl_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method))
        }
    }

    private func setHeaders(_ headers: HTTPHeaders) throws(HTTPFailure) {
        // A name and a colon alone take out a header that libcurl would send of its own accord.
        var lines = ["Expect:"]
        if headers["Accept-Encoding"] == nil { lines.append("Accept-Encoding: identity") }
        if headers["Content-Type"] == nil { lines.append("Content-Type:") }
        for field in headers.fields {
            guard Self.isToken(field.name), field.value.utf8.allSatisfy({ ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }) else {
                throw HTTPFailure(.other, "a header has characters that do not belong there")
            }
            // A name and a semicolon is how libcurl is told to send a header without a value.
            lines.append(field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)")
        }
        for line in lines {
            guard let list = curl_slist_append(headerList, line) else { throw HTTPFailure(.other, "out of memory") }
            headerList = list
        }
        try check(parley_curl_set_pointer(easy, CURLOPT_HTTPHEADER, headerList))
    }

    private func check(_ code: CURLcode) throws(HTTPFailure) {
        guard code == CURLE_OK else { throw HTTPFailure(.other, String(cString: curl_easy_strerror(code))) }
    }

    /// Whether a text is a token (RFC 9110, section 5.6.2).
    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"):
                    true
                default:
                    "!#$%&'*+-.^_`|~".utf8.contains($0)
                }
            }
    }
}

// libcurl calls these on the engine's thread, with the transfer that it was given; the engine keeps that alive until libcurl has let go.

private func transfer(_ context: UnsafeMutableRawPointer?) -> HTTPTransfer? {
    context.map { Unmanaged<HTTPTransfer>.fromOpaque($0).takeUnretainedValue() }
}

private func receiveBody(_ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?) -> Int {
    guard let transfer = transfer(context) else { return 0 }
    return transfer.receive(body: UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : Int(CURL_WRITEFUNC_PAUSE)
}

private func receiveHeader(_ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?) -> Int {
    guard let transfer = transfer(context) else { return 0 }
    // Any other number than that of the bytes ends the transfer, also if there are none.
    return transfer.receive(headerLine: UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : -1
}

private func beginExchange(
    _ context: UnsafeMutableRawPointer?, _: UnsafeMutablePointer<CChar>?, _: UnsafeMutablePointer<CChar>?, _: Int32, _: Int32
) -> Int32 {
    guard let transfer = transfer(context) else { return CURL_PREREQFUNC_ABORT }
    transfer.begin()
    return CURL_PREREQFUNC_OK
}
