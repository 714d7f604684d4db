package import JSON

/// A bot: instructions and settings under a name, owned by one person.
package struct Bot: Hashable, Sendable {
    /// Who may use it.
    package enum Visibility: String, CaseIterable, Sendable {
        /// Only its owner.
        case `private`
        /// Everybody; what it is told and how it is set up stays its owner's.
        case published
    }

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
    /// The models that answer when the first cannot, in order, each as `PROVIDER:MODEL`; nil for the process's own.
    package var fallbackModels: [String]?
    /// 0 to 2; nil for the model's own default.
    package var temperature: Double?
    /// The names of the tools that it may call; nil for all.
    package var tools: [String]?
    /// An opaque object of the client's own.
    package var config: JSONValue?
    /// Who may use it.
    package var visibility: Visibility
    /// Counts from 1; every change adds one.
    package var revision: Int
    /// When it was made.
    package var createdAt: Timestamp
    /// When it last changed.
    package var updatedAt: Timestamp

    /// Makes one of its fields; see them for what the parameters mean.
    package init(
        id: String, name: String, description: String, instructions: String?, model: String?, fallbackModels: [String]? = nil,
        temperature: Double?, tools: [String]? = nil, config: JSONValue?, visibility: Visibility = .private, revision: Int,
        createdAt: Timestamp, updatedAt: Timestamp
    ) {
        self.id = id
        self.name = name
        self.description = description
        self.instructions = instructions
        self.model = model
        self.fallbackModels = fallbackModels
        self.temperature = temperature
        self.tools = tools
        self.config = config
        self.visibility = visibility
        self.revision = revision
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }

    /// What everybody may see of a published bot: what it is called and what it is for.
    package var forEverybody: Bot {
        Bot(
            id: id, name: name, description: description, instructions: nil, model: nil, temperature: nil, config: nil,
            visibility: visibility, revision: revision, createdAt: createdAt, updatedAt: updatedAt)
    }
}

/// Which bots are listed.
package enum BotScope: String, CaseIterable, Sendable {
    /// The caller's own.
    case own
    /// Those that are published.
    case published
    /// Both.
    case all
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
    /// The models that answer when the first cannot; nil for the process's own.
    package var fallbackModels: [String]??
    /// 0 to 2; nil for the model's own default.
    package var temperature: Double??
    /// The names of the tools that it may call; nil for all.
    package var tools: [String]??
    /// An opaque object of the client's own.
    package var config: JSONValue??
    /// Who may use it.
    package var visibility: Bot.Visibility?

    /// Makes one of its fields; see them for what the parameters mean.
    package init(
        name: String? = nil, description: String? = nil, instructions: String?? = nil, model: String?? = nil,
        fallbackModels: [String]?? = nil, temperature: Double?? = nil, tools: [String]?? = nil, config: JSONValue?? = nil,
        visibility: Bot.Visibility? = nil
    ) {
        self.name = name
        self.description = description
        self.instructions = instructions
        self.model = model
        self.fallbackModels = fallbackModels
        self.temperature = temperature
        self.tools = tools
        self.config = config
        self.visibility = visibility
    }
}
