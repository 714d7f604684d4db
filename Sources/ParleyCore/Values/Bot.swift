package import JSON

/// A bot: instructions and settings under a name, owned by one person.
package struct Bot: Hashable, Sendable {
    /// The id that clients know; opaque.
    package var id: String
    /// 1 to 80 characters, unique among its owner's bots (letter case ignored).
    package var name: String
    /// What it is for, in the words of its owner.
    package var description: String
    /// What the model is told beforehand; nil for the default.
    package var instructions: String?
    /// `PROVIDER:MODEL`, or nil for the process's default.
    package var model: String?
    /// 0 to 2; nil for the model's own default.
    package var temperature: Double?
    /// An opaque object of the client's own.
    package var config: JSONValue?
    /// Counts from 1; every change adds one.
    package var revision: Int
    /// When it was made.
    package var createdAt: Timestamp
    /// When it last changed.
    package var updatedAt: Timestamp

    /// Makes one of its fields; see them for what the parameters mean.
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
    /// What it is called.
    package var name: String?
    /// What it is for, in the words of its owner.
    package var description: String?
    /// What the model is told beforehand; nil for the default.
    package var instructions: String??
    /// The model, as `PROVIDER:MODEL`; nil for the default.
    package var model: String??
    /// 0 to 2; nil for the model's own default.
    package var temperature: Double??
    /// An opaque object of the client's own.
    package var config: JSONValue??

    /// Makes one of its fields; see them for what the parameters mean.
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
