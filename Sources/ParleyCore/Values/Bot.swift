package import JSON

/// A bot: instructions and settings under a name, owned by one person.
package struct Bot: Hashable, Sendable {
    package var id: String
    /// 1 to 80 characters, unique among its owner's bots (letter case ignored).
    package var name: String
    package var description: String
    package var instructions: String?
    /// `PROVIDER:MODEL`, or nil for the process's default.
    package var model: String?
    package var temperature: Double?
    /// An opaque object of the client's own.
    package var config: JSONValue?
    /// Counts from 1; every change adds one.
    package var revision: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp

    package init(
        id: String, name: String, description: String, instructions: String?, model: String?, temperature: Double?, config: JSONValue?,
        revision: Int, createdAt: Timestamp, updatedAt: Timestamp
    ) {
        self.id = id
        self.name = name
        self.description = description
        self.instructions = instructions
        self.model = model
        self.temperature = temperature
        self.config = config
        self.revision = revision
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// What `updateBot` changes; a field that is nil stays as it is, `.some(nil)` clears it.
package struct BotChange: Sendable {
    package var name: String?
    package var description: String?
    package var instructions: String??
    package var model: String??
    package var temperature: Double??
    package var config: JSONValue??

    package init(
        name: String? = nil, description: String? = nil, instructions: String?? = nil, model: String?? = nil, temperature: Double?? = nil,
        config: JSONValue?? = nil
    ) {
        self.name = name
        self.description = description
        self.instructions = instructions
        self.model = model
        self.temperature = temperature
        self.config = config
    }
}
