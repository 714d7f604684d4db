package import ParleyCore
package import Testing

/// Short forms for what clauses about quotas need.
extension Store {
    /// Makes an anonymous person with a conversation called after it.
    @discardableResult
    func makeAnonymous(_ number: UInt8, address: String? = nil, at time: Int64 = 500) async throws(Failure) -> Caller {
        var new = NewAnonymousUser.numbered(number)
        new.createdAt = Timestamp(milliseconds: time)
        new.address = address.flatMap(ClientAddress.init)
        try await createAnonymousUser(new)
        try await makeConversation("c\(number)", at: time, for: .anonymous(new.tokenHash))
        return .anonymous(new.tokenHash)
    }

    /// How one limit of a caller stands.
    package func reading(
        _ key: QuotaKey, of subject: QuotaSubject, at time: Int64 = 10_000, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> QuotaReading {
        let readings = try await quota(of: subject, at: Timestamp(milliseconds: time))
        return try #require(readings.first { $0.scope == key.scope && $0.unit == key.unit }, sourceLocation: sourceLocation)
    }

    /// Expects a limit to stand so.
    package func expect(
        _ key: QuotaKey, of subject: QuotaSubject, used: Int, held: Int = 0, at time: Int64 = 10_000,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let totals = try #require(
            try await reading(key, of: subject, at: time, sourceLocation: sourceLocation).totals, sourceLocation: sourceLocation)
        #expect(totals.used == used && totals.held == held, "\(key.name): \(totals)", sourceLocation: sourceLocation)
    }
}

/// Expects a refusal by a limit.
///
/// - Returns: the failure.
@discardableResult
package func expectExceeded<Value>(
    _ key: QuotaKey, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws(Failure) -> Value
) async -> Failure? {
    do throws(Failure) {
        _ = try await body()
        Issue.record("\(key.name) was expected to be exceeded, but nothing failed", sourceLocation: sourceLocation)
        return nil
    } catch {
        #expect(error.code == .quotaExceeded, "\(error)", sourceLocation: sourceLocation)
        #expect(
            error.details.prefix(2) == [.init("scope", .string(key.scope.rawValue)), .init("unit", .string(key.unit))],
            sourceLocation: sourceLocation)
        return error
    }
}

extension Failure {
    /// A member of the error's data.
    package subscript(name: String) -> Detail? { details.first { $0.name == name } }

    /// The number in a member of the error's data.
    package func number(_ name: String) -> Int? { self[name]?.value.intValue }
}

extension StoreContract {
    private static func lifetime(_ limit: Int, warnAfter: Int? = nil) -> QuotaPolicy {
        QuotaPolicy([QuotaRule(.anonymousTurns, limit: limit, warnAfter: warnAfter)])
    }

    static let quotaClauses: [StoreContract] = [
        StoreContract(
            "A lifetime limit admits exactly as many turns, its receipts count from one, and waiting never helps",
            quotas: lifetime(3, warnAfter: 2)
        ) {
            store in
            let caller = try await store.makeAnonymous(1)
            for number in 1...3 {
                let admitted = try await store.admit("t\(number)", in: "c1", for: caller)
                #expect((admitted.warning != nil) == (number == 3))
                let receipt = try #require(try await store.finish(admitted).turn.quota)
                #expect(receipt.counted && receipt.reason == .completed)
                #expect(receipt.limits.map(\.totals) == [QuotaReading.Totals(limit: 3, used: number, held: 0)])
                #expect(receipt.warning?.remaining == (number == 3 ? 0 : nil))
            }
            for time in [4_000, 4_000_000_000_000] as [Int64] {
                let refusal = await expectExceeded(.anonymousTurns) { () async throws(Failure) in
                    try await store.admit("t4", in: "c1", at: time, for: caller)
                }
                #expect(refusal?["retryable"]?.value == false && refusal?["upgrade"]?.value == "signIn")
                #expect(refusal?.number("limit") == 3 && refusal?.number("used") == 3 && refusal?.number("remaining") == 0)
                #expect(refusal?["retryAfterMs"] == nil && refusal?["resetsAt"] == nil && refusal?.number("httpStatus") == 403)
            }
            #expect(try await store.conversation("c1", for: caller).messageCount == 6, "a refusal stores nothing")
            try await store.expect(.anonymousTurns, of: .caller(caller, nil), used: 3)
        },
        StoreContract("What a turn holds is charged or released as the table of settlements says", quotas: .standard) { store in
            let caller = try await store.makeAnonymous(1)
            let rows: [(Settlement.Reason, person: Int, system: Int)] = [
                (.modelNotCalled, 0, 0), (.nothingSaid, 0, 1), (.failed, 0, 1), (.cancelled, 1, 1), (.completed, 1, 1),
                (.interrupted, 0, 1),
            ]
            var used = (person: 0, system: 0)
            for (index, row) in rows.enumerated() {
                let admitted = try await store.admit("t\(index)", in: "c1", for: caller)
                try await store.expect(.anonymousTurns, of: .caller(caller, nil), used: used.person, held: 1)
                try await store.expect(.systemTurns, of: .system, used: used.system, held: 1)
                try await store.expect(.systemAnonymousTurns, of: .system, used: used.system, held: 1)
                let receipt = try await store.finish(admitted, row.0).turn.quota
                #expect(receipt?.counted == (row.person == 1) && receipt?.reason == row.0)
                used = (used.person + row.person, used.system + row.system)
                try await store.expect(.anonymousTurns, of: .caller(caller, nil), used: used.person)
                try await store.expect(.systemTurns, of: .system, used: used.system)
                try await store.expect(.systemAnonymousTurns, of: .system, used: used.system)
            }
            let stored = try await store.turn("t0", for: caller).turn.quota
            #expect(stored?.reason == .modelNotCalled, "a receipt is kept")
        },
        StoreContract(
            "A window slides to the millisecond, and says when to come back",
            quotas: QuotaPolicy([QuotaRule(.userTurns, limit: 2, windowSeconds: 10)])
        ) {
            store in
            try await store.makeConversation("c", for: .ann)
            for (index, time) in ([1_000, 4_000] as [Int64]).enumerated() {
                try await store.finish(try await store.admit("t\(index)", in: "c", at: time, for: .ann), at: time)
            }
            for time in [4_000, 10_999] as [Int64] {
                let refusal = await expectExceeded(.userTurns) { () async throws(Failure) in
                    try await store.admit("u", in: "c", at: time, for: .ann)
                }
                #expect(refusal?.number("retryAfterMs") == Int(11_000 - time) && refusal?["retryable"]?.value == true)
                #expect(refusal?["resetsAt"]?.value == .string(Timestamp(milliseconds: 14_000).rfc3339))
                #expect(refusal?.number("windowSeconds") == 10 && refusal?["upgrade"] == nil)
            }
            let third = try await store.admit("t2", in: "c", at: 11_000, for: .ann)
            #expect(try await store.finish(third, at: 11_000).turn.quota?.limits.first?.retryAfterMilliseconds == 3_000)
            try await store.expect(.userTurns, of: .user(id: "ann"), used: 2, at: 11_000)
            try await store.expect(.userTurns, of: .user(id: "ann"), used: 0, at: 21_000)
            #expect(try await store.reading(.userTurns, of: .user(id: "ann"), at: 21_000).resetsAt == nil)
        },
        StoreContract(
            "The system's window counts everybody, visitors cannot shut out users, and nobody sees the numbers",
            quotas: QuotaPolicy([
                QuotaRule(.systemTurns, limit: 3, windowSeconds: 100), QuotaRule(.systemAnonymousTurns, limit: 1, windowSeconds: 100),
            ])
        ) { store in
            let caller = try await store.makeAnonymous(1)
            try await store.makeConversation("c", for: .ann)
            try await store.finish(try await store.admit("t", in: "c1", for: caller))
            let refused = await expectExceeded(.systemAnonymousTurns) { () async throws(Failure) in
                try await store.admit("u", in: "c1", for: caller)
            }
            #expect(refused?["upgrade"]?.value == "signIn")
            for turn in ["v", "w"] {
                let receipt = try await store.finish(try await store.admit(turn, in: "c", for: .ann)).turn.quota
                #expect(receipt?.limits.map(\.totals) == [nil] && receipt?.limits.first?.isOpen == (turn == "v"))
            }
            let refusal = await expectExceeded(.systemTurns) { () async throws(Failure) in try await store.admit("x", in: "c", for: .ann) }
            #expect(refusal?.details.map(\.name) == ["scope", "unit", "windowSeconds", "resetsAt", "retryAfterMs", "retryable"])
        },
        StoreContract(
            "Turns that run at once are bounded; a refusal for that is retryable and costs nothing",
            quotas: QuotaPolicy([QuotaRule(.userInFlight, limit: 2)])
        ) {
            store in
            for name in ["a", "b", "c"] { try await store.makeConversation(name, for: .ann) }
            let first = try await store.admit("t", in: "a", for: .ann)
            try await store.admit("u", in: "b", for: .ann)
            let refusal = await expectExceeded(.userInFlight) { () async throws(Failure) in try await store.admit("v", in: "c", for: .ann) }
            #expect(refusal?["retryable"]?.value == true && refusal?.number("held") == 2)
            try await store.finish(first)
            try await store.admit("v", in: "c", for: .ann)
        },
        StoreContract(
            "A limit of nothing admits nothing, and no waiting helps",
            quotas: QuotaPolicy([QuotaRule(.systemTurns, limit: 0, windowSeconds: 10)])
        ) { store in
            try await store.makeConversation("c", for: .ann)
            let refusal = await expectExceeded(.systemTurns) { () async throws(Failure) in try await store.admit("t", in: "c", for: .ann) }
            #expect(refusal?["retryable"]?.value == false && refusal?["retryAfterMs"] == nil)
        },
        StoreContract("An anonymous person makes so many bots in a lifetime, a user has so many at a time", quotas: .standard) { store in
            let caller = try await store.makeAnonymous(1)
            try await store.makeBot("b", name: "One", for: caller)
            try await store.deleteBot("b", at: Timestamp(milliseconds: 2_000), for: caller)
            await expectExceeded(.anonymousBots) { () async throws(Failure) in try await store.makeBot("b2", name: "Two", for: caller) }
            for number in 1...3 { try await store.makeBot("u\(number)", name: "Bot \(number)", for: .ann) }
            let refusal = await expectExceeded(.userBots) { () async throws(Failure) in
                try await store.makeBot("u4", name: "Bot 4", for: .ann)
            }
            #expect(refusal?["retryable"]?.value == false && refusal?["upgrade"] == nil)
            try await store.deleteBot("u1", at: Timestamp(milliseconds: 2_000), for: .ann)
            try await store.makeBot("u4", name: "Bot 4", for: .ann)
        },
        StoreContract(
            "Anonymous people from one address are bounded, however they are made, and so are their turns",
            quotas: QuotaPolicy([
                QuotaRule(.addressAnonymousUsers, limit: 2, windowSeconds: 10), QuotaRule(.addressTurns, limit: 1, windowSeconds: 10),
            ])
        ) { store in
            let first = try await store.makeAnonymous(1, address: "192.0.2.1", at: 1_000)
            let second = try await store.makeAnonymous(2, address: "::ffff:192.0.2.1", at: 1_000)
            await expectExceeded(.addressAnonymousUsers) { () async throws(Failure) in
                try await store.makeAnonymous(3, address: "192.0.2.1", at: 10_999)
            }
            var new = NewAnonymousUser.numbered(4)
            new.address = ClientAddress("192.0.2.1")
            await expectExceeded(.addressAnonymousUsers) { [new] () async throws(Failure) in
                try await store.makeConversation("c4", for: .newAnonymous(new))
            }
            try await store.makeAnonymous(5, address: "192.0.2.2", at: 1_000)
            try await store.makeAnonymous(6, at: 1_000)
            var turn = NewTurn.plain("t", .existing(conversationID: "c1"))
            turn.address = ClientAddress("192.0.2.1")
            try await store.finish(try await store.accept(turn, for: first))
            var other = NewTurn.plain("u", .existing(conversationID: "c2"))
            other.address = ClientAddress("192.0.2.1")
            await expectExceeded(.addressTurns) { [other] () async throws(Failure) in try await store.accept(other, for: second) }
            let address = try #require(ClientAddress("192.0.2.1"))
            try await store.expect(.addressTurns, of: .address(address), used: 1)
        },
        StoreContract("A reset forgets what was charged and keeps what is held", quotas: .standard) { store in
            let caller = try await store.makeAnonymous(1)
            try await store.finish(try await store.admit("t", in: "c1", for: caller))
            let running = try await store.admit("u", in: "c1", for: caller)
            let now = Timestamp(milliseconds: 3_000)
            _ = try await store.resetQuota(of: .anonymousUser(id: "anonymous-1"), scope: nil, at: now)
            try await store.expect(.anonymousTurns, of: .caller(caller, nil), used: 0, held: 1)
            try await store.expect(.systemTurns, of: .system, used: 1, held: 1)
            _ = try await store.resetQuota(of: .system, scope: .system, at: now)
            try await store.expect(.systemTurns, of: .system, used: 0, held: 1)
            try await store.expect(.systemAnonymousTurns, of: .system, used: 0, held: 1)
            try await store.finish(running, .modelNotCalled)
            try await store.expect(.systemTurns, of: .system, used: 0)
            try await store.expect(.anonymousTurns, of: .caller(caller, nil), used: 0)
            await expectFailure(.notFound(.anonymousUser, "nobody")) { () async throws(Failure) in
                try await store.quota(of: .anonymousUser(id: "nobody"), at: now)
            }
        },
        StoreContract("Deleting conversations gives nothing back", quotas: .standard) { store in
            let caller = try await store.makeAnonymous(1)
            try await store.finish(try await store.admit("t", in: "c1", for: caller))
            try await store.deleteConversation("c1", at: Timestamp(milliseconds: 4_000), for: caller)
            try await store.expect(.anonymousTurns, of: .caller(caller, nil), used: 1)
            try await store.expect(.systemTurns, of: .system, used: 1)
        },
        StoreContract(
            "What has expired is discarded, and nothing else",
            quotas: QuotaPolicy([QuotaRule(.userTurns, limit: 9, windowSeconds: QuotaPolicy.maximumWindowSeconds)])
        ) {
            store in
            try await store.makeConversation("c", for: .ann)
            try await store.finish(try await store.admit("t", in: "c", at: 0, for: .ann))
            try await store.finish(try await store.admit("u", in: "c", at: 5_000, for: .ann))
            let length = Int64(QuotaPolicy.maximumWindowSeconds) * 1_000
            for time in [length - 1, length, length + 4_999] {
                let before = try await store.quota(of: .user(id: "ann"), at: Timestamp(milliseconds: time))
                try await store.discardExpired(at: Timestamp(milliseconds: time))
                #expect(try await store.quota(of: .user(id: "ann"), at: Timestamp(milliseconds: time)) == before)
            }
        },
    ]
}
