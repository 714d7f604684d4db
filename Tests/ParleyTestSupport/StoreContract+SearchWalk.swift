import ParleyCore
import Testing

extension StoreContract {
    /// Hundreds of random changes, and after each a random search, whose result is that of going through everything.
    static let searchWalk = StoreContract("random searches find what going through everything finds") { store in
        for seed in 11...14 as ClosedRange<UInt64> {
            var walk = SearchWalk(seed: seed)
            try await walk.begin(store)
            for _ in 0..<150 {
                try await walk.step(store)
                try await walk.compare(store)
            }
        }
    }
}

/// What people do to their conversations and look for in them, beside a list of all that was said.
private struct SearchWalk {
    /// A word as it is written, as it is written otherwise, and what it is to searches: one word, or several where nothing stands between them.
    private static let words: [(forms: [String], units: [String])] = [
        (["parrot", "Parrot", "PARROT"], ["parrot"]), (["parrots", "PARROTS"], ["parrots"]), (["par"], ["par"]),
        (["straße", "STRASSE", "Strasse"], ["strasse"]), (["élan", "Elan", "e\u{301}lan"], ["elan"]), (["naïve", "NAÏVE"], ["naive"]),
        (["42", "４２"], ["42"]), (["don't"], ["don", "t"]), (["鸚鵡"], ["鸚", "鵡"]), (["鵡住"], ["鵡", "住"]),
        (["ガラス", "ｶﾞﾗｽ"], ["ガ", "ラ", "ス"]), (["ไทย"], ["ไ", "ท", "ย"]), (["Ärger", "ärger"], ["arger"]), (["AND"], ["and"]),
        (["NEAR"], ["near"]), (["🦜"], ["🦜"]),
    ]
    private static let gaps = [" ", "  ", "\n", ", ", " — ", "\t", " (", ") "]

    /// A text with the units that it is made of.
    fileprivate struct Said {
        var text: String
        var units: [String]
    }

    private struct Talk {
        var owner: Int
        var title: Said
        /// In the order in which they were stored.
        var messages: [(id: String, said: Said)] = []
    }

    private var chance: SeededGenerator
    private let prefix: String
    private var made = 0
    private var clock: Int64 = 1_000_000
    private var callers: [Caller]
    private var talks: [String: Talk] = [:]
    private var guest: NewAnonymousUser

    init(seed: UInt64) {
        chance = SeededGenerator(seed: seed)
        prefix = "w\(seed)-"
        guest = NewAnonymousUser.numbered(UInt8(seed))
        callers = [.user(id: prefix + "ann"), .user(id: prefix + "bob"), .anonymous(guest.tokenHash)]
    }

    mutating func begin(_ store: any Store) async throws {
        guest.id = prefix + "guest"
        try await store.createAnonymousUser(guest)
    }

    mutating func step(_ store: any Store) async throws {
        clock += Int64.random(in: 0...2, using: &chance)
        let now = Timestamp(milliseconds: clock)
        let id = talks.keys.sorted().randomElement(using: &chance)
        switch Int.random(in: 0..<14, using: &chance) {
        case 0, 1:
            let owner = Int.random(in: 0..<callers.count, using: &chance)
            let title = Bool.random(using: &chance) ? say(3) : Said(text: "", units: [])
            let id = newID("talk")
            try await store.makeConversation(id, title: title.text, at: clock, for: callers[owner])
            talks[id] = Talk(owner: owner, title: title)
        case 2...7:
            guard let id, let talk = talks[id] else { return }
            let (question, answer) = (say(8), say(12))
            var new = NewTurn.plain(newID("turn"), .existing(conversationID: id), text: question.text, at: clock)
            new.title = ""
            if let message = talk.messages.filter({ $0.id.hasSuffix(".user") }).randomElement(using: &chance),
                Bool.random(using: &chance)
            {
                new.beginning = .edit(of: message.id)
            }
            let admitted = try await store.accept(new, for: callers[talk.owner])
            talks[id]?.messages.append((admitted.userMessage.id, question))
            if Bool.random(using: &chance) { try await compare(store) }
            let partial = Message.answer(to: admitted, text: String(answer.text.prefix(4)), status: .partial)
            if Bool.random(using: &chance) {
                try await store.checkpoint([TurnCheckpoint(turnID: new.id, message: partial, lastSequence: 2)])
                if Bool.random(using: &chance) { _ = try await store.prepareSearches() }
                try await compare(store)
            }
            try await store.finish(admitted, text: answer.text, at: clock)
            talks[id]?.messages.append((partial.id, answer))
        case 8, 9:
            guard let id, let talk = talks[id] else { return }
            let title = say(3)
            _ = try await store.updateConversation(id, ConversationChange(title: title.text), at: now, for: callers[talk.owner])
            talks[id]?.title = title
        case 10:
            guard let id, let talk = talks[id] else { return }
            let change = ConversationChange(archived: Bool.random(using: &chance))
            _ = try await store.updateConversation(id, change, at: now, for: callers[talk.owner])
        case 11:
            guard let id, let talk = talks[id] else { return }
            try await store.deleteConversation(id, at: now, for: callers[talk.owner])
            talks[id] = nil
        case 12:
            guard callers.count == 3, Int.random(in: 0..<8, using: &chance) == 0 else { return }
            _ = try await store.claimAnonymousUser(guest.tokenHash, isConfirmed: true, at: now, for: callers[0])
            callers.removeLast()
            for (id, talk) in talks where talk.owner == 2 { talks[id]?.owner = 0 }
        default:
            if Int.random(in: 0..<8, using: &chance) == 0 { _ = try await store.erase() }
            _ = try await store.prepareSearches()
        }
    }

    /// Compares what everybody finds with what they would find by going through everything.
    mutating func compare(_ store: any Store) async throws {
        let (query, phrases) = ask()
        for (owner, caller) in callers.enumerated() {
            let limit = Int.random(in: 1...6, using: &chance)
            let found = try await store.allPages(limit: limit) { page async throws(Failure) in
                try await store.searchConversations(try .plain(query), page: page, for: caller)
            }
            var all: [Conversation] = []
            for archived in [false, true] {
                all += try await store.allPages(limit: 50) { page async throws(Failure) in
                    try await store.conversations(ConversationFilter(archived: archived), page: page, for: caller)
                }
            }
            all.sort { ($1.updatedAt, $0.id) < ($0.updatedAt, $1.id) }
            let expected = all.compactMap { conversation -> FoundPlaces? in
                guard let talk = talks[conversation.id], talk.owner == owner else { return nil }
                var places = talk.title.holds(phrases) ? ["title"] : []
                places += talk.messages.reversed().filter { $0.said.holds(phrases) }.prefix(3).map(\.id)
                return places.isEmpty ? nil : FoundPlaces(id: conversation.id, places: places)
            }
            let places = found.map { found in
                FoundPlaces(id: found.conversation.id, places: found.matches.map { $0.messageID ?? "title" })
            }
            #expect(places == expected, "\(query)")
            for match in found.flatMap(\.matches) { #expect(!match.excerpt.highlights.isEmpty, "\(query) in \(match)") }
        }
    }

    private struct FoundPlaces: Equatable {
        var id: String
        var places: [String]
    }

    // MARK: Chance

    /// Says a few words.
    private mutating func say(_ most: Int) -> Said {
        var said = Said(text: "", units: [])
        for _ in 0..<Int.random(in: 1...most, using: &chance) {
            let word = Self.words[Int.random(in: 0..<Self.words.count, using: &chance)]
            said.text += (said.text.isEmpty ? "" : oneOf(Self.gaps)) + oneOf(word.forms)
            said.units += word.units
        }
        return said
    }

    /// Asks for a few words, some of them one after the other; the last may only be begun.
    private mutating func ask() -> (query: String, phrases: [(units: [String], isOpen: Bool)]) {
        var query = oneOf(["", " ", "* ", "-"])
        var phrases: [(units: [String], isOpen: Bool)] = []
        for _ in 0..<oneOf([1, 1, 1, 2, 2, 3]) {
            let said = say(2)
            if Bool.random(using: &chance) {
                query += "\"\(said.text)\" "
                phrases.append((said.units, false))
            } else {
                // Without quotation marks white space is between phrases, and nothing else is.
                let word = Self.words[Int.random(in: 0..<Self.words.count, using: &chance)]
                query += oneOf(word.forms) + " "
                phrases.append((word.units, false))
            }
        }
        if Bool.random(using: &chance) {
            query += oneOf(["par", "PARR", "stra", "e", "4", "ar", "don't", "n"])
            let units = query.hasSuffix("don't") ? ["don", "t"] : [query.split(separator: " ").last.map { $0.lowercased() } ?? ""]
            phrases.append((units.map { $0.drop { "*-".contains($0) } }.map(String.init), true))
        } else if query.last == " ", !query.hasSuffix("\" ") {
            phrases[phrases.count - 1].isOpen = true
        }
        return (query, phrases)
    }

    private mutating func newID(_ kind: String) -> String {
        made += 1
        return "\(prefix)\(kind)\(made)"
    }

    private mutating func oneOf<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &chance)]
    }
}

extension SearchWalk.Said {
    /// Whether all phrases stand in it.
    fileprivate func holds(_ phrases: [(units: [String], isOpen: Bool)]) -> Bool {
        phrases.allSatisfy { phrase in
            units.indices.contains { start in
                guard start + phrase.units.count <= units.count else { return false }
                return zip(phrase.units.indices, phrase.units).allSatisfy { index, unit in
                    let isOpen = phrase.isOpen && index == phrase.units.count - 1
                    return isOpen ? units[start + index].hasPrefix(unit) : units[start + index] == unit
                }
            }
        }
    }
}
