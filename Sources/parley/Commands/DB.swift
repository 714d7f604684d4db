import ArgumentParser
import ParleySQLite

/// `parley db`: looks after the database.
struct DB: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "db",
        abstract: "Look after the database: migrate, check, compact, backup.",
        subcommands: [Migrate.self, Check.self, Compact.self, Backup.self])

    /// `parley db migrate`.
    struct Migrate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "migrate",
            abstract: "Bring the database's tables up to this program's version; `parley serve` does so too.")

        @OptionGroup var options: SettingsOptions

        func run() async throws {
            try await withDatabase(options) { path, timeout in
                let (from, to) = try SQLiteStore.migrate(path: path, busyTimeout: timeout)
                print(from == to ? "\(path) is at version \(to) already." : "\(path) went from version \(from) to version \(to).")
            }
        }
    }

    /// `parley db check`.
    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Verify the database's structure and all of its contents; changes nothing.",
            discussion: """
                Hosts may go on using it. `parley doctor` takes a quick look at the same and at what is around it.

                Exit codes: 0 without problems; 1 with any, each of which is printed; 64 for wrong flags; 78 for wrong settings.
                """)

        @OptionGroup var options: SettingsOptions

        func run() async throws {
            try await withDatabase(options) { path, timeout in
                let problems = SQLiteStore.check(path: path, busyTimeout: timeout)
                for problem in problems { print(problem) }
                print("\(path): \(problems.isEmpty ? "no problems" : "\(problems.count) problem\(problems.count == 1 ? "" : "s")").")
                if !problems.isEmpty { throw ExitCode.failure }
            }
        }
    }

    /// `parley db compact`.
    struct Compact: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "compact",
            abstract: "Rewrite the database without the room and the bytes of what was deleted; no host may be using it.")

        @OptionGroup var options: SettingsOptions

        func run() async throws {
            try await withDatabase(options) { path, timeout in
                let (before, after) = try SQLiteStore.compact(path: path, busyTimeout: timeout)
                print("\(path) went from \(before) to \(after) bytes.")
            }
        }
    }

    /// `parley db backup`.
    struct Backup: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "backup",
            abstract: "Copy the database as it is at this moment; hosts may go on using it.",
            discussion: """
                The copy is a whole database with the permissions of the original and without what was deleted. A host that opens it takes \
                the turns that ran at that moment for interrupted.
                """)

        @Argument(help: ArgumentHelp("The file to make.", valueName: "path"), completion: .file())
        var target: String

        @Flag(help: "Replace the file if it is there; not while a host uses it.")
        var force = false

        @OptionGroup var options: SettingsOptions

        func run() async throws {
            try await withDatabase(options) { path, timeout in
                let bytes = try SQLiteStore.backUp(path: path, to: target, overwrites: force, busyTimeout: timeout)
                print("\(path) was copied to \(target), \(bytes) bytes.")
            }
        }
    }
}

extension ParsableCommand {
    /// Does something with the file that the settings name.
    fileprivate func withDatabase(
        _ options: SettingsOptions, _ work: (_ path: String, _ timeout: Duration) throws -> Void
    ) async throws {
        try await Self.reporting {
            let settings = try options.settings()
            let path = settings.text("database") ?? DatabasePath.standard(environment: settings.environment)
            guard path != ":memory:" else { throw SettingsError("A database in memory is gone when its process is: name a file.") }
            do {
                try work(path, .milliseconds(settings.integer("store.busyTimeoutMilliseconds")))
            } catch let error as StoreOpenFailure {
                throw DatabaseError(description: error.message)
            }
        }
    }
}
