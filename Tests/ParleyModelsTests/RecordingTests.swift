import Foundation
import JSON
import Logging
import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleyModels

/// What was recorded is what is played back.
@Suite(.timeLimit(.minutes(5)))
struct RecordingTests {
    private let folder: TemporaryFolder
    private var path: String { folder.file("c.jsonl") }
    private static let request = ModelRequest.conversation(model: "m", "Hello")

    init() throws {
        folder = try TemporaryFolder()
    }

    private func writer(_ providers: [any ModelProvider], secrets: [String] = []) throws -> CassetteWriter {
        try CassetteWriter(
            path: path,
            session: Cassette.Session(
                defaultModel: "\(providers[0].name):m",
                providers: providers.map { Cassette.Provider(name: $0.name, models: $0.models) }), secrets: secrets, logger: .silent)
    }

    private func text() throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    private func played() throws -> any ModelProvider {
        try #require(CassettePlayer(path: path).providers(ambient: SystemAmbient(), keepsTime: false).first)
    }

    /// Records calls, then plays them back.
    private func same(
        _ provider: any ModelProvider, _ requests: [ModelRequest] = [request], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let recording = RecordingProvider(provider, writer: try writer([provider]), ambient: SystemAmbient())
        #expect(recording.name == provider.name && recording.models == provider.models)
        var recorded: [ModelProviderContract.Outcome] = []
        for request in requests { recorded.append(await ModelProviderContract(recording, request).call()) }
        let replay = try played()
        #expect(replay.name == provider.name && replay.models == provider.models, sourceLocation: sourceLocation)
        for (request, outcome) in zip(requests, recorded) {
            var outcome = outcome
            outcome.failure?.underlying = nil
            #expect(await ModelProviderContract(replay, request).call() == outcome, sourceLocation: sourceLocation)
        }
    }

    @Test("Every fixture of a server of chat completions", arguments: ModelFixture.all)
    func chatCompletions(_ fixture: ModelFixture) async throws {
        let body = try fixture.bytes
        let server = try LoopbackServer { _, connection in
            connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: \(body.count)\r\n\r\n")
            connection.send(body[..<(body.count / 2)])
            connection.send(body[(body.count / 2)...])
        }
        let (provider, client) = try OpenAIFixtureTests.provider(server)
        defer { client.close() }
        try await same(provider)
    }

    @Test("Every fixture of the Messages API", arguments: AnthropicFixture.answers)
    func messages(_ fixture: AnthropicFixture) async throws {
        let body = try fixture.bytes
        let server = try LoopbackServer { _, connection in
            connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: \(body.count)\r\n\r\n")
            connection.send(body[...])
        }
        let (provider, client) = try AnthropicFixtureTests.provider(server)
        defer { client.close() }
        try await same(provider)
    }

    @Test("Batches come as they came, and retries as they were")
    func boundaries() async throws {
        let script = try Script(
            Array(
                (#"{"steps":[{"error":{"code":"modelUnavailable","message":"Down.","retryAfterMs":5}}]}"# + "\n"
                    + #"{"steps":[{"text":"a"},{"reasoning":"b"},{"delayMs":0},{"text":"c"},{"replay":{"d":[1.0,null]}},{"end":"refusal"}]}"#)
                    .utf8), name: "s")
        try await same(ScriptedProvider(script, model: "m", ambient: SystemAmbient()), [Self.request, Self.request])
        let lines = try text().split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[1].contains(#""failure":{"atMs":"#) && lines[1].contains(#""details":{"retryAfterMs":5}"#))
        #expect(lines[2].contains(#""events":[{"text":"a"},{"reasoning":"b"}]"#))
        #expect(try CassettePlayer(path: path).cassette.exchanges[1].answer.count == 2)
    }

    @Test("What is dropped or cancelled is recorded as far as it came")
    func cuts() async throws {
        let script = try Script(
            Array((0..<3).map { _ in #"{"steps":[{"text":"a"},{"delayMs":0},{"text":"b"},{"hang":true}]}"# }.joined(separator: "\n").utf8),
            name: "s")
        let provider = ScriptedProvider(script, model: "m", ambient: SystemAmbient())
        let recording = RecordingProvider(provider, writer: try writer([provider]), ambient: SystemAmbient())
        do {
            var stream = try await recording.stream(Self.request)
            _ = try await stream.next()
        }
        #expect(try CassettePlayer(path: path).cassette.exchanges.map(\.answer.count) == [1])
        await ModelProviderContract(recording, Self.request).endsWhenCancelled(after: ["a", "b"])
        let exchanges = try CassettePlayer(path: path).cassette.exchanges
        #expect(exchanges.map(\.answer.count) == [1, 2, 0])
        #expect(exchanges.allSatisfy { if case .cut = $0.ending { true } else { false } })
    }

    @Test("Calls side by side are all recorded, and played back")
    func sideBySide() async throws {
        let script = try Script(Array(#"{"steps":[{"text":"a"},{"delayMs":1},{"text":"b"}],"repeat":true}"#.utf8), name: "s")
        let provider = ScriptedProvider(script, model: "m", ambient: SystemAmbient())
        let recording = RecordingProvider(provider, writer: try writer([provider]), ambient: SystemAmbient())
        func ask(_ provider: any ModelProvider) async -> [ModelProviderContract.Outcome] {
            await withTaskGroup(of: ModelProviderContract.Outcome.self) { group in
                for number in 0..<200 {
                    let request = ModelRequest.conversation(model: "m", "Question \(number % 50)")
                    group.addTask { await ModelProviderContract(provider, request).call() }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(await ask(recording).allSatisfy { $0.deltas == ["a", "b"] && $0.failure == nil })
        #expect(await ask(try played()).allSatisfy { $0.deltas == ["a", "b"] && $0.failure == nil })
    }

    // MARK: The file

    @Test("A new file is its owner's; one that is there is gone on with, without its half line")
    func opening() async throws {
        let provider = ScriptedProvider(try Script([], name: "s"), model: "m", ambient: SystemAmbient())
        do {
            let writer = try writer([provider])
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
            let failure = #expect(throws: Failure.self) { _ = try self.writer([provider]) }
            #expect(failure?.message == "The cassette c.jsonl is being recorded to by another host.")
            withExtendedLifetime(writer) {}
        }
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.seekToEnd()
        try file.write(contentsOf: Data(#"{"model":"scripted:m","request":{"mess"#.utf8))
        try file.close()
        _ = try writer([provider])
        let cassette = try CassettePlayer(path: path).cassette
        #expect(cassette.sessions.count == 2 && cassette.exchanges.isEmpty)
        #expect(try text().split(separator: "\n").count == 2)

        let whole = try text()
        try String(whole.dropLast()).write(toFile: path, atomically: false, encoding: .utf8)
        _ = try writer([provider])
        #expect(try text().hasPrefix(whole) && CassettePlayer(path: path).cassette.sessions.count == 3)
    }

    @Test("What is no cassette is not touched")
    func otherFiles() throws {
        let provider = DemoProvider()
        _ = try folder.write("Dear diary", to: "c.jsonl")
        let failure = #expect(throws: Failure.self) { _ = try writer([provider]) }
        #expect(failure?.message.hasPrefix("c.jsonl is no cassette") == true)
        #expect(try text() == "Dear diary")
        for path in ["/dev/null", folder.path, folder.path + "/nowhere/c.jsonl"] {
            let session = Cassette.Session(defaultModel: "demo:demo", providers: [])
            #expect(throws: Failure.self) { _ = try CassetteWriter(path: path, session: session, secrets: [], logger: .silent) }
        }
    }

    private static func exchange(of size: Int) -> Cassette.Exchange {
        Cassette.Exchange(
            model: "demo:demo", request: ["messages": []],
            answer: [.init(atMilliseconds: 0, events: [.textDelta(String(repeating: "x", count: size)), .finished(.endTurn)])],
            ending: .finished)
    }

    @Test("Secrets that the host knows are not in the file, wherever they were said")
    func secrets() async throws {
        let secrets = [#"sk-"canary"\7f3a"#, #"sk-"canary"\7f3a-longer"#, "none", "messages"]
        let writer = try writer([DemoProvider()], secrets: secrets)
        var exchange = Self.exchange(of: 1)
        exchange.request = ["messages": [.string("My key is \(secrets[0]), none other, or \(secrets[1]) messages")]]
        exchange.answer = [.init(atMilliseconds: 0, events: [.textDelta("Use \(secrets[0])!")])]
        exchange.ending = .failed(Failure(.modelAuth, "Bad key \(secrets[1])."), atMilliseconds: 0)
        writer.append(exchange)
        #expect(try !text().contains("canary"))
        let read = try #require(CassettePlayer(path: path).cassette.exchanges.first)
        #expect(read.request == ["messages": ["My key is [key], none other, or [key] [key]"]])
        #expect(read.answer[0].events == [.textDelta("Use [key]!")])
        #expect(read.ending == .failed(Failure(.modelAuth, "Bad key [key]."), atMilliseconds: 0))
    }
}

extension Logger {
    fileprivate static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}
