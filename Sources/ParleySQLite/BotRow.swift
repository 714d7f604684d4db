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
        SELECT key, owner, id, name, description, instructions, model, temperature, config, revision, created_at, updated_at FROM bots
        """
    fileprivate static let byID = selection + " WHERE id = ?"
    fileprivate static let byKey = selection + " WHERE key = ?"

    fileprivate init(_ row: StoredRow) throws {
        key = row[0]
        owner = row[1]
        let config: [UInt8]? = row[8]
        value = Bot(
            id: row[2], name: row[3], description: row[4], instructions: row[5], model: row[6], temperature: row[7],
            config: try config.map { try StoredJSON.value($0, column: "bots.config") }, revision: row[9],
            createdAt: row[10], updatedAt: row[11])
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

    /// The key of a bot, whosever it is.
    func botKey(_ id: String) throws -> Int64? {
        try db.first("SELECT key FROM bots WHERE id = ?", id) { $0[0] }
    }

    /// Finds the bot that a conversation is linked to.
    func bot(key: Int64) throws -> Bot? {
        try db.first(BotRow.byKey, key, read: BotRow.init)?.value
    }

    /// Lists a person's bots by name.
    func bots(of person: Int64?, page: PageRequest) throws -> Page<Bot> {
        let place = try PageCursor.place(in: .bots, of: nil, named: page.cursor, fields: 1)
        let after = try place.map { place in
            guard let name = place[0].stringValue else { throw PageCursor.invalid }
            return name
        }
        guard let person else { return Page(elements: [], nextCursor: nil) }
        var collector = PageCollector<Bot>(limit: page.limit, maximumBytes: surroundings.maximumPageBytes)
        // No two bots of an owner share a key, so the id that would break a tie is never needed.
        let list = BotRow.selection + " WHERE owner = ?" + (after == nil ? "" : " AND name_key > ?") + " ORDER BY name_key"
        try db.forEach(list, person, after) { row in
            let bot = try BotRow(row).value
            let config: [UInt8]? = row[8]
            return collector.add(bot, size: bot.description.utf8.count + (bot.instructions?.utf8.count ?? 0) + (config?.count ?? 0))
        }
        let end = collector.next == nil ? nil : collector.elements.last
        return Page(
            elements: collector.elements,
            nextCursor: end.map { PageCursor(.bots, of: nil, at: [.string(BotRow.nameKey($0.name))]).text })
    }

    /// Makes a bot.
    ///
    /// - Throws: `nameTaken`.
    func insert(_ new: Bot, owner: Int64) throws {
        try requireFreeName(new.name, owner: owner, except: nil)
        try db.run(
            """
            INSERT INTO bots (id, owner, name, name_key, description, instructions, model, temperature, config, revision, created_at,
                updated_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            new.id, owner, new.name, BotRow.nameKey(new.name), new.description, new.instructions, new.model, new.temperature,
            new.config.map(StoredJSON.text), new.revision, new.createdAt, new.updatedAt)
    }

    /// Stores a bot's new values.
    ///
    /// - Throws: `nameTaken`.
    func update(_ bot: BotRow) throws {
        try requireFreeName(bot.value.name, owner: bot.owner, except: bot.key)
        try db.run(
            """
            UPDATE bots SET name = ?, name_key = ?, description = ?, instructions = ?, model = ?, temperature = ?, config = ?, revision = ?,
                updated_at = ?
            WHERE key = ?
            """,
            bot.value.name, BotRow.nameKey(bot.value.name), bot.value.description, bot.value.instructions, bot.value.model,
            bot.value.temperature, bot.value.config.map(StoredJSON.text), bot.value.revision, bot.value.updatedAt, bot.key)
    }

    /// Deletes a bot; its conversations go on without one.
    func delete(_ bot: BotRow, at now: Timestamp) throws {
        try db.run("DELETE FROM bots WHERE key = ?", bot.key)
        try Erasure.setPending(in: db, since: now)
    }

    private func requireFreeName(_ name: String, owner: Int64, except key: Int64?) throws {
        let holder: Int64? = try db.first("SELECT key FROM bots WHERE owner = ? AND name_key = ?", owner, BotRow.nameKey(name)) { $0[0] }
        guard holder == nil || holder == key else {
            throw Failure(.nameTaken, "There is already a bot of this name.")
        }
    }
}
