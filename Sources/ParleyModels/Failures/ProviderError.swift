import JSON

/// What a provider says went wrong, read from whatever shape it says it in.
///
/// The shapes that were seen: `{"error":{"message","type","code"}}` (OpenAI and most), the same with `http_code` and a number in
/// parentheses at the end of the message (MiniMax), in an array or with `status` (Gemini), with the HTTP status as `code` (OpenRouter) or
/// within a choice; `{"error":"…"}` (Ollama, LM Studio); `{"message","type","code"}` (Mistral, vLLM); `{"detail":"…"}` (FastAPI); and
/// `{"base_resp":{"status_code","status_msg"}}` (MiniMax).
struct ProviderError: Equatable {
    /// The provider's own words, unbounded and not to be trusted.
    var message: String?
    /// Names such as `insufficient_quota`, the most telling first.
    var names: [String] = []
    /// MiniMax's number of the error.
    var number: Int?
    /// The HTTP status that the body names.
    var status: Int?
    /// What the provider calls the request.
    var requestID: String?

    /// An error of which nothing is known.
    init() {}

    /// Reads the body of an error response, or of a response that turned out to be an error.
    ///
    /// - Parameter body: JSON, a line of text, or a page of HTML, of which nothing is taken.
    init(body: [UInt8]) {
        if let json = try? JSONReader.parse(body) {
            self.init(json)
            return
        }
        self.init()
        if !body.isEmpty, body.first(where: { $0 > 0x20 }) != UInt8(ascii: "<") { message = String(decoding: body, as: UTF8.self) }
    }

    /// Reads an error in JSON.
    init(_ json: JSONValue) {
        let root = json.arrayValue?.first ?? json
        let error = Self.present(root["error"]) ?? Self.present(root["choices"]?.arrayValue?.first?["error"]) ?? root
        message = Self.text(error) ?? Self.text(error["message"]) ?? Self.text(error["detail"])
        names = [error["code"], error["type"], error["status"]].compactMap(Self.text)
        status = [error["http_code"], error["code"]].compactMap(Self.integer).first { (400...599).contains($0) }
        number = message.flatMap(Self.trailingNumber)
        if let base = root["base_resp"], let code = Self.integer(base["status_code"]), code != 0 {
            number = code
            message = message ?? Self.text(base["status_msg"])
        }
        requestID = Self.text(root["request_id"]) ?? Self.text(error["request_id"])
    }

    private static func text(_ value: JSONValue?) -> String? {
        guard let text = value?.stringValue, !text.isEmpty else { return nil }
        return text
    }

    private static func integer(_ value: JSONValue?) -> Int? {
        value?.intValue ?? value?.stringValue.flatMap { Int($0) }
    }

    private static func present(_ value: JSONValue?) -> JSONValue? {
        value == .null ? nil : value
    }

    /// The number in "invalid params (2013)".
    private static func trailingNumber(_ message: String) -> Int? {
        guard message.hasSuffix(")"), let open = message.lastIndex(of: "(") else { return nil }
        return Int(message[message.index(after: open)...].dropLast())
    }
}
