import ArgumentParser
import Foundation
import ParleyCore
import ParleyHost

/// `parley quota`: what the operator may see and forget of the ledger.
struct Quota: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quota",
        abstract: "Show how limits stand, or forget what was charged; hosts may be using the database.",
        discussion: "The limits are those that this command's own settings give, which should be those of the hosts.",
        subcommands: [Show.self, Reset.self])

    /// `parley quota show`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Print how limits stand: the whole system's, unless somebody is named.")

        @OptionGroup var subject: SubjectOptions
        @OptionGroup var options: SettingsOptions

        func run() async throws {
            try await withQuotas(options) { quotas throws(Failure) in
                printLimits(try await quotas.get(subject.subject ?? .system, for: .operator))
            }
        }
    }

    /// `parley quota reset`.
    struct Reset: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reset",
            abstract: "Forget what was charged to somebody; what running turns hold stays held. Prints how the limits stand then.")

        @OptionGroup var subject: SubjectOptions

        @Option(help: "Only limits of this scope.")
        var scope: QuotaKey.Scope?

        @OptionGroup var options: SettingsOptions

        func validate() throws {
            guard subject.subject != nil else {
                throw ValidationError("Say whose quota: --user, --anonymous-user, --client-address or --system.")
            }
        }

        func run() async throws {
            guard let subject = subject.subject else { return }
            try await withQuotas(options) { quotas throws(Failure) in
                printLimits(try await quotas.reset(subject, scope: scope, for: .operator))
            }
        }
    }

    /// Whose limits are meant.
    struct SubjectOptions: ParsableArguments {
        @Option(help: ArgumentHelp("A user, by the id that the parent process knows.", valueName: "id"))
        var user: String?

        @Option(help: ArgumentHelp("An anonymous person, by the id that clients know.", valueName: "id"))
        var anonymousUser: String?

        @Option(help: ArgumentHelp("All anonymous people behind one client address.", valueName: "address"))
        var clientAddress: String?

        @Flag(help: "Everybody together.")
        var system = false

        func validate() throws {
            guard [user != nil, anonymousUser != nil, clientAddress != nil, system].count(where: { $0 }) <= 1 else {
                throw ValidationError("Name one of --user, --anonymous-user, --client-address and --system.")
            }
            for text in [user, anonymousUser, clientAddress].compactMap({ $0 })
            where !(1...ClientAddress.maximumBytes).contains(text.utf8.count) {
                throw ValidationError("An id or an address has 1 to \(ClientAddress.maximumBytes) bytes.")
            }
        }

        /// Nil when nobody is named.
        var subject: QuotaSubject? {
            if let user { return .user(id: user) }
            if let anonymousUser { return .anonymousUser(id: anonymousUser) }
            if let clientAddress { return ClientAddress(clientAddress).map(QuotaSubject.address) }
            return system ? .system : nil
        }
    }
}

extension QuotaKey.Scope: ExpressibleByArgument {}

extension ParsableCommand {
    /// Does something with the ledger of the database that the settings name.
    fileprivate func withQuotas(_ options: SettingsOptions, _ work: (Quotas) async throws(Failure) -> Void) async throws {
        try await Self.reporting {
            let settings = try options.settings()
            guard settings.text("database") != ":memory:" else {
                throw SettingsError("A database in memory is gone when its process is: name a file.")
            }
            let path = settings.text("database") ?? DatabasePath.standard(environment: settings.environment)
            guard FileManager.default.fileExists(atPath: path) else { throw DatabaseError(description: "There is no database at \(path).") }
            let (store, ambient) = try Composition.openStore(settings)
            let outcome: Result<Void, Failure>
            do throws(Failure) {
                outcome = .success(try await work(Quotas(store: store, ambient: ambient)))
            } catch {
                outcome = .failure(error)
            }
            do {
                try await store.close()
                try outcome.get()
            } catch let failure as Failure where failure.code == .notFound {
                throw SettingsError(failure.message)
            } catch let failure as Failure {
                throw DatabaseError(description: failure.message)
            }
        }
    }

    fileprivate func printLimits(_ limits: [QuotaReading]) {
        guard !limits.isEmpty else { return print("There are no limits.") }
        for limit in limits {
            var line = "\(limit.scope.rawValue).\(limit.unit)".padding(toLength: 24, withPad: " ", startingAt: 0)
            if let totals = limit.totals {
                line += "  limit \(totals.limit)  used \(totals.used)  held \(totals.held)  remaining \(totals.remaining)"
            }
            if let window = limit.windowSeconds { line += "  within \(window) s" }
            if let resetsAt = limit.resetsAt { line += "  free again at \(resetsAt.rfc3339)" }
            print(line)
        }
    }
}
