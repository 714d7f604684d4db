import GRDB
import ParleyCore

/// The ledger of quotas: what turns hold from their admission to their end, and what counters have counted.
///
/// A turn takes from everything that it could count against, limited or not, so that a limit that is set later finds what was taken before.
extension StoreTransaction {
    // MARK: Reading

    /// Whom limits are read for.
    struct QuotaParty {
        /// The person's key; nil for nobody, or for somebody who was never seen.
        var person: Int64?
        var address: ClientAddress?
    }

    /// How much of a reading is wanted, for the rest costs time.
    enum QuotaDetail {
        /// Whether there is room.
        case room
        /// What its person may see.
        case person
        /// All.
        case all
    }

    /// How a limit stands.
    ///
    /// - Parameters:
    ///   - time: quota time.
    ///   - wall: the wall clock, in whose terms moments are told.
    func reading(
        _ rule: QuotaRule, of party: QuotaParty, at time: Int64, wall: Timestamp, _ detail: QuotaDetail
    ) throws -> QuotaReading {
        switch rule.key.kind {
        case .lease:
            guard let person = party.person else { return QuotaReading(rule, taken: 0, held: 0) }
            if detail == .room, try hasRoomInFlight(person, limit: rule.limit) { return QuotaReading(rule, taken: 0, held: 0) }
            let running = try runningTurns(of: person)
            return QuotaReading(rule, taken: running, held: running)
        case .live:
            return QuotaReading(rule, taken: try party.person.map { try liveBots(of: $0) } ?? 0, held: 0)
        case .lifetime:
            let taken = try counter(rule.key, of: party).map { try total($0) } ?? 0
            return QuotaReading(rule, taken: taken, held: detail == .room ? 0 : try held(rule.key, of: party, from: .min))
        case .window:
            guard let counter = counter(rule.key, of: party) else { return QuotaReading(rule, taken: 0, held: 0) }
            let edge = time - rule.windowMilliseconds + 1
            let taken = try count(counter, from: edge)
            guard detail != .room else { return QuotaReading(rule, taken: taken, held: 0) }
            if detail == .person, rule.key.scope == .system, taken < rule.limit {
                // While it is open, its person sees no more of it.
                return QuotaReading(rule, taken: taken, held: 0).forItsPerson
            }
            func wait(from moment: Int64) -> Int64 { moment + rule.windowMilliseconds - time }
            let reading = QuotaReading(
                rule, taken: taken,
                held: detail == .person && rule.key.scope == .system ? 0 : try held(rule.key, of: party, from: edge),
                resetsAt: taken == 0 || rule.limit == 0
                    ? nil : try lastMoment(counter).map { wall.advanced(byMilliseconds: wait(from: $0)) },
                retryAfterMilliseconds: taken < rule.limit || rule.limit == 0
                    ? nil : try moment(counter, ofOldest: taken - rule.limit + 1, from: edge).map(wait))
            return detail == .person ? reading.forItsPerson : reading
        }
    }

    /// How all limits of somebody stand.
    func readings(_ keys: [QuotaKey], of party: QuotaParty, at wall: Timestamp, _ detail: QuotaDetail) throws -> [QuotaReading] {
        let time = try surroundings.clock.now(wall: wall, in: db)
        return try rules(keys).map { try reading($0, of: party, at: time, wall: wall, detail) }
    }

    /// The limits in force, of some.
    func rules(_ keys: [QuotaKey]) -> [QuotaRule] { keys.compactMap { surroundings.quotas[$0] } }

    // MARK: Taking

    /// Makes sure that limits leave room for one more.
    ///
    /// - Throws: `quotaExceeded` for the first that does not.
    func requireRoom(_ keys: [QuotaKey], of party: QuotaParty, at time: Int64, wall: Timestamp) throws {
        for rule in rules(keys) {
            guard try !reading(rule, of: party, at: time, wall: wall, .room).isOpen else { continue }
            throw Failure.quotaExceeded(try reading(rule, of: party, at: time, wall: wall, .person), of: rule.key)
        }
    }

    /// Makes sure that no more commands of a person run at once than its messages may: they cost nothing, but may keep tools busy.
    ///
    /// - Throws: `quotaExceeded` for the limit of what is in flight.
    func requireRoomForCommand(of person: Int64, _ kind: PersonKind) throws {
        guard let key = QuotaKey.inFlight(of: kind), let rule = surroundings.quotas[key] else { return }
        let running = try runningCommands(of: person)
        let reading = QuotaReading(rule, taken: running, held: running)
        guard reading.isOpen else { throw Failure.quotaExceeded(reading, of: key) }
    }

    /// Takes one of something.
    ///
    /// - Parameter time: quota time.
    func take(_ key: QuotaKey, of party: QuotaParty, at time: Int64) throws {
        guard let counter = counter(key, of: party) else { return }
        if key.kind == .lifetime { try addToTotal(counter) } else if key.kind == .window { try add(counter, at: time) }
    }

    /// Takes a bot that is about to be made.
    ///
    /// - Throws: `quotaExceeded`.
    func takeBot(_ key: QuotaKey, of person: Int64, at wall: Timestamp) throws {
        let party = QuotaParty(person: person)
        let time = try surroundings.clock.now(wall: wall, in: db)
        try requireRoom([key], of: party, at: time, wall: wall)
        try take(key, of: party, at: time)
    }

    /// Takes a conversation that is about to be copied.
    ///
    /// - Throws: `quotaExceeded`.
    func takeCopy(by person: Int64, _ kind: PersonKind, at wall: Timestamp) throws {
        guard let key = QuotaKey.copies(of: kind) else { return }
        let party = QuotaParty(person: person)
        let time = try surroundings.clock.now(wall: wall, in: db)
        try requireRoom([key], of: party, at: time, wall: wall)
        try take(key, of: party, at: time)
        try surroundings.clock.advance(to: time, in: db)
    }

    /// Takes what a turn holds until its end.
    func hold(turn: Int64, person: Int64, kind: PersonKind, address: ClientAddress?, at time: Int64) throws {
        try db.run(
            "INSERT INTO holds (turn, person, kind, admitted_at, address) VALUES (?, ?, ?, ?, ?)", turn, person, kind.rawValue, time,
            address?.text)
        let party = QuotaParty(person: person, address: address)
        for key in QuotaKey.turn(of: kind, hasAddress: address != nil) { try take(key, of: party, at: time) }
        try surroundings.clock.advance(to: time, in: db)
    }

    // MARK: Settling

    /// Settles what a turn holds.
    ///
    /// - Returns: what it has cost its person; nil for a turn that was admitted before there was a ledger.
    func settle(_ turn: TurnRow, _ settlement: Settlement, at wall: Timestamp) throws -> QuotaReceipt? {
        guard !turn.value.isLocal else {
            try releaseToolCalls(ofTurn: turn.key)
            return try receiptOfCommand(turn, at: wall)
        }
        let hold: Hold? = try db.first("SELECT person, kind, admitted_at, address FROM holds WHERE turn = ?", turn.key, read: Hold.init)
        // Nobody else's calls are counted.
        if hold.map({ $0.kind == .anonymous }) ?? true { try releaseToolCalls(ofTurn: turn.key) }
        guard let hold else { return nil }
        try db.run("DELETE FROM holds WHERE turn = ?", turn.key)
        let party = QuotaParty(person: hold.person, address: hold.address)
        let keys = QuotaKey.turn(of: hold.kind, hasAddress: hold.address != nil)
        for key in keys where !(key.scope == .system ? settlement.chargesSystem : settlement.chargesPerson) {
            guard let counter = counter(key, of: party) else { continue }
            if key.kind == .lifetime { try subtractFromTotal(counter) } else { try remove(counter, at: hold.admittedAt) }
        }
        let readings = try readings(keys, of: party, at: wall, .person)
        let warnings = zip(rules(keys), readings).compactMap { rule, reading in
            reading.totals.flatMap { rule.warning(used: $0.used, remaining: $0.remaining) }
        }
        return QuotaReceipt(
            counted: settlement.chargesPerson, reason: settlement.reason, warning: warnings.first, limits: readings)
    }

    /// What a command has cost its person, which is nothing: it holds nothing, so that it is answered when everything is used up too.
    private func receiptOfCommand(_ turn: TurnRow, at wall: Timestamp) throws -> QuotaReceipt? {
        guard let kind = try kind(ofPerson: turn.person) else { return nil }
        let limits = try readings(QuotaKey.turn(of: kind, hasAddress: false), of: QuotaParty(person: turn.person), at: wall, .person)
        return QuotaReceipt(counted: false, reason: .local, warning: nil, limits: limits)
    }

    // MARK: Resetting

    /// Forgets what was charged; what is held is counted anew.
    func reset(_ keys: [QuotaKey], of party: QuotaParty) throws {
        for key in keys {
            guard let counter = counter(key, of: party) else { continue }
            try clear(counter)
            for hold in try holds(of: party) where QuotaKey.turn(of: hold.kind, hasAddress: hold.address != nil).contains(key) {
                try take(key, of: party, at: hold.admittedAt)
            }
            for _ in 0..<(key.isOfTool ? try held(key, of: party, from: .min) : 0) { try take(key, of: party, at: 0) }
        }
    }

    // MARK: Counting

    /// What a turn holds.
    private struct Hold {
        let person: Int64
        let kind: PersonKind
        let admittedAt: Int64
        let address: ClientAddress?

        init(_ row: StoredRow) throws {
            guard let kind = PersonKind(rawValue: row[1]) else { throw SQLiteFailure.unreadable("holds.kind") }
            person = row[0]
            self.kind = kind
            admittedAt = row[2]
            address = (row[3] as String?).flatMap(ClientAddress.init)
        }
    }

    /// The counter of a limit, if it has one; nil for nobody's.
    private func counter(_ key: QuotaKey, of party: QuotaParty) -> Counter? {
        switch key.scope {
        case .system: Counter(name: key.name, subject: "")
        case .anonymous, .user: party.person.map { Counter(name: key.name, subject: String($0)) }
        case .address: party.address.map { Counter(name: key.name, subject: $0.text) }
        }
    }

    /// The holds of a person, or of an address, or, for neither, all.
    private func holds(of party: QuotaParty) throws -> [Hold] {
        let selection = "SELECT person, kind, admitted_at, address FROM holds"
        return if let person = party.person {
            try db.all(selection + " WHERE person = ?", person, read: Hold.init)
        } else if let address = party.address {
            try db.all(selection + " WHERE address = ?", address.text, read: Hold.init)
        } else {
            try db.all(selection, read: Hold.init)
        }
    }

    /// How many of the turns that a limit counts are held since a moment of quota time.
    private func held(_ key: QuotaKey, of party: QuotaParty, from moment: Int64) throws -> Int {
        func count(_ sql: String, _ subject: some SQLValue) throws -> Int { try db.first(sql, subject, moment) { $0[0] } ?? 0 }
        return switch key {
        case .systemTurns: try count("SELECT count(*) FROM holds WHERE ? IS NULL AND admitted_at >= ?", Int64?.none)
        case .systemAnonymousTurns:
            try count("SELECT count(*) FROM holds WHERE kind = ? AND admitted_at >= ?", PersonKind.anonymous.rawValue)
        case .anonymousTurns, .userTurns:
            try party.person.map { try count("SELECT count(*) FROM holds WHERE person = ? AND admitted_at >= ?", $0) } ?? 0
        case _ where key.isOfTool:
            try party.person.map { person in
                try db.first("SELECT count(*) FROM tool_holds WHERE person = ? AND name = ?", person, key.toolName ?? "") { $0[0] } ?? 0
            } ?? 0
        case .addressTurns:
            try party.address.map { try count("SELECT count(*) FROM holds WHERE address = ? AND admitted_at >= ?", $0.text) } ?? 0
        default: 0
        }
    }

    /// How many commands of a person run.
    func runningCommands(of person: Int64) throws -> Int {
        try db.first("SELECT count(*) FROM turns WHERE person = ? AND status = 'inProgress' AND local", person) { $0[0] } ?? 0
    }

    /// Whether fewer turns of a person run, commands not counted, than may.
    func hasRoomInFlight(_ person: Int64, limit: Int) throws -> Bool {
        // Most often there is room for those that wait, too, and then it need not be looked which of them run.
        let held: Int = try db.first("SELECT count(*) FROM holds WHERE person = ?", person) { $0[0] } ?? 0
        return try held < limit || runningTurns(of: person) < limit
    }

    /// How many turns of a person run that are no commands.
    func runningTurns(of person: Int64) throws -> Int {
        try db.first(
            "SELECT count(*) FROM holds h JOIN turns t ON t.key = h.turn WHERE h.person = ? AND t.status = 'inProgress'", person
        ) { $0[0] } ?? 0
    }

    private func liveBots(of person: Int64) throws -> Int {
        try db.first("SELECT count(*) FROM bots WHERE owner = ?", person) { $0[0] } ?? 0
    }
}
