import ArgumentParser
import Foundation
import JSONRPC

/// The flags that every command with settings takes.
struct SettingsOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The database's file, or :memory:; by default parley/parley.db in $XDG_DATA_HOME (~/.local/share).", valueName: "path"),
        completion: .file())
    var database: String?

    @Option(
        help: ArgumentHelp(
            "The model that answers by default: PROVIDER:MODEL, demo (no language model), scripted:FILE, or replay:FILE.",
            valueName: "model"),
        completion: SettingsCompletions.models)
    var model: String?

    @Option(
        help: ArgumentHelp("The cassette to which each exchange with a model is written, for --model replay:FILE.", valueName: "file"),
        completion: .file(extensions: ["jsonl"]))
    var record: String?

    @Option(help: ArgumentHelp("Whom requests without a caller act for.", valueName: "userId:id"), completion: .list(["userId:"]))
    var caller: String?

    @Option(
        help: ArgumentHelp("A settings file, one JSON object; PARLEY_CONFIG names one too.", valueName: "file"),
        completion: .file(extensions: ["json"]))
    var config: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "Any setting by its name, such as limits.maxInFlight=100; `parley config` lists all. May be repeated.", valueName: "key=value"),
        completion: SettingsCompletions.assignments)
    var assignments: [String] = []

    @Option(
        help: ArgumentHelp(
            "What is logged to stderr: trace, debug, info, notice (the default), warning, error or critical.", valueName: "level"),
        completion: SettingsCompletions.logLevels)
    var logLevel: String?

    @Option(
        help: ArgumentHelp("How a line of the log is written: text (the default) or json.", valueName: "format"),
        completion: SettingsCompletions.logFormats)
    var logFormat: String?

    /// The same flags for another process of this program.
    var arguments: [String] {
        let named = [
            ("--database", database), ("--model", model), ("--record", record), ("--caller", caller), ("--config", config),
            ("--log-level", logLevel), ("--log-format", logFormat),
        ]
        // In one word each, so that a value that begins with a dash is none of the flags.
        return named.compactMap { flag, value in value.map { "\(flag)=\($0)" } } + assignments.map { "--set=\($0)" }
    }

    /// The same flags as they count, whatever they were written with.
    var flags: SettingsFlags {
        let named = [
            "database": database, "model": model, "record": record, "caller": caller, "log.level": logLevel, "log.format": logFormat,
        ]
        return SettingsFlags(values: named.compactMapValues(\.self), assignments: assignments, file: config)
    }

    /// The settings in force.
    func settings() throws(SettingsError) -> Settings {
        try flags.settings()
    }
}

extension ParsableCommand {
    /// Runs a command's work and turns what stops it into a line on stderr and an exit code: 78 for settings (EX_CONFIG of sysexits.h), 69 for
    /// a database that cannot be used (EX_UNAVAILABLE), 74 for a stdout that is closed (EX_IOERR).
    static func reporting(_ work: () async throws -> Void) async throws {
        do {
            try await work()
        } catch let error as SettingsError {
            fail(error.description)
            throw ExitCode(78)
        } catch let error as DatabaseError {
            fail(error.description)
            throw ExitCode(69)
        } catch let error as StandardOutput.ClaimError {
            fail("stdout cannot be used: \(error).")
            throw ExitCode(74)
        }
    }

    private static func fail(_ message: String) {
        FileHandle.standardError.write(Data("parley: \(message)\n".utf8))
    }
}

/// A database that cannot be used, in one sentence.
struct DatabaseError: Error, CustomStringConvertible {
    let description: String
}
