import Foundation
import JSON
import JSONRPC
import ParleyTestSupport
import Testing

@testable import ParleyCore
@testable import ParleyHost

/// What a connection does not take waits in the turn, and leaves joined when it does.
@Suite("Attachments that are read slowly", .timeLimit(.minutes(5))) struct TurnAttachmentTests {
    /// How many follow the turn, how many pieces it has, and how long they are.
    private static let (count, pieces, length) = (3, 500, 4_000)

    /// Nobody sends anything to this connection.
    private struct Deaf: MessageHandler {
        func handle(_ request: IncomingRequest, reply: Reply) {}
        func handle(notification: IncomingRequest) {}
        func handle(response id: RequestID, result: Result<JSONValue, RPCError>) {}
        func waitUntilReadyForNextLine() {}
        func inputEnded() {}
        func outputBroken() {}
        func log(_ event: TransportEvent) {}
    }

    private static func runningTurn() -> RunningTurn {
        let now = Timestamp(milliseconds: 1)
        let turn = Turn(id: "t", conversationID: "c", status: .inProgress, userMessageID: "u", createdAt: now)
        return RunningTurn(turn, deadline: 1, cancellation: Cancellation(), ambient: DeterministicAmbient())
    }

    private static func say(_ number: Int, in turn: RunningTurn) {
        let text = "\(number) 🙂" + String(repeating: "x", count: length)
        _ = turn.append([AnswerPiece(kind: number % 50 == 49 ? .reasoning : .text, text: text)]) {
            Message(
                id: "m", conversationID: "c", turnID: "t", parentID: "u", role: .assistant, content: [], status: .partial,
                createdAt: Timestamp(milliseconds: 1))
        }
        turn.tellFollowers()
    }

    private static func end(_ turn: RunningTurn) {
        let ended = Turn(
            id: "t", conversationID: "c", status: .completed, stopReason: .endTurn, userMessageID: "u", messageID: "m",
            createdAt: Timestamp(milliseconds: 1), completedAt: Timestamp(milliseconds: 2))
        _ = turn.event(.completed(TurnResult(turn: ended, message: turn.answer())))
        turn.tellFollowers()
    }

    /// Six megabytes in all, of which nothing is read before the last has been said.
    @Test("who reads nothing at first gets everything, in fewer frames")
    func readLater() async throws {
        let isSaid = DispatchSemaphore(value: 0)
        let (held, order) = try await HostUnderTest.inProcess(
            serve: { input, output in
                let connection = Connection(input: input, output: output, handler: Deaf())
                let queue = AttachmentQueue(connection: connection)
                let turn = Self.runningTurn()
                let attachments = (0..<Self.count).map { number in
                    TurnAttachment(queue: queue, requestID: .integer("\(number)")) {}
                }
                for attachment in attachments {
                    _ = turn.add(attachment)
                    attachment.follow(turn.cursor(after: 0)) {}
                }
                for number in 0..<Self.pieces { Self.say(number, in: turn) }
                Self.end(turn)
                #expect(connection.isCongested)
                isSaid.signal()
                for attachment in attachments { #expect(await attachment.hasEnded()) }
                await connection.close()
            },
            body: { client in
                isSaid.wait()
                var held = Array(repeating: HeldTurn(), count: Self.count)
                var order: [Int] = []
                while !held.allSatisfy({ $0.ended != nil }), let line = try client.nextLine() {
                    let event = try JSONReader.parse(line)
                    let number = try #require(event["params"]?["requestId"]?.intValue)
                    try held[number].take(event)
                    order.append(number)
                }
                return (held, order)
            })
        for one in held {
            #expect(one.sequence == Self.pieces + 1 && one.counts.joined > Self.pieces / 10, "\(one.counts)")
            #expect(one.messages["m"]?.map(\.isReasoning).count == 20)
            let numbers = one.messages["m"]?.flatMap { run in run.text.split(separator: "x").map { $0.replacing(" 🙂", with: "") } }
            #expect(numbers == (0..<Self.pieces).map { "\($0)" })
        }
        // They are served in turn, and so end together.
        let firstEnd = try #require((0..<Self.count).map { number in order.lastIndex(of: number) ?? 0 }.min())
        #expect(order.count - firstEnd < order.count / 5)
    }

    @Test("who detaches while frames wait gets none any more")
    func detached() async throws {
        let isSaid = DispatchSemaphore(value: 0)
        let seen = try await HostUnderTest.inProcess(
            serve: { input, output in
                let connection = Connection(input: input, output: output, handler: Deaf())
                let queue = AttachmentQueue(connection: connection)
                let turn = Self.runningTurn()
                let attachment = TurnAttachment(queue: queue, requestID: .integer("1")) {}
                _ = turn.add(attachment)
                attachment.follow(turn.cursor(after: 0)) {}
                for number in 0..<Self.pieces { Self.say(number, in: turn) }
                attachment.stop()
                connection.notify("last") { $0.object { _ in } }
                Self.end(turn)
                isSaid.signal()
                await connection.close()
            },
            body: { client in
                isSaid.wait()
                var names: [String?] = []
                while let line = try client.nextLine() {
                    names.append(try JSONReader.parse(line)["method"]?.stringValue)
                    if names.last == "last" { break }
                }
                client.endInput()
                return names
            })
        #expect(seen.last == "last" && seen.count < Self.pieces)
    }
}
