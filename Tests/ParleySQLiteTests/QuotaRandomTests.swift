import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleySQLite

/// Thousands of random admissions, ends, deaths and moves of the clock, through several hosts on one database; after every step all limits
/// must stand as the model says.
@Suite(.timeLimit(.minutes(5))) struct QuotaRandomTests {
    @Test(arguments: 1...4 as ClosedRange<UInt64>) func ledgerIsAsTheModelSays(seed: UInt64) async throws {
        var walk = try await QuotaWalk(seed: seed)
        for _ in 0..<700 {
            try await walk.step()
            try await walk.compareAll()
        }
        #expect(walk.outcomes.count >= 8, "\(walk.outcomes)")
        try await walk.close()
    }
}

private struct QuotaWalk {
    private static let policy = QuotaPolicy([
        QuotaRule(.systemTurns, limit: 7, windowSeconds: 40), QuotaRule(.systemAnonymousTurns, limit: 5, windowSeconds: 25),
        QuotaRule(.anonymousTurns, limit: 9, warnAfter: 6), QuotaRule(.anonymousBots, limit: 3), QuotaRule(.userBots, limit: 2),
        QuotaRule(.userTurns, limit: 3, windowSeconds: 30), QuotaRule(.anonymousInFlight, limit: 2), QuotaRule(.userInFlight, limit: 2),
        QuotaRule(.addressAnonymousUsers, limit: 2, windowSeconds: 60), QuotaRule(.addressTurns, limit: 3, windowSeconds: 35),
    ])
    private static let address = ClientAddress("192.0.2.1")

    private struct Person {
        let name: String
        let caller: Caller
        let conversations: [String]
    }

    private let database: TemporaryDatabase
    private let clock = TestClock()
    private var chance: SeededGenerator
    private var model = QuotaModel(policy: policy)
    private var hosts: [Int: SQLiteStore] = [:]
    private var dead: [Int: SQLiteStore] = [:]
    private var people: [Person] = []
    private var admitted: [String: AdmittedTurn] = [:]
    private var made = 0
    private(set) var outcomes: [String: Int] = [:]

    init(seed: UInt64) async throws {
        database = try TemporaryDatabase()
        chance = SeededGenerator(seed: seed)
        for host in 1...2 { try openHost(host) }
        let store = try #require(hosts[1])
        for number in 1...5 as ClosedRange<UInt8> {
            let new = NewAnonymousUser.numbered(number)
            let isUser = number > 3
            let caller = isUser ? Caller.user(id: "user-\(number)") : .anonymous(new.tokenHash)
            if !isUser { try await store.createAnonymousUser(new) }
            let conversations = (1...3).map { "c\(number).\($0)" }
            for id in conversations { try await store.makeConversation(id, for: caller) }
            people.append(Person(name: isUser ? "user-\(number)" : new.id, caller: caller, conversations: conversations))
        }
    }

    // MARK: Steps

    mutating func step() async throws {
        made += 1
        switch Int.random(in: 0..<100, using: &chance) {
        case 0..<45: try await admit()
        case 45..<70: try await finish()
        case 70..<84: clock.pass(milliseconds: oneOf([0, 1, 4_999, 5_000, 5_000, 10_000]))
        case 84..<87: clock.step(milliseconds: oneOf([-86_400_000, 86_400_000, -20_000, 20_000]))
        case 87..<91: try await makeOrDeleteBot()
        case 91..<93: try await makeVisitor()
        case 93..<95: try await reset()
        case 95..<97: try await deleteConversation()
        default: try await dieOrReturn()
        }
    }

    private mutating func admit() async throws {
        let (host, store) = anyHost()
        let person = oneOf(people)
        let conversation = oneOf(person.conversations)
        let address = person.caller.kind == .anonymous && Bool.random(using: &chance) ? Self.address : nil
        let id = "t\(made)"
        var after = model
        var expected = expectation(of: id, in: conversation, by: person, from: address, on: host, &after)
        if expected?.code == .quotaExceeded, model.running.contains(where: { hosts[$0.host] == nil }) {
            // What turns of dead hosts hold is given back before anybody is refused for good.
            recoverDead()
            after = model
            expected = expectation(of: id, in: conversation, by: person, from: address, on: host, &after)
        }
        var new = NewTurn.plain(id, .existing(conversationID: conversation), at: clock.now.milliseconds)
        new.address = address
        do throws(Failure) {
            let turn = try await store.accept(new, for: person.caller)
            #expect(expected == nil, "admitted instead of \(String(describing: expected))")
            admitted[id] = turn
            model = after
            note("admitted")
            let used = model.reading(.anonymousTurns, of: .person(person.name), at: 0, wall: clock.now)?.totals
            let isWarned = person.caller.kind == .anonymous && (used.map { $0.used + $0.held } ?? 0) > 6
            #expect((turn.warning != nil) == isWarned)
        } catch {
            #expect(
                error.code == expected?.code && error.details == expected?.details, "\(error) instead of \(String(describing: expected))")
            note(error.code == .quotaExceeded ? "\(error.details[0].value) \(error.details[1].value)" : error.code.rawValue)
        }
    }

    /// What must come of a message, and what the ledger is then.
    private mutating func expectation(
        of id: String, in conversation: String, by person: Person, from address: ClientAddress?, on host: Int, _ model: inout QuotaModel
    ) -> Failure? {
        if let turn = model.running.first(where: { $0.conversation == conversation }) {
            guard hosts[turn.host] == nil else { return .conversationBusy(turnID: turn.id) }
            model.settle(turn.id, Settlement(.interrupted))
        }
        let time = time(model)
        let keys = QuotaKey.turn(of: person.caller.kind, hasAddress: address != nil)
        let subjects: (QuotaKey) -> QuotaModel.Subject = { key in
            switch key.scope {
            case .system: .everybody
            case .address: address.map { .address($0) } ?? .everybody
            default: .person(person.name)
            }
        }
        let checked = keys + [QuotaKey.inFlight(of: person.caller.kind)].compactMap { $0 }
        if let refusal = model.refusal(checked, of: subjects, at: time, wall: clock.now) { return refusal }
        let turn = QuotaModel.Running(id: id, person: person.name, conversation: conversation, host: host)
        model.hold(turn, keys, of: subjects, at: time, clock.monotonic)
        return nil
    }

    private mutating func finish() async throws {
        let own = model.running.filter { hosts[$0.host] != nil }
        guard let turn = own.randomElement(using: &chance), let store = hosts[turn.host], let admission = admitted[turn.id] else { return }
        let reason = oneOf([Settlement.Reason.completed, .completed, .completed, .cancelled, .nothingSaid, .failed, .modelNotCalled])
        let result = try await store.finish(admission, reason, at: clock.now.milliseconds)
        model.settle(turn.id, Settlement(reason))
        #expect(result.turn.quota?.reason == reason && result.turn.quota?.counted == Settlement(reason).chargesPerson)
        note(reason.rawValue)
    }

    private mutating func makeOrDeleteBot() async throws {
        let store = anyHost().store
        let person = oneOf(people)
        guard let key = QuotaKey.bots(of: person.caller.kind) else { return }
        if Bool.random(using: &chance), let bot = try await store.bots(.own, page: PageRequest(), for: person.caller).elements.first {
            try await store.deleteBot(bot.id, at: clock.now, for: person.caller)
            model.addBot(of: person.name, -1)
            return
        }
        let time = time(model)
        let expected = model.refusal([key], of: { _ in .person(person.name) }, at: time, wall: clock.now)
        do throws(Failure) {
            try await store.makeBot("b\(made)", name: "Bot \(made)", at: clock.now.milliseconds, for: person.caller)
            #expect(expected == nil)
            model.addBot(of: person.name, 1)
            if key.kind == .lifetime { model.charge(key, of: .person(person.name), at: time, clock.monotonic) }
        } catch {
            #expect(error.details == expected?.details, "\(error)")
            note("\(key.name)")
        }
    }

    private mutating func makeVisitor() async throws {
        let store = anyHost().store
        guard let address = Self.address else { return }
        let time = time(model)
        let expected = model.refusal([.addressAnonymousUsers], of: { _ in .address(address) }, at: time, wall: clock.now)
        let hash = AnonymousToken.hash(ofText: "visitor \(made)")
        do throws(Failure) {
            try await store.createAnonymousUser(
                NewAnonymousUser(id: "visitor-\(made)", tokenHash: hash, createdAt: clock.now, address: address))
            #expect(expected == nil)
            model.charge(.addressAnonymousUsers, of: .address(address), at: time, clock.monotonic)
        } catch {
            #expect(error.details == expected?.details, "\(error)")
            note("address.anonymousUsers")
        }
    }

    private mutating func reset() async throws {
        let store = anyHost().store
        let (subject, counted) = oneOf(subjects)
        _ = try await store.resetQuota(of: subject, scope: nil, at: clock.now)
        model.reset(counted)
    }

    private mutating func deleteConversation() async throws {
        let person = oneOf(people)
        let id = oneOf(person.conversations)
        guard !model.running.contains(where: { $0.conversation == id }) else { return }
        let store = anyHost().store
        try await store.deleteConversation(id, at: clock.now, for: person.caller)
        try await store.makeConversation(id, at: clock.now.milliseconds, for: person.caller)
    }

    private mutating func dieOrReturn() async throws {
        if hosts.count < 2 {
            try openHost((hosts.keys.max() ?? 0) + dead.count + 1)
            note("host came")
        } else if let (host, store) = hosts.randomElement(using: &chance) {
            store.surroundings.locks?.unlockAll()
            hosts[host] = nil
            dead[host] = store
            note("host died")
        }
    }

    private mutating func openHost(_ host: Int) throws {
        hosts[host] = try database.open(quotas: Self.policy, clock: clock)
        recoverDead()
    }

    private mutating func recoverDead() {
        for turn in model.running where hosts[turn.host] == nil { model.settle(turn.id, Settlement(.interrupted)) }
    }

    // MARK: Comparing

    private var subjects: [(QuotaSubject, QuotaModel.Subject)] {
        people.map { person in
            switch person.caller {
            case .user(let id): (QuotaSubject.user(id: id), .person(person.name))
            default: (.anonymousUser(id: person.name), .person(person.name))
            }
        } + [(.system, .everybody)] + (Self.address.map { [(.address($0), .address($0))] } ?? [])
    }

    mutating func compareAll() async throws {
        let store = anyHost().store
        for (subject, counted) in subjects {
            let time = time(model)
            let readings = try await store.quota(of: subject, at: clock.now)
            let scope: QuotaKey.Scope =
                switch subject {
                case .system: .system
                case .address: .address
                case .user: .user
                default: .anonymous
                }
            let expected = QuotaKey.all.filter { $0.scope == scope }.compactMap {
                model.reading($0, of: counted, at: time, wall: clock.now)
            }
            #expect(readings == expected, "step \(made)")
        }
    }

    mutating func close() async throws {
        for store in hosts.values { try await store.close() }
        #expect(SQLiteStore.check(path: database.path) == [])
    }

    /// Quota time: max(wall clock, stored mark + monotonic time since).
    private func time(_ model: QuotaModel) -> Int64 {
        guard let mark = model.mark else { return clock.now.milliseconds }
        return max(clock.now.milliseconds, mark.time + clock.monotonic - mark.monotonic)
    }

    // MARK: Chance

    private mutating func anyHost() -> (number: Int, store: SQLiteStore) {
        guard let (number, store) = hosts.sorted(by: { $0.key < $1.key }).randomElement(using: &chance) else {
            preconditionFailure("one host always lives")
        }
        return (number, store)
    }

    private mutating func oneOf<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &chance)]
    }

    private mutating func note(_ outcome: String) { outcomes[outcome, default: 0] += 1 }
}
