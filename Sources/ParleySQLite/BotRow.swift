import Foundation
import GRDB
import JSON
import ParleyCore

/// A bot as it stands in the database.
struct BotRow {
    let key: Int64
    let owner: Int64
    var value: Bot

    fileprivate static let selection = """
        SELECT key, owner, id, name, description, instructions, model, temperature, config, revision, created_at, updated_at, visibility,
            name_key, tools, fallback_models
        FROM bots
        """
    fileprivate static let byID = selection + " WHERE id = ?"
    fileprivate static let byKey = selection + " WHERE key = ?"

    fileprivate init(_ row: StoredRow) throws {
        key = row[0]
        owner = row[1]
        guard let visibility = Bot.Visibility(rawValue: row[12]) else { throw SQLiteFailure.unreadable("bots.visibility") }
        let config: [UInt8]? = row[8]
        let tools: [UInt8]? = row[14]
        let fallbackModels: [UInt8]? = row[15]
        value = Bot(
            id: row[2], name: row[3], description: row[4], instructions: row[5], model: row[6],
            fallbackModels: try fallbackModels.map { try StoredJSON.names($0, column: "bots.fallback_models") }, temperature: row[7],
            tools: try tools.map { try StoredJSON.names($0, column: "bots.tools") },
            config: try config.map { try StoredJSON.value($0, column: "bots.config") }, visibility: visibility,
            revision: row[9], createdAt: row[10], updatedAt: row[11])
    }

    /// What a person may see of it.
    func value(for person: Int64?) -> Bot {
        owner == person ? value : value.forEverybody
    }

    /// What must be unique among an owner's bots, and their order: the name without regard to letter case and to how accents are composed.
    static func nameKey(_ name: String) -> String {
        name.lowercased().precomposedStringWithCanonicalMapping
    }
}

extension StoreTransaction {
    /// Finds a bot of a person.
    ///
    /// - Throws: `notFound`, also for what is somebody else's.
    func bot(_ id: String, of person: Int64?) throws -> BotRow {
        let found = try db.first(BotRow.byID, id, read: BotRow.init)
        guard let found else { throw Failure.notFound(.bot, id) }
        guard found.owner == person else { throw notTheCallers(.bot, id) }
        return found
    }

    /// Finds a bot that a person may use: its own, or a published one.
    ///
    /// - Throws: `notFound`, also for what is somebody else's private one.
    func usableBot(_ id: String, by person: Int64?) throws -> BotRow {
        guard let found = try db.first(BotRow.byID, id, read: BotRow.init), found.value.visibility == .published else {
            return try bot(id, of: person)
        }
        return found
    }

    /// The key of a bot, whosever it is.
    func botKey(_ id: String) throws -> Int64? {
        try db.first("SELECT key FROM bots WHERE id = ?", id) { $0[0] }
    }

    /// Finds the bot that a conversation is linked to.
    func bot(key: Int64) throws -> BotRow? {
        try db.first(BotRow.byKey, key, read: BotRow.init)
    }

    /// All bots of a person, by name.
    func botRows(of person: Int64) throws -> [BotRow] {
        try db.all(BotRow.selection + " WHERE owner = ? ORDER BY name_key", person, read: BotRow.init)
    }

    /// Lists bots by name.
    func bots(_ scope: BotScope, of person: Int64?, page: PageRequest) throws -> Page<Bot> {
        let list = scope == .own ? nil : scope.rawValue
        let place = try PageCursor.place(in: .bots, of: list, named: page.cursor, fields: 2)
        let after = try place.map { place in
            guard let name = place[0].stringValue, let id = place[1].stringValue else { throw PageCursor.invalid }
            return (name: name, id: id)
        }
        var collector = PageCollector<Bot>(limit: page.limit, maximumBytes: surroundings.maximumPageBytes)
        let rest = after == nil ? "" : " AND (name_key, id) > (?2, ?3)"
        let own = BotRow.selection + " WHERE owner = ?1" + rest
        let published = BotRow.selection + " WHERE visibility = 'published'" + rest
        let query =
            switch scope {
            case .own: own
            // The owner stands here so that all three take the same parameters.
            case .published: published + " AND ?1 IS NOT NULL"
            // Both lists are in order, and are merged without being sorted.
            case .all: own + " UNION ALL " + published + " AND owner <> ?1"
            }
        // Keys begin at 1: somebody who was never seen owns nothing.
        try db.forEach(query + " ORDER BY name_key, id", person ?? 0, after?.name, after?.id) { row in
            let bot = try BotRow(row).value(for: person)
            let config: [UInt8]? = bot.config == nil ? nil : row[8]
            return collector.add(bot, size: bot.description.utf8.count + (bot.instructions?.utf8.count ?? 0) + (config?.count ?? 0))
        }
        let end = collector.next == nil ? nil : collector.elements.last
        return Page(
            elements: collector.elements,
            nextCursor: end.map { PageCursor(.bots, of: list, at: [.string(BotRow.nameKey($0.name)), .string($0.id)]).text })
    }

    /// Makes a bot.
    ///
    /// - Throws: `nameTaken`.
    func insert(_ new: Bot, owner: Int64) throws {
        try requireFreeName(new.name, owner: owner, except: nil)
        try db.run(
            """
            INSERT INTO bots (id, owner, name, name_key, description, instructions, model, temperature, config, revision, created_at,
                updated_at, visibility, tools, fallback_models)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            new.id, owner, new.name, BotRow.nameKey(new.name), new.description, new.instructions, new.model, new.temperature,
            new.config.map(StoredJSON.text), new.revision, new.createdAt, new.updatedAt, new.visibility.rawValue,
            new.tools.map(StoredJSON.text), new.fallbackModels.map(StoredJSON.text))
    }

    /// Stores a bot's new values. Once it is private, the conversations of others go on without it.
    ///
    /// - Throws: `nameTaken`.
    ///
    /// - Parameter wasPublished: whether others may have used it until now.
    func update(_ bot: BotRow, wasPublished: Bool) throws {
        try requireFreeName(bot.value.name, owner: bot.owner, except: bot.key)
        try db.run(
            """
            UPDATE bots SET name = ?, name_key = ?, description = ?, instructions = ?, model = ?, temperature = ?, config = ?, revision = ?,
                updated_at = ?, visibility = ?, tools = ?, fallback_models = ?
            WHERE key = ?
            """,
            bot.value.name, BotRow.nameKey(bot.value.name), bot.value.description, bot.value.instructions, bot.value.model,
            bot.value.temperature, bot.value.config.map(StoredJSON.text), bot.value.revision, bot.value.updatedAt,
            bot.value.visibility.rawValue, bot.value.tools.map(StoredJSON.text),
            bot.value.fallbackModels.map(StoredJSON.text), bot.key)
        if wasPublished, bot.value.visibility == .private {
            try db.run("UPDATE conversations SET bot = NULL WHERE bot = ? AND owner <> ?", bot.key, bot.owner)
        }
    }

    /// Deletes a bot; its conversations go on without one.
    func delete(_ bot: BotRow, at now: Timestamp) throws {
        try db.run("DELETE FROM bots WHERE key = ?", bot.key)
        try Erasure.setPending(in: db, since: now)
    }

    /// Gives a bot to somebody else, under the name that it has now.
    func move(_ bot: BotRow, to owner: Int64) throws {
        try db.run(
            "UPDATE bots SET owner = ?, name = ?, name_key = ?, revision = ?, updated_at = ? WHERE key = ?", owner, bot.value.name,
            BotRow.nameKey(bot.value.name), bot.value.revision, bot.value.updatedAt, bot.key)
    }

    /// Whether a person has a bot of a name.
    func isNameTaken(_ name: String, owner: Int64, except key: Int64? = nil) throws -> Bool {
        let holder: Int64? = try db.first("SELECT key FROM bots WHERE owner = ? AND name_key = ?", owner, BotRow.nameKey(name)) { $0[0] }
        return holder != nil && holder != key
    }

    private func requireFreeName(_ name: String, owner: Int64, except key: Int64?) throws {
        guard try !isNameTaken(name, owner: owner, except: key) else {
            throw Failure(.nameTaken, "There is already a bot of this name.")
        }
    }
}
