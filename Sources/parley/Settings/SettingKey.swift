/// One setting: its name, what it may be, and what it is when nobody says.
struct SettingKey: Sendable {
    /// What a setting's value may be.
    enum Kind: Sendable {
        case text
        /// A whole number in a range.
        case integer(ClosedRange<Int>)
        case choice([String])
        /// `true` or `false`.
        case flag
        /// A whole number in a range, or `none` for no limit.
        case limit(ClosedRange<Int>)
        /// A URL, whose credentials nobody is shown, or `none` for no such thing.
        case url
        /// Texts, separated by commas.
        case list
        /// Names with values, `NAME=VALUE`, separated by commas; `KEY.NAME` sets one of them.
        case table(@Sendable (String) -> Bool, expected: String)
    }

    /// The dotted name: `limits.maxInFlight` in a file is `{"limits": {"maxInFlight": …}}`, in the environment
    /// `PARLEY_LIMITS_MAX_IN_FLIGHT`.
    let name: String
    let kind: Kind
    /// The default as text; nil when there is none.
    let defaultText: String?
    /// What it does, one sentence.
    let summary: String

    init(_ name: String, _ kind: Kind, default defaultText: String? = nil, _ summary: String) {
        self.name = name
        self.kind = kind
        self.defaultText = defaultText
        self.summary = summary
    }

    /// What stands for no limit.
    static let noLimit = "none"

    /// A value as it may be shown.
    func shown(_ text: String) -> String {
        if case .url = kind { Credentials.masked(inURL: text) } else { text }
    }

    /// Why a text cannot be the setting's value; nil when it can.
    func problem(with text: String) -> String? {
        switch kind {
        case .text: return text.isEmpty ? "expected some text" : nil
        case .integer(let range):
            if let number = Int(text), range.contains(number) { return nil }
            return "expected a whole number from \(range.lowerBound) to \(range.upperBound), found \"\(text)\""
        case .choice(let words):
            return words.contains(text) ? nil : "expected one of \(words.joined(separator: ", ")), found \"\(text)\""
        case .flag: return text == "true" || text == "false" ? nil : "expected true or false, found \"\(text)\""
        case .limit(let range):
            if text == Self.noLimit || Int(text).map(range.contains) ?? false { return nil }
            return "expected a whole number from \(range.lowerBound) to \(range.upperBound), or none for no limit, found \"\(text)\""
        case .url: return text == Self.noLimit || text.contains("://") ? nil : "expected a URL, or none"
        case .list:
            let items = text.split(separator: ",", omittingEmptySubsequences: false)
            return items.contains(where: \.isEmpty) ? "expected texts with commas between them, found \"\(text)\"" : nil
        case .table(let isValue, let expected):
            let isTable = text.split(separator: ",").allSatisfy { item in
                let halves = item.split(separator: "=", omittingEmptySubsequences: false)
                return halves.count == 2 && !halves[0].isEmpty && isValue(String(halves[1]))
            }
            return isTable ? nil : "expected NAME=VALUE with commas between, each value \(expected), found \"\(text)\""
        }
    }
}

extension SettingKey {
    private static let day = 86_400
    private static let gibibyte = 1_073_741_824

    /// All settings but the providers, which are a table of their own (see `ProviderSettings`).
    static let all: [SettingKey] = main + QuotaSettings.keys + AuthSettings.keys

    private static let main: [SettingKey] = [
        SettingKey("database", .text, "The database's file, or :memory:; by default parley/parley.db in the user's data folder."),
        SettingKey(
            "model", .text,
            "The model that answers by default, as PROVIDER:MODEL; by default minimax when its key is set, then the settings file's first, then openai, then anthropic, else demo."
        ),
        SettingKey(
            "record", .text,
            "The cassette to which each exchange with a model is written when it has ended; the model replay:FILE plays it back."
        ),
        SettingKey("caller", .text, "Whom requests without a caller act for, as userId:ID."),
        SettingKey(
            "durability", .choice(["normal", "full"]), default: "normal",
            "full syncs the disk at every commit; normal survives a killed process, but not always a power cut."
        ),
        SettingKey(
            "log.level", .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"]), default: "notice",
            "What is logged to stderr."
        ),
        SettingKey("log.format", .choice(["text", "json"]), default: "text", "How a line of the log is written."),
        SettingKey(
            "assistant.instructions", .text, default: "You are a helpful assistant. Answer in the language of the question.",
            "The instructions of the assistant that answers in conversations without a bot."
        ),
        SettingKey(
            "tools.policies", .table({ ["allow", "ask", "deny"].contains($0) }, expected: "allow, ask or deny"), default: "",
            "Which tools may be called, by their names: allow, ask (somebody approves of each call) or deny."
        ),
        SettingKey("tools.approvalSeconds", .integer(1...day), default: "120", "How long somebody may think about an approval."),
        SettingKey(
            "tools.approvalDefault", .choice(["allowOnce", "rejectOnce"]), default: "rejectOnce",
            "What is chosen when the client cannot be asked."
        ),
        SettingKey("turns.maxSteps", .integer(1...1_000), default: "16", "How often the model may be asked within one turn."),
        SettingKey("turns.deadlineSeconds", .integer(1...day), default: "600", "How long a turn may take in all."),
        SettingKey(
            "turns.checkpointMilliseconds", .integer(100...60_000), default: "1000",
            "How often what a running turn has said is stored."
        ),
        SettingKey(
            "models.allowed.anonymous", .list, default: "default",
            "The models that anonymous people may choose: PROVIDER:MODEL, in which * stands for anything, or default for the one that answers by default."
        ),
        SettingKey("models.allowed.user", .list, default: "*", "The models that users may choose, in the same way."),
        SettingKey(
            "models.fallback", .list,
            "The models that answer when the first gives no answer, PROVIDER:MODEL in order; a bot may name its own."
        ),
        SettingKey(
            "models.retry.maxAttempts", .integer(1...10), default: "3",
            "How often a model is asked that is unavailable, busy or silent, before it has said anything; 1 for once."
        ),
        SettingKey(
            "models.retry.maxDelaySeconds", .integer(0...3_600), default: "60",
            "The longest that a model's server may ask to wait; beyond it the turn does not wait."
        ),
        SettingKey(
            "models.replay.timing", .flag, default: "false",
            "Whether the model replay:FILE takes as much time as the recorded one did."
        ),
        SettingKey("models.connectTimeoutSeconds", .integer(1...600), default: "10", "How long connecting to a model's server may take."),
        SettingKey(
            "models.firstByteTimeoutSeconds", .integer(1...day), default: "300",
            "How long a model's server may think before it begins to answer."
        ),
        SettingKey(
            "models.idleTimeoutSeconds", .integer(1...day), default: "300",
            "How long a model's server may send nothing in the middle of an answer."),
        SettingKey(
            "models.http.version", .choice(["1.1", "2"]), default: "1.1",
            "Which HTTP models' servers are asked with: 2 where they offer it in the TLS handshake, 1.1 everywhere else."
        ),
        SettingKey(
            "models.http.proxy", .url,
            "The proxy to models' servers, but for the hosts of NO_PROXY; by default HTTPS_PROXY and HTTP_PROXY of the environment, with none not even those."
        ),
        SettingKey(
            "models.http.caBundle", .text,
            "A PEM file with the certificate authorities to trust; by default that of CURL_CA_BUNDLE or SSL_CERT_FILE, else the system's."
        ),
        SettingKey(
            "models.http.insecureHosts", .list,
            "The hosts, beside this machine, to which plain http may go."
        ),
        SettingKey(
            "store.busyTimeoutMilliseconds", .integer(1...600_000), default: "5000",
            "How long to wait for another process that writes."
        ),
        SettingKey(
            "erasure.idleSeconds", .integer(1...day), default: "60",
            "How long nothing must have happened before deleted bytes are erased from the files."
        ),
        SettingKey(
            "retention.user.days", .limit(1...36_500), default: noLimit,
            "After how many days in which they were not used a user's conversations are deleted."
        ),
        SettingKey(
            "retention.anonymous.days", .limit(1...36_500), default: noLimit,
            "After how many days in which they were not used an anonymous person's conversations are deleted."
        ),
        SettingKey("retention.keepPinned", .flag, default: "true", "Whether conversations that are pinned are kept all the same."),
        SettingKey(
            "shutdown.drainSeconds", .integer(0...day), default: "600",
            "How long running turns may go on after the end of input."
        ),
        SettingKey("shutdown.graceSeconds", .integer(0...day), default: "5", "How long running turns may go on after SIGTERM or SIGINT."),
        SettingKey("limits.maxInFlight", .integer(1...1_000_000), default: "4096", "How many requests may be unanswered at once."),
        SettingKey(
            "limits.maxInFlightBytes", .integer(1_024...16 * gibibyte), default: "268435456",
            "How large all unanswered requests may be."
        ),
        SettingKey("limits.maxLineBytes", .integer(1_024...gibibyte), default: "8388608", "The longest line that is read."),
        SettingKey("limits.maxBatchMembers", .integer(1...1_000_000), default: "65536", "The most members of one batch."),
        SettingKey(
            "limits.maxOutboundBytes", .integer(65_536...gibibyte), default: "67108864",
            "How much may wait for a slow client before reading pauses."
        ),
        SettingKey(
            "limits.maxMessageBytes.anonymous", .integer(1...gibibyte), default: "16384",
            "The longest message of an anonymous person."
        ),
        SettingKey("limits.maxMessageBytes.user", .integer(1...gibibyte), default: "1048576", "The longest message of a user."),
        SettingKey(
            "limits.maxAnswerBytes", .integer(1_024...gibibyte), default: "4194304",
            "The longest answer of a model; what has come by then is the answer."),
        SettingKey(
            "limits.maxHistoryBytes", .integer(1_024...gibibyte), default: "524288",
            "How much of a conversation goes to the model: the newest turns that fit whole, and the last one in any case."
        ),
        SettingKey(
            "limits.maxRememberedBytes", .integer(0...16 * gibibyte), default: "33554432",
            "How much memory conversations take that went on a short time ago, so that they need not be read again."
        ),
        SettingKey("limits.maxQueuedTurns", .integer(0...10_000), default: "16", "How many turns may wait in one conversation."),
        SettingKey("limits.maxTitleCharacters", .integer(1...100_000), default: "200", "The longest title of a conversation."),
        SettingKey("limits.maxMetadataBytes", .integer(2...gibibyte), default: "65536", "The largest metadata of a conversation."),
        SettingKey(
            "limits.maxCopiedMessages.anonymous", .integer(0...1_000_000), default: "1000",
            "The most messages of a conversation that an anonymous person forks or imports."
        ),
        SettingKey(
            "limits.maxCopiedMessages.user", .integer(0...1_000_000), default: "10000",
            "The most messages of a conversation that a user forks or imports."
        ),
        SettingKey(
            "limits.maxCopiedBytes.anonymous", .integer(0...gibibyte), default: "1048576",
            "How large such a conversation may be; an imported file, as it comes."
        ),
        SettingKey("limits.maxCopiedBytes.user", .integer(0...gibibyte), default: "33554432", "The same for a user."),
        SettingKey("limits.maxDescriptionCharacters", .integer(0...100_000), default: "1000", "The longest description of a bot."),
        SettingKey("limits.maxInstructionsBytes", .integer(0...gibibyte), default: "65536", "The longest instructions of a bot."),
        SettingKey("limits.maxConfigBytes", .integer(2...gibibyte), default: "65536", "The largest config of a bot."),
    ]

    static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
}
