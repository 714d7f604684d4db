import Foundation
import JSON
import ParleyTestSupport
import Testing

/// The commands beside `serve`, and what wrong settings lead to.
@Suite(.timeLimit(.minutes(5)))
struct CommandTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func run(
        _ arguments: String..., environment: [String: String] = [:]
    ) async throws -> (code: Int32, output: String, errors: String) {
        let process = try ParleyProcess(arguments, environment: environment.merging(["HOME": folder.path]) { given, _ in given })
        process.endInput()
        let output = await process.rest()
        return (await process.exitCode(), output, process.errorText())
    }

    @Test(arguments: [
        (#"{"limits":{"maxInflight":5}}"#, "limits.maxInflight"),
        (#"{"limits":{"maxInFlight":-1}}"#, "limits.maxInFlight"),
        (#"{"limits":{"maxInFlight":1.5}}"#, "limits.maxInFlight"),
        (#"{"limits":{"maxInFlight":99999999999999999999}}"#, "limits.maxInFlight"),
        (#"{"limits":{"maxInFlight":"12"}}"#, "limits.maxInFlight"),
        (#"{"model":5}"#, "model"),
        (#"{"log":{"level":"loud"}}"#, "log.level"),
        (#"{"providers":{"x":{"kind":"openai"}}}"#, "providers.x.baseURL"),
        (#"{"providers":{"x":{"kind":"gopher","baseURL":"http://127.0.0.1"}}}"#, "providers.x.kind"),
        (#"{"models":{"http":{"version":"3"}}}"#, "models.http.version"),
        (#"{"models":{"http":{"proxy":"nonsense"}}}"#, "models.http.proxy"),
        (#"{"models":{"http":{"caBundle":"/nowhere/ca.pem"}}}"#, "models.http.caBundle"),
        (#"{"providers":[]}"#, "providers"),
        (#"{"providers":{"x":{"baseURL":"http://127.0.0.1"}}}"#, "providers.x.kind"),
        (#"{"providers":{"x":{"kind":"openai","baseURL":"ftp://127.0.0.1"}}}"#, "providers.x.baseURL"),
        (#"{"providers":{"x":{"kind":"openai","baseURL":"http://127.0.0.1","maxTokens":5}}}"#, "providers.x.maxTokens"),
        (#"{"providers":{"x":{"kind":"openai","baseURL":"http://127.0.0.1","apiKeyEnv":""}}}"#, "providers.x.apiKeyEnv"),
        (#"{"providers":{"x":{"kind":"openai","baseURL":"http://127.0.0.1","maxTokensField":"tokens"}}}"#, "providers.x.maxTokensField"),
        (#"{"providers":{"x":{"kind":"openai","baseURL":"http://127.0.0.1","streamOptions":"no"}}}"#, "providers.x.streamOptions"),
        (#"{"providers":{"x":{"kind":"openai","baseURL":"http://127.0.0.1","parallelToolCalls":1}}}"#, "providers.x.parallelToolCalls"),
        (#"{"providers":{"x":{"kind":"openai","baseURL":"http://127.0.0.1","developerRole":null}}}"#, "providers.x.developerRole"),
        (#"{"providers":{"x":{"kind":"openai","baseURL":"http://127.0.0.1","reasoning":"yes"}}}"#, "providers.x.reasoning"),
        (
            #"{"providers":{"x":{"kind":"openai","baseURL":"http://127.0.0.1","reasoning":{"sendBack":"once"}}}}"#,
            "providers.x.reasoning.sendBack"
        ),
        (
            #"{"providers":{"x":{"kind":"openai","baseURL":"http://127.0.0.1","reasoning":{"field":"thoughts"}}}}"#,
            "providers.x.reasoning.field"
        ),
        (#"{"providers":{"x":{"kind":"openai","baseURL":"http://127.0.0.1","reasoning":{"tags":true}}}}"#, "providers.x.reasoning.tags"),
        (#"{"providers":{"x":{"kind":"openai","baseURL":"http://127.0.0.1","extraFields":[]}}}"#, "providers.x.extraFields"),
        (
            #"{"providers":{"x":{"kind":"openai","baseURL":"http://127.0.0.1","extraFields":{"stream":false}}}}"#,
            "providers.x.extraFields.stream"
        ),
        (
            #"{"providers":{"x":{"kind":"openai","baseURL":"http://127.0.0.1","headersEnv":{"Authorization":"A"}}}}"#,
            "providers.x.headersEnv.Authorization"
        ),
        (#"{"providers":{"x":{"kind":"openai","baseURL":"http://127.0.0.1","headersEnv":{"X-A":1}}}}"#, "providers.x.headersEnv.X-A"),
        (#"{"providers":{"x":{"kind":"openai","baseURL":"http://127.0.0.1","thinking":"adaptive"}}}"#, "providers.x.thinking"),
        (#"{"providers":{"x":{"kind":"anthropic","baseURL":"http://127.0.0.1","thinking":"deep"}}}"#, "providers.x.thinking"),
        (#"{"providers":{"x":{"kind":"anthropic","baseURL":"http://127.0.0.1","developerRole":true}}}"#, "providers.x.developerRole"),
        (
            #"{"providers":{"x":{"kind":"openai","baseURL":"http://127.0.0.1","models":{"m":{"contextWindow":0}}}}}"#,
            "providers.x.models.m.contextWindow"
        ),
        (
            #"{"providers":{"x":{"kind":"openai","baseURL":"http://127.0.0.1","models":{"m":{"prices":{"currency":"USD"}}}}}}"#,
            "providers.x.models.m.prices.inputPerMillion"
        ),
        (#"{"providers":{"demo":{"kind":"openai","baseURL":"http://127.0.0.1"}}}"#, "providers.demo"),
        (#"{"model":"nowhere:model"}"#, "model"),
        (#"{"models":{"fallback":["demo","nowhere:model"]}}"#, "models.fallback"),
        (#"{"models":{"retry":{"maxAttempts":0}}}"#, "models.retry.maxAttempts"),
        (#"{"#, "byte"),
        ("[]", "object"),
    ])
    func aWrongFileStopsTheStartAndIsNamed(text: String, named: String) async throws {
        let file = try folder.write(text, to: "settings.json")
        let (code, output, errors) = try await run("serve", "--database", ":memory:", "--config", file)
        #expect(code == 78)
        #expect(output.isEmpty)
        #expect(errors.hasPrefix("parley: ") && errors.contains(named) && errors.split(separator: "\n").count == 1, "\(errors)")
    }

    @Test func aWrongVariableStopsTheStartAndIsNamed() async throws {
        let (code, _, errors) = try await run("config", environment: ["PARLEY_LIMITS_MAX_IN_FLIGHT": "many"])
        #expect(code == 78)
        #expect(errors.contains("PARLEY_LIMITS_MAX_IN_FLIGHT"))
    }

    @Test func configSaysWhatIsInForceAndWhereItCameFrom() async throws {
        let file = try folder.write(
            """
            {"limits": {"maxInFlight": 7, "maxTitleCharacters": 9}, "turns": {"deadlineSeconds": 8}, "providers": {"local": {
                "kind": "openai", "baseURL": "http://me:secret@127.0.0.1:9/v1?key=secret", "apiKeyEnv": "LOCAL_KEY",
                "models": {"m": {"contextWindow": 4096}}}}}
            """, to: "settings.json")
        let (code, output, _) = try await run(
            "config", "--config", file, "--set", "limits.maxInFlight=5",
            environment: [
                "PARLEY_LIMITS_MAX_IN_FLIGHT": "6", "PARLEY_LIMITS_MAX_TITLE_CHARACTERS": "10", "LOCAL_KEY": "sk-secret",
                "PARLEY_TYPO": "1",
            ])
        #expect(code == 0)
        let lines = output.split(separator: "\n").map { $0.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ") }
        #expect(lines.contains("limits.maxInFlight 5 flag"))
        #expect(lines.contains("limits.maxTitleCharacters 10 environment PARLEY_LIMITS_MAX_TITLE_CHARACTERS"))
        #expect(lines.contains("turns.deadlineSeconds 8 file \(file)"))
        #expect(lines.contains("shutdown.graceSeconds 5 default"))
        #expect(lines.contains { $0.hasPrefix("model local:m") })
        #expect(lines.contains { $0.hasPrefix("server local http://***@127.0.0.1:9/v1?*** key set") }, "\(lines)")
        #expect(output.contains("PARLEY_TYPO"))
        #expect(!output.contains("secret"))
    }

    @Test func theDatabaseCommandsSayWhatTheyDid() async throws {
        let database = folder.file("parley.db")
        let host = try ParleyProcess(["serve", "--database", database])
        host.endInput()
        #expect(await host.exitCode() == 0)
        let migrated = try await run("db", "migrate", "--database", database)
        #expect(migrated.code == 0 && migrated.output.contains("version"), "\(migrated)")
        let checked = try await run("db", "check", "--database", database)
        #expect(checked.code == 0 && checked.output.contains("no problems"), "\(checked)")
        let compacted = try await run("db", "compact", "--database", database)
        #expect(compacted.code == 0, "\(compacted)")
        for command in ["migrate", "compact"] {
            let missing = try await run("db", command, "--database", folder.file("nowhere.db"))
            #expect(missing.code == 69 && missing.errors.contains("nowhere.db"), "\(missing)")
        }
        let unchecked = try await run("db", "check", "--database", folder.file("nowhere.db"))
        #expect(unchecked.code == 1 && unchecked.output.contains("nowhere.db"), "\(unchecked)")
        #expect(!FileManager.default.fileExists(atPath: folder.file("nowhere.db")))
    }

    @Test func aDeterministicHostTakesNoDatabaseFile() async throws {
        let (code, _, errors) = try await run("serve", "--deterministic", "--database", folder.file("parley.db"))
        #expect(code == 78 && errors.contains("memory"))
    }

    @Test func thePythonClientHoldsItsConversation() async throws {
        let example = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("examples/python/parley.py").path
        let (code, text) = try await ChildProcess.run(["/usr/bin/python3", "-B", example, ParleyProcess.binary.path])
        #expect(code == 0)
        #expect(text.contains("Lisbon") && text.contains("the last turn was") && text.contains("notFound"), "\(text)")
    }
}
