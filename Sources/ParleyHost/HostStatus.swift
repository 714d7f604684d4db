package import JSON

/// Who serves: name and version.
package struct HostInfo: Sendable, JSONWritable {
    /// The program's name.
    package var name: String
    /// The program's version.
    package var version: String

    /// Makes one of its fields; see them for what the parameters mean.
    package init(name: String, version: String) {
        self.name = name
        self.version = version
    }

    /// Writes the value as the protocol's serverInfo.
    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("name", name)
            writer.member("version", version)
        }
    }
}

/// What `getStatus` tells.
struct HostStatus: Sendable, JSONWritable {
    var version: String
    var uptimeSeconds: Int
    var turnsInFlight: Int
    var models: [String]
    var defaultModel: String
    var databaseEngine: String
    var databasePersistent: Bool
    var demonstration: Bool

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("version", version)
            writer.member("uptimeSeconds", uptimeSeconds)
            writer.member("turnsInFlight", turnsInFlight)
            writer.key("models")
            writer.array { writer in
                for model in models { writer.string(model) }
            }
            writer.member("defaultModel", defaultModel)
            writer.key("database")
            writer.object { writer in
                writer.member("engine", databaseEngine)
                writer.member("persistent", databasePersistent)
            }
            writer.member("demonstration", demonstration)
        }
    }
}
