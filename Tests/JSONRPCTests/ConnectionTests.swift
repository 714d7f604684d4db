import Foundation
import JSON
import Testing

@testable import JSONRPC

@Suite(.timeLimit(.minutes(5)))
struct ConnectionTests {
    static func ping(_ id: Int) -> String { #"{"jsonrpc":"2.0","id":\#(id),"method":"ping"}"# + "\n" }
    static func pong(_ id: Int) -> String { #"{"jsonrpc":"2.0","id":\#(id),"result":{}}"# }

    @Test(arguments: OutputKind.allCases)
    func answersPipelinedRequestsInOrder(_ kind: OutputKind) async {
        let lines = await Wire.transcript(Array((0..<5000).map(Self.ping).joined().utf8), kind)
        #expect(lines == (0..<5000).map(Self.pong))
    }

    @Test(arguments: OutputKind.allCases)
    func answersWhileTheInputStaysOpen(_ kind: OutputKind) async {
        let wire = Wire(kind)
        for id in 0..<50 {
            await wire.send(Self.ping(id))
            #expect(await wire.output.line() == Self.pong(id))
        }
        #expect(await wire.finish() == [])
    }

    @Test func answersPipelinedRequestsInOneWrite() async {
        let (readEnd, writeEnd) = Descriptors.socketPair(SOCK_SEQPACKET)
        let (input, toHost) = Descriptors.pipe()
        let handler = RecordingHandler()
        let connection = Connection(input: input, output: writeEnd, handler: handler)
        // The lines are there before the reader is, so one read brings them all.
        _ = Descriptors.write(Array((0..<100).map(Self.ping).joined().utf8), to: toHost)
        close(toHost)
        connection.start()
        await handler.wait(for: .inputEnded)
        #expect(Descriptors.read(readEnd) == Array((0..<100).map { Self.pong($0) + "\n" }.joined().utf8))
        await connection.close()
        for descriptor in [readEnd, writeEnd, input] { close(descriptor) }
    }

    @Test func sendsNotificationsRequestsAndFrames() async {
        let wire = Wire()
        wire.connection.notify("delta") { $0.object { $0.member("text", "a\u{2028}\nb") } }
        wire.connection.request("callTool", id: .string("h1")) { $0.object { $0.member("name", "x") } }
        var writer = JSONWriter()
        for number in 1...3 { writer.notification("delta") { $0.object { $0.member("seq", number) } } }
        wire.connection.send(writer.take())
        wire.connection.send([])
        await wire.connection.flush()
        #expect(
            await wire.finish() == [
                #"{"jsonrpc":"2.0","method":"delta","params":{"text":"a\u2028\nb"}}"#,
                #"{"jsonrpc":"2.0","id":"h1","method":"callTool","params":{"name":"x"}}"#,
                #"{"jsonrpc":"2.0","method":"delta","params":{"seq":1}}"#,
                #"{"jsonrpc":"2.0","method":"delta","params":{"seq":2}}"#,
                #"{"jsonrpc":"2.0","method":"delta","params":{"seq":3}}"#,
            ])
    }

    // MARK: The input

    @Test(arguments: [
        (ping(1) + String(ping(2).dropLast()), ["1 result", "2 result"]),
        (ping(1) + String(ping(2).dropLast()) + "\r", ["1 result", "2 result"]),
        (ping(1) + #"{"jsonrpc":"2.0","id":2,"meth"#, ["1 result", "null -32700 parseError"]),
        (ping(1) + "  ", ["1 result"]),
        ("", []),
    ])
    func handlesTheLastLineWithoutALineEnd(_ input: String, answers: [String]) async throws {
        #expect(try summaries(await Wire.transcript(Array(input.utf8))) == answers)
    }

    @Test func refusesALineOfTwentyMegabytesAndGoesOn() async throws {
        let line = #"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"text":"\#(String(repeating: "x", count: 20_000_000))"}}"# + "\n"
        let lines = await Wire.transcript(Array((Self.ping(0) + line + Self.ping(2)).utf8))
        #expect(try summaries(lines) == ["0 result", "null -32600 inputTooLarge", "2 result"])
    }

    @Test func takesALineOfTheGreatestLength() async throws {
        let limit = TransportLimits().maxLineBytes
        let empty = #"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"text":""}}"#
        func line(_ length: Int) -> String {
            empty.replacing("\"\"", with: "\"\(String(repeating: "x", count: length - empty.utf8.count))\"") + "\n"
        }
        let lines = await Wire.transcript(Array((line(limit) + line(limit + 1) + line(limit)).utf8))
        #expect(try summaries(lines) == ["1 result", "null -32600 inputTooLarge", "1 result"])
    }

    @Test func answersRefusalsBeforeItReadsOn() async throws {
        let held = Guarded<[Reply]>([])
        let wire = Wire(handler: RecordingHandler { _, reply in held.withLock { $0.append(reply) } })
        await wire.send(Self.ping(1) + "nonsense\n" + Self.ping(1))
        #expect(try summaries(await wire.output.lines(2)) == ["null -32700 parseError", "1 -32600 invalidRequest"])
        #expect(wire.connection.requestsInFlight == 1)
        held.withLock { $0.removeFirst() }.succeed { $0.object { _ in } }
        #expect(await wire.output.line() == Self.pong(1))
        #expect(wire.connection.requestsInFlight == 0)
        #expect(await wire.finish() == [])
    }

    @Test func tellsIDsOfOtherTypeOrSpellingApart() async throws {
        let held = Guarded<[Reply]>([])
        let wire = Wire(handler: RecordingHandler { _, reply in held.withLock { $0.append(reply) } })
        let ids = ["1", #""1""#, "-1", "null", #""null""#, #""é""#, #""e\u0301""#, "0", "-0"]
        for id in ids + ids { await wire.send(#"{"jsonrpc":"2.0","id":\#(id),"method":"hold"}"# + "\n") }
        #expect(try summaries(await wire.output.lines(ids.count)).allSatisfy { $0.hasSuffix("-32600 invalidRequest") })
        #expect(wire.connection.requestsInFlight == ids.count)
        let replies = held.withLock { held in
            defer { held = [] }
            return held
        }
        for reply in replies { reply.succeed { $0.null() } }
        #expect(await wire.finish().count == ids.count)
        #expect(wire.connection.requestsInFlight == 0)
    }

    @Test func answersAfterTheInputHasEnded() async {
        let held = Guarded<Reply?>(nil)
        let wire = Wire(handler: RecordingHandler { _, reply in held.withLock { $0 = reply } })
        await wire.send(Self.ping(1))
        close(wire.toHost)
        await wire.handler.wait(for: .inputEnded)
        held.withLock { $0.take() }?.succeed { $0.object { _ in } }
        #expect(await wire.output.line() == Self.pong(1))
        await wire.connection.close()
        for descriptor in [wire.hostInput, wire.hostOutput, wire.fromHost] { close(descriptor) }
    }

    @Test func readsFromADescriptorThatSomebodyMadeNonBlocking() async {
        let wire = Wire()
        #expect(fcntl(wire.hostInput, F_SETFL, O_NONBLOCK) == 0)
        for id in 0..<5 {
            await wire.send(Self.ping(id))
            #expect(await wire.output.line() == Self.pong(id))
        }
        #expect(await wire.finish() == [])
    }

    @Test func goesOnWhenSignalsInterruptItsCalls() async throws {
        // Without SA_RESTART, every blocking call that the signal meets fails with EINTR.
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in }
        #expect(sigaction(SIGURG, &action, nil) == 0)
        let threads = Guarded<[pthread_t]>([])
        let note: @Sendable () -> Void = {
            threads.withLock { $0.append(pthread_self()) }
            threads.wake()
        }
        let wire = Wire(
            handler: RecordingHandler { _, reply in
                note()
                reply.succeed { $0.object { _ in } }
            })
        await wire.send(Self.ping(1))
        #expect(await wire.output.line() == Self.pong(1))
        // Congest the output, so that the writer's thread takes over and tells who it is.
        let frame = [UInt8](repeating: UInt8(ascii: "1"), count: 600_000) + [0x0A]
        wire.connection.send(frame)
        wire.connection.onceWritable(note)
        #expect(await wire.output.line()?.utf8.count == 600_000)
        await offPool { threads.wait { $0.count == 2 ? () : nil } }

        wire.connection.send(frame)
        let both = threads.withLock { $0 }
        for _ in 0..<500 {
            for thread in both { pthread_kill(thread, SIGURG) }
            sched_yield()
        }
        #expect(await wire.output.line()?.utf8.count == 600_000)
        await wire.send(Self.ping(2))
        #expect(await wire.finish() == [Self.pong(2)])
    }

    @Test func endsWhenReadingFails() async {
        let handler = RecordingHandler()
        let connection = Connection(input: -1, output: -1, handler: handler)
        connection.start()
        await handler.wait(for: .inputEnded)
        #expect(handler.events == [.log(.inputFailed(code: EBADF)), .inputEnded])
    }

    // MARK: Stopping

    @Test func stopsAtOnceWhileItWaitsForInput() async {
        let wire = Wire()
        await wire.send(Self.ping(1))
        #expect(await wire.output.line() == Self.pong(1))
        wire.connection.stopReading()
        await wire.handler.wait(for: .inputEnded)
        await wire.send(Self.ping(2))
        wire.connection.stopReading()
        #expect(await wire.finish() == [])
        #expect(wire.handler.events == [.request("ping"), .inputEnded])
    }

    @Test func stopsAfterTheLineThatIsBeingHandled() async {
        let stop = Guarded<(@Sendable () -> Void)?>(nil)
        let handler = RecordingHandler { _, reply in
            stop.withLock { $0 }?()
            reply.succeed { $0.object { _ in } }
        }
        let wire = Wire(handler: handler)
        stop.withLock { $0 = { [connection = wire.connection] in connection.stopReading() } }
        await wire.send(Self.ping(1) + Self.ping(2) + Self.ping(3))
        #expect(await wire.output.line() == Self.pong(1))
        await handler.wait(for: .inputEnded)
        stop.withLock { $0 = nil }
        #expect(await wire.finish() == [])
        #expect(handler.events == [.request("ping"), .inputEnded])
    }

    // MARK: Backpressure

    @Test(arguments: OutputKind.allCases)
    func pausesReadingWhileTooMuchWaits(_ kind: OutputKind) async throws {
        let answer = String(repeating: "x", count: 100_000)
        let handler = RecordingHandler { _, reply in reply.succeed { $0.string(answer) } }
        let wire = Wire(kind, limits: TransportLimits(maxOutboundBytes: 1_000_000), handler: handler)
        await wire.send((0..<60).map(Self.ping).joined())
        await handler.wait(for: .log(.readingPaused))
        #expect(wire.connection.isCongested)
        // What the limit lets in, what the pipe or the socket holds, and one more.
        let handled = handler.events.count { $0 == .request("ping") }
        #expect((10..<30).contains(handled))

        let lines = await wire.output.lines(60)
        #expect(lines == (0..<60).map { #"{"jsonrpc":"2.0","id":\#($0),"result":"\#(answer)"}"# })
        #expect(await wire.finish() == [])
        #expect(handler.events.contains(.log(.readingResumed)))
    }

    @Test func worksWithTheSmallestLimits() async {
        let limits = TransportLimits(maxLineBytes: 100, maxOutboundBytes: 1, congestionBytes: 1)
        let lines = await Wire.transcript(Array((0..<200).map(Self.ping).joined().utf8), limits: limits)
        #expect(lines == (0..<200).map(Self.pong))
    }

    @Test func stopsWhileReadingIsPaused() async {
        let handler = RecordingHandler { _, reply in reply.succeed { $0.string(String(repeating: "x", count: 500_000)) } }
        let wire = Wire(limits: TransportLimits(maxOutboundBytes: 1000), handler: handler)
        await wire.send(Self.ping(1) + Self.ping(2))
        await handler.wait(for: .log(.readingPaused))
        wire.connection.stopReading()
        await handler.wait(for: .inputEnded)
        #expect(handler.events.count { $0 == .request("ping") } == 1)
        #expect(await wire.finish().count == 1)
    }

    @Test(arguments: OutputKind.allCases)
    func goesOnReadingWhenThePeerIsGone(_ kind: OutputKind) async {
        let wire = Wire(kind)
        close(wire.fromHost)
        await wire.send(Self.ping(1))
        await wire.handler.wait(for: .outputBroken)
        await wire.send(Self.ping(2) + #"{"jsonrpc":"2.0","method":"last"}"# + "\n")
        await wire.handler.wait(for: .notification("last"))
        close(wire.toHost)
        await wire.handler.wait(for: .inputEnded)
        await wire.connection.close()
        #expect(wire.connection.requestsInFlight == 0)
        #expect(wire.handler.events.count { $0 == .outputBroken } == 1)
        #expect(wire.handler.events.contains(.log(.outputFailed(code: EPIPE))))
        for descriptor in [wire.hostInput, wire.hostOutput] { close(descriptor) }
    }
}
