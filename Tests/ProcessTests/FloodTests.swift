import Foundation
import JSON
import ParleyTestSupport
import Testing

/// Clients that ask for more than can be done, and read nothing of it: what a host then holds is what README says that it holds at most.
@Suite("Floods", .timeLimit(.minutes(5)))
struct FloodTests {
    private static let mebibyte = 1 << 20
    /// What a request in flight may hold beside its own size and what its turn has said, in bytes.
    #if DEBUG
        private static let requestBytes = 96 << 10
    #else
        private static let requestBytes = 64 << 10
    #endif
    /// How many long answers, here pages of 1 MiB, are on their way at once; and what one takes, in bytes.
    private static let (longAnswers, longAnswerBytes) = (16, 3 * mebibyte)

    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func arguments(script: String, _ settings: String...) throws -> [String] {
        let path = try folder.write(script + "\n", to: "script.jsonl")
        let unlimited = ["system.turns", "user.turns", "user.inFlight"].map { "quotas.\($0).limit=none" }
        return ["--database", folder.file("parley.db"), "--caller", "userId:ada", "--model", "scripted:\(path)"]
            + (unlimited + settings).flatMap { ["--set", $0] }
    }

    /// What has come of a flood of numbered requests.
    private final class Tally {
        /// How often each was answered.
        private(set) var answers: [Int]
        private(set) var answered = 0
        private(set) var overloaded: [Int] = []
        /// The answers that are neither a result nor `overloaded`.
        private(set) var strange: [String] = []
        /// How often each turn has begun and ended, by the request for it.
        private(set) var (started, completed): ([Int], [Int])
        /// How many of the answers came before their turn's last event.
        private(set) var early = 0

        init(of count: Int) {
            answers = Array(repeating: 0, count: count)
            (started, completed) = (answers, answers)
        }

        func take(_ line: OutputLine) {
            if let id = line.answeredID {
                guard id < answers.count else { return }
                answers[id] += 1
                answered += 1
                if completed[id] == 0 { early += 1 }
                if line.contains(#""error""#) {
                    if line.contains(#""code":"overloaded""#) { overloaded.append(id) } else { strange.append("\(id)") }
                }
            } else if line.isEvent("turnStarted"), let id = line.number(after: #""requestId":"#), id < answers.count {
                started[id] += 1
            } else if line.isEvent("turnCompleted"), let id = line.number(after: #""requestId":"#), id < answers.count {
                completed[id] += 1
            }
        }
    }

    private static func expectMemory(_ name: String, _ host: UnreadHost, idle: Int, bound: Int) throws {
        let peak = try host.peakMemory()
        #expect(
            peak <= bound || ChildProcess.isSanitized,
            "\(name): \(peak >> 20) MiB, and \(idle >> 20) MiB before; the bound is \(bound >> 20) MiB")
    }

    @Test("100,000 requests of which no answer is read are answered once each, and then all is as before")
    func requests() async throws {
        let (count, maxInFlight, outbound) = (100_000, 4_096, 4 * Self.mebibyte)
        let code = try await UnreadHost.run(
            arguments(script: #"{"repeat":true,"text":"Answer."}"#, "limits.maxOutboundBytes=\(outbound)")
        ) { host in
            let made = try host.call("sendMessage", ["text": "Hello"])
            let conversation = try #require(made["result"]?["conversation"]?["id"]?.stringValue)
            let idle = try host.peakMemory()
            var lines: [UInt8] = []
            for id in 0..<count {
                let call =
                    switch id % 4 {
                    case 0: #""ping""#
                    case 1: #""getConversation","params":{"conversationId":"\#(conversation)"}"#
                    case 2: #""listMessages","params":{"conversationId":"\#(conversation)"}"#
                    default: #""sendMessage","params":{"text":"Hello","wait":false}"#
                    }
                lines += #"{"jsonrpc":"2.0","id":\#(id),"method":\#(call)}\#n"#.utf8
            }
            let writing = host.startWriting(lines)
            try host.waitUntilAtRest()
            #expect(!writing.hasEnded, "reading pauses while nobody reads what there is to say")
            let bound = idle + outbound + maxInFlight * Self.requestBytes
            try Self.expectMemory("requests, unread", host, idle: idle, bound: bound)

            let tally = Tally(of: count)
            host.listener = { tally.take($0) }
            try host.readLines { _ in tally.answered == count }
            writing.wait()
            #expect(try host.call("sendMessage", ["text": "Hello"])["result"]?["turn"]?["status"] == "completed")
            try Self.expectMemory("requests", host, idle: idle, bound: bound)
            host.endInput()
            try host.readToTheEnd()

            #expect(tally.answers.allSatisfy { $0 == 1 } && tally.strange.isEmpty, "\(tally.strange.prefix(3))")
            // The first cannot be too many, and a ping never is.
            #expect(tally.overloaded.allSatisfy { $0 >= maxInFlight && $0 % 4 != 0 } && !tally.overloaded.isEmpty)
            let refused = Set(tally.overloaded)
            let accepted = (0..<count).filter { $0 % 4 == 3 && !refused.contains($0) }
            #expect(
                tally.started.reduce(0, +) == accepted.count && accepted.allSatisfy { tally.started[$0] == 1 && tally.completed[$0] == 1 })
        }
        #expect(code == 0)
    }

    /// What is asked for again and again: 1 MiB that one turn has said.
    enum LongAnswer: String, CaseIterable {
        case listMessages, getTurn, attachTurn, sendMessage

        /// How often what was said stands in what it gets.
        var copies: Int { self == .attachTurn ? 3 : 1 }
    }

    @Test("what is long is not read from the database for a client that reads none of it", arguments: LongAnswer.allCases)
    func longAnswers(to method: LongAnswer) async throws {
        let count = 100
        let said = String(repeating: "x", count: 1_000_000)
        let code = try await UnreadHost.run(arguments(script: #"{"text":"\#(said)"}"#, "shutdown.graceSeconds=0")) { host in
            var params: [JSONValue] = [["text": "Hello", "clientMessageId": "once"]]
            let turn = try #require(try host.call("sendMessage", params[0])["result"]?["turn"])
            params += [["conversationId": turn["conversationId"] ?? .null], ["turnId": turn["id"] ?? .null]]
            let wanted = method == .sendMessage ? params[0] : method == .listMessages ? params[1] : params[2]
            let text = String(decoding: JSONWriter.encode(wanted), as: UTF8.self)
            let idle = try host.peakMemory()
            let lines = (0..<count).map { #"{"jsonrpc":"2.0","id":\#($0),"method":"\#(method)","params":\#(text)}\#n"# }
            host.startWriting(Array(lines.joined().utf8)).wait()
            try host.waitUntilAtRest()
            let bound = idle + Self.longAnswers * method.copies * Self.longAnswerBytes
            try Self.expectMemory("\(method)", host, idle: idle, bound: bound)
            if method == .listMessages {
                // What waits holds up nobody's end.
                host.signal(SIGTERM)
                return host.waitForTheEnd()
            }
            let tally = Tally(of: count)
            host.listener = { tally.take($0) }
            try host.readLines { _ in tally.answered == count }
            #expect(tally.answers.allSatisfy { $0 == 1 } && tally.strange.isEmpty && tally.overloaded.isEmpty)
            try Self.expectMemory("\(method), read", host, idle: idle, bound: bound)
        }
        #expect(code == 0)
    }

    @Test("messages of half a megabyte are refused before they are too many")
    func longMessages() async throws {
        let (count, messageBytes, inFlight, outbound) = (100, 500_000, 16 * Self.mebibyte, 16 * Self.mebibyte)
        let code = try await UnreadHost.run(
            arguments(
                script: #"{"repeat":true,"steps":[{"text":"so far"},{"hang":true}]}"#, "shutdown.graceSeconds=0",
                "limits.maxInFlightBytes=\(inFlight)", "limits.maxOutboundBytes=\(outbound)")
        ) { host in
            #expect(try host.call("ping")["result"] == [:])
            let idle = try host.peakMemory()
            let text = String(repeating: "x", count: messageBytes)
            let sends = (0..<count).map {
                #"{"jsonrpc":"2.0","id":\#($0),"method":"sendMessage","params":{"text":"\#(text)","wait":false}}\#n"#
            }
            let writing = host.startWriting(Array(sends.joined().utf8))
            try host.waitUntilAtRest()
            let bound = idle + outbound + 3 * inFlight + 16 * Self.mebibyte
            try Self.expectMemory("long messages, unread", host, idle: idle, bound: bound)
            let tally = Tally(of: count)
            host.listener = { tally.take($0) }
            try host.readLines { _ in tally.answered == count }
            writing.wait()
            #expect(tally.answers.allSatisfy { $0 == 1 } && tally.strange.isEmpty)
            #expect(tally.overloaded == Array((inFlight / messageBytes)..<count))
            try Self.expectMemory("long messages", host, idle: idle, bound: bound)
            // The turns that were accepted do not end by themselves.
            host.signal(SIGTERM)
        }
        #expect(code == 0)
    }

    @Test("10,000 turns are in flight at once, and each has one end")
    func turns() async throws {
        let count = 10_000
        let code = try await UnreadHost.run(
            arguments(script: #"{"repeat":true,"steps":[{"text":"so "},{"text":"far"},{"hang":true}]}"#, "limits.maxInFlight=\(count)")
        ) { host in
            #expect(try host.call("ping")["result"] == [:])
            let idle = try host.peakMemory()
            let tally = Tally(of: count)
            host.listener = { tally.take($0) }
            let sends = (0..<count).map { #"{"jsonrpc":"2.0","id":\#($0),"method":"sendMessage","params":{"text":"Hello"}}\#n"# }
            let writing = host.startWriting(Array(sends.joined().utf8))
            var begun = 0
            try host.readLines { line in
                if line.isEvent("turnStarted") { begun += 1 }
                return begun == count
            }
            writing.wait()
            #expect(try host.call("getStatus")["result"]?["turnsInFlight"] == .integer(Int64(count)))
            let bound = idle + 64 * Self.mebibyte + count * Self.requestBytes
            try Self.expectMemory("turns", host, idle: idle, bound: bound)

            let cancels = (0..<count).map { #"{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":\#($0)}}\#n"# }
            let cancelling = host.startWriting(Array(cancels.joined().utf8))
            var cancelled = 0
            try host.readLines { line in
                if line.answeredID != nil, line.contains(#""status":"cancelled""#) { cancelled += 1 }
                return tally.answered == count
            }
            cancelling.wait()
            #expect(cancelled == count && tally.early == 0)
            // A turn is no longer counted once its reply is on the way, but not before.
            while try host.call("getStatus")["result"]?["turnsInFlight"] != 0 {}
            try Self.expectMemory("turns, ended", host, idle: idle, bound: bound)
            #expect([tally.answers, tally.started, tally.completed].allSatisfy { $0.allSatisfy { $0 == 1 } })
        }
        #expect(code == 0)
    }

    @Test("a line of 1 GB is refused once and held nowhere")
    func line() async throws {
        let maxLineBytes = 8 * Self.mebibyte
        let code = try await UnreadHost.run(["--database", ":memory:", "--caller", "userId:ada"]) { host in
            #expect(try host.call("ping")["result"] == [:])
            let idle = try host.peakMemory()
            let writing = host.startWriting(Array(repeating: UInt8(ascii: "x"), count: Self.mebibyte), times: 1_024)
            writing.wait()
            // Until it has ended, there is nothing to say but that it is too long.
            var said: [JSONValue] = []
            host.startWriting([0x0A]).wait()
            let id = host.send("ping")
            try host.readLines { line in
                said.append(try line.value())
                return line.answeredID == id
            }
            #expect(said.count == 2 && said[0]["id"] == .null && said[0]["error"]?["data"]?["code"] == "inputTooLarge")
            #expect(said.last?["result"] == [:])
            try Self.expectMemory("line", host, idle: idle, bound: idle + 2 * maxLineBytes + Self.mebibyte)
        }
        #expect(code == 0)
    }
}
