import ParleyCore

/// What the ledger of quotas is, in a list of what was taken: the measure for random operations.
///
/// It counts anew whenever it is asked, so that it has nothing in common with counters but what they must say.
struct QuotaModel {
    /// Who can be counted: everybody, a person by name, or an address.
    enum Subject: Hashable {
        case everybody
        case person(String)
        case address(ClientAddress)
    }

    /// Something that was taken.
    struct Entry {
        let key: QuotaKey
        let subject: Subject
        let admittedAt: Int64
        /// The turn that holds it; nil for what is charged.
        var turn: String?
    }

    /// A turn that runs.
    struct Running: Equatable {
        let id: String
        let person: String
        let conversation: String
        let host: Int
    }

    let policy: QuotaPolicy
    private(set) var entries: [Entry] = []
    private(set) var running: [Running] = []
    private(set) var bots: [String: Int] = [:]
    /// The latest moment of quota time that is stored, and the monotonic clock then.
    private(set) var mark: (time: Int64, monotonic: Int64)?

    init(policy: QuotaPolicy) {
        self.policy = policy
    }

    // MARK: Reading

    func reading(_ key: QuotaKey, of subject: Subject, at time: Int64, wall: Timestamp) -> QuotaReading? {
        guard let rule = policy[key] else { return nil }
        let window = rule.windowMilliseconds
        switch key.kind {
        case .live:
            guard case .person(let name) = subject else { return nil }
            return QuotaReading(rule, taken: bots[name, default: 0], held: 0)
        case .lease:
            guard case .person(let name) = subject else { return nil }
            let count = running.count { $0.person == name }
            return QuotaReading(rule, taken: count, held: count)
        case .lifetime, .window:
            let taken = entries.filter {
                $0.key == key && $0.subject == subject && (key.kind == .lifetime || $0.admittedAt > time - window)
            }.sorted { $0.admittedAt < $1.admittedAt }
            let isWindow = key.kind == .window
            return QuotaReading(
                rule, taken: taken.count, held: taken.count { $0.turn != nil },
                resetsAt: isWindow ? taken.last.map { wall.advanced(byMilliseconds: $0.admittedAt + window - time) } : nil,
                retryAfterMilliseconds: isWindow && taken.count >= rule.limit && rule.limit > 0
                    ? taken[taken.count - rule.limit].admittedAt + window - time : nil)
        }
    }

    /// The first limit that leaves no room.
    func refusal(_ keys: [QuotaKey], of subjects: (QuotaKey) -> Subject, at time: Int64, wall: Timestamp) -> Failure? {
        for key in QuotaKey.all where keys.contains(key) {
            if let reading = reading(key, of: subjects(key), at: time, wall: wall), !reading.isOpen {
                return .quotaExceeded(reading, of: key)
            }
        }
        return nil
    }

    // MARK: Writing

    mutating func hold(
        _ turn: Running, _ keys: [QuotaKey], of subjects: (QuotaKey) -> Subject, at time: Int64, _ monotonic: Int64
    ) {
        running.append(turn)
        entries += keys.map { Entry(key: $0, subject: subjects($0), admittedAt: time, turn: turn.id) }
        if mark?.time ?? .min <= time { mark = (time, monotonic) }
    }

    mutating func settle(_ id: String, _ settlement: Settlement) {
        running.removeAll { $0.id == id }
        entries = entries.compactMap { entry in
            guard entry.turn == id else { return entry }
            guard entry.subject == .everybody ? settlement.chargesSystem : settlement.chargesPerson else { return nil }
            var charged = entry
            charged.turn = nil
            return charged
        }
    }

    mutating func charge(_ key: QuotaKey, of subject: Subject, at time: Int64, _ monotonic: Int64) {
        entries.append(Entry(key: key, subject: subject, admittedAt: time))
        if key.kind == .window, mark?.time ?? .min <= time { mark = (time, monotonic) }
    }

    mutating func addBot(of person: String, _ difference: Int) { bots[person, default: 0] += difference }

    mutating func reset(_ subject: Subject) {
        entries.removeAll { $0.subject == subject && $0.turn == nil }
    }
}
