import ArgumentParser
import Foundation
import Glibc
import ParleyCore

/// `parley doctor`: what is wrong, and what to do about it.
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check the settings, the database and the models, and say what to do; changes nothing.",
        discussion: """
            Give it the same flags and the same environment as `parley serve`. It may run while hosts serve the database: it writes, migrates \
            and recovers nothing. Secrets are not printed.

            Exit codes: 0 when nothing is wrong, though there may be warnings; 1 for a problem; 64 for wrong flags.
            """
    )

    @Flag(
        help: """
            Send one very short request to each configured model too, which costs a few tokens each; on a terminal only if you then say yes.
            """)
    var models = false

    @Flag(help: "Say yes to that beforehand.")
    var yes = false

    @Flag(help: "Print one JSON object: ok, version, and findings with mark (ok, warning, problem), subject, message and advice.")
    var json = false

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        // A server that hangs up, or a reader of the report that has seen enough, is no reason to end.
        signal(SIGPIPE, SIG_IGN)
        var report = Report(form: json ? .json : Report.form(environment: ProcessInfo.processInfo.environment))
        do throws(SettingsError) {
            await examine(try options.settings(), &report)
        } catch {
            report.add([
                .problem(.settings, error.description, "Correct it; nothing else can be looked at before, and parley serve does not start.")
            ])
        }
        report.end()
        if report.hasProblem { throw ExitCode.failure }
    }

    private func examine(_ settings: Settings, _ report: inout Report) async {
        let ambient = SystemAmbient()
        report.add(SettingsFindings.sources(settings))
        report.add(await SettingsFindings.people(settings))
        report.add(SettingsFindings.limits(settings))
        report.add(DatabaseFindings.findings(settings, now: ambient.now()))
        let configured: ConfiguredModels
        do throws(SettingsError) {
            configured = try ConfiguredModels(settings, ambient: ambient)
        } catch {
            report.add([.problem(.models, error.description, "Correct the setting; parley serve does not start with it.")])
            return
        }
        defer { configured.close() }
        report.add(ModelFindings(settings, configured).all)
        let trials = trials(settings, configured)
        guard !trials.isEmpty else {
            if models { report.add([.ok(.models, "There is no server to ask.")]) }
            return
        }
        guard models else {
            report.add([.ok(.models, "Not asked, because that costs a few tokens: parley doctor --models asks each.")])
            return
        }
        guard consents(to: trials) else {
            report.add([.ok(.models, "Not asked.")])
            return
        }
        var given: Set<String> = []
        for trial in trials where !given.contains(trial.model.provider.name) {
            let outcome = await trial.run(ambient)
            report.add([outcome.finding])
            if outcome.concernsServer { given.insert(trial.model.provider.name) }
        }
    }

    /// A trial for each model of a server, first those that answer by default and in its place.
    private func trials(_ settings: Settings, _ configured: ConfiguredModels) -> [ModelTrial] {
        let catalog = configured.catalog
        // Every entry can be selected by its id.
        let selections = [catalog.defaultModel] + catalog.fallback + catalog.entries.compactMap { try? catalog.select($0.id) }
        var seen: Set<String> = []
        return selections.compactMap { selection in
            guard let server = configured.servers.first(where: { $0.name == selection.provider.name }), seen.insert(selection.id).inserted
            else { return nil }
            return ModelTrial(
                model: selection, place: Credentials.masked(inURL: server.baseURL),
                keyVariable: configured.keyVariable(of: server.name, settings))
        }
    }

    /// Asks whoever sits at the terminal; whoever wrote `--models` into a script has agreed.
    private func consents(to trials: [ModelTrial]) -> Bool {
        guard !yes, isatty(STDIN_FILENO) == 1 else { return true }
        let whom = trials.count == 1 ? "1 model for an answer" : "\(trials.count) models for an answer each"
        let question = "This asks \(whom) of at most \(ModelTrial.maximumTokens) tokens, at your expense. Go on? [y/N] "
        FileHandle.standardError.write(Data(question.utf8))
        return ["y", "yes"].contains(readLine()?.lowercased() ?? "")
    }
}
