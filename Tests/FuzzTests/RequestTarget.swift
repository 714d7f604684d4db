import Glibc
import JSON
import ParleyCore

@testable import JSONRPC
@testable import ParleyHost

/// The input is a line; where it is an object, every method reads it as params too.
enum RequestTarget {
    /// A file that takes what is answered, without ever making a writer wait.
    private static let output = fileno(tmpfile())

    static func check(_ input: [UInt8]) throws(BrokenPromise) {
        let line = input.split(separator: 0x0A, omittingEmptySubsequences: false).first.map { Array($0) } ?? []
        let document = try? JSONReader.parse(line)
        try expect(answers(to: line) == answers(expectedOf: document), "every request is answered once, and nothing else is")
        if document?.objectValue != nil { try decode(line) }
    }

    // MARK: Lines

    private static let limits = TransportLimits(maxBatchMembers: 64)

    /// How many answers a line should get: the members of one array, or one alone; nil for no array.
    private struct Answers: Equatable {
        var count: Int
        var areBatched: Bool
    }

    private static func answers(to line: [UInt8]) throws(BrokenPromise) -> Answers {
        ftruncate(output, 0)
        lseek(output, 0, SEEK_SET)
        let handler = RecordingHandler()
        let outbox = Outbox(descriptor: OutputDescriptor(output), limits: limits) { _ in }
        let ledger = RequestLedger(outbox: outbox, handler: handler)
        Dispatcher(handler: handler, ledger: ledger, limits: limits).handle(line, in: line.indices)
        handler.answerTheRest()
        try expect(handler.broken.withLock { $0 } == nil, handler.broken.withLock { $0 } ?? "")
        try expect(ledger.count == 0 && ledger.heldBytes == 0, "when everything is answered nothing is in flight")
        let lines = written().split(separator: 0x0A)
        try expect(lines.count <= 1, "a line is answered by one line at most")
        guard let first = lines.first else { return Answers(count: 0, areBatched: false) }
        guard let answer = try? JSONReader.parse(Array(first)) else { throw BrokenPromise(description: "an answer is JSON") }
        for member in answer.arrayValue ?? [answer] {
            let error = member["error"]
            try expect(member["jsonrpc"] == "2.0" && member["id"] != nil, "an answer says what it answers")
            try expect((error == nil) != (member["result"] == nil), "an answer has a result or an error")
            guard let error else { continue }
            try expect(error["code"]?.intValue != nil && error["data"]?["code"]?.stringValue != nil, "an error has its codes")
        }
        return Answers(count: answer.arrayValue?.count ?? 1, areBatched: answer.arrayValue != nil)
    }

    private static func written() -> [UInt8] {
        let size = Int(lseek(output, 0, SEEK_END))
        return [UInt8](unsafeUninitializedCapacity: size) { bytes, count in count = max(0, pread(output, bytes.baseAddress, size, 0)) }
    }

    /// - Parameter document: nil for what is no JSON.
    private static func answers(expectedOf document: JSONValue?) -> Answers {
        guard let members = document?.arrayValue, (1...limits.maxBatchMembers).contains(members.count) else {
            let isAnswered = document.map { $0.arrayValue != nil || wantsAnswer($0) } ?? true
            return Answers(count: isAnswered ? 1 : 0, areBatched: false)
        }
        let count = members.count(where: wantsAnswer)
        return Answers(count: count, areBatched: count > 0)
    }

    private static func wantsAnswer(_ message: JSONValue) -> Bool {
        guard let members = message.objectValue else { return true }
        let id = members["id"]
        let hasGoodID = id.map { $0.isNull || $0.stringValue != nil || isInteger($0) } ?? false
        if members["method"] == nil, members["result"] != nil || members["error"] != nil {
            let isError = members["error"]?["code"]?.intValue != nil && members["error"]?["message"]?.stringValue != nil
            let isGood = members["result"] == nil ? isError : members["error"] == nil
            return !hasGoodID || members["jsonrpc"] != "2.0" || !isGood
        }
        // What is no notification is answered, with an error if need be.
        return id != nil || members["jsonrpc"] != "2.0" || members["method"]?.stringValue == nil
    }

    private static func isInteger(_ id: JSONValue) -> Bool {
        switch id {
        case .integer: true
        case .number(let literal): literal.allSatisfy { $0 == "-" || $0.isNumber }
        default: false
        }
    }

    /// Reads params as the host does, and answers strings' requests only when the line has been handled.
    private final class RecordingHandler: MessageHandler {
        let broken = Locked<String?>(nil)
        private let held = Locked<[Reply]>([])

        func handle(_ request: IncomingRequest, reply: Reply) {
            guard let row = MethodTable.byName[request.method] else { return reply.fail(.methodNotFound(request.method)) }
            do throws(JSONError) {
                var params = try ParamsReader(request.params.reader())
                _ = try row.decode(&params)
            } catch {
                if error.kind != .mismatch { broken.withLock { $0 = "what was found to be JSON stays JSON: \(error)" } }
                return reply.fail(.invalidParams(path: error.path, reason: error.reason))
            }
            if case .string = reply.id { held.withLock { $0.append(reply) } } else { reply.succeed { $0.object { _ in } } }
        }

        func answerTheRest() {
            let replies = held.withLock { held in
                defer { held = [] }
                return held
            }
            for reply in replies.reversed() { reply.succeed { $0.null() } }
        }

        func handle(notification: IncomingRequest) {
            _ = try? CancelRequest(from: notification.params)
            _ = try? AdvanceClock(from: notification.params)
        }

        func handle(response id: RequestID, result: Result<JSONValue, RPCError>) {}
        func waitUntilReadyForNextLine() {}
        func inputEnded() {}
        func outputBroken() { broken.withLock { $0 = "a file can be written to" } }

        func log(_ event: TransportEvent) {
            switch event {
            case .unanswered, .answeredTwice: broken.withLock { $0 = "every request is answered once" }
            default: break
            }
        }
    }

    // MARK: Params

    private static func decode(_ object: [UInt8]) throws(BrokenPromise) {
        for row in MethodTable.rows {
            do throws(JSONError) {
                var params = try ParamsReader(JSONReader(object))
                if case .queued(let method) = try row.decode(&params) {
                    _ = method.scope.locks(for: .user(id: "u"))
                    _ = (method.callerRule, method.bypassesLimit, method.clientAddress)
                }
            } catch {
                try expect(error.kind == .mismatch, "\(row.name): what is JSON is refused for what it says")
                try expect(!error.reason.isEmpty, "\(row.name): what is refused is refused for a reason")
                try expect((0...object.count).contains(error.offset), "\(row.name): what is wrong is in the text")
            }
        }
        let params = Params(bytes: object, range: object.indices)
        _ = try? CancelRequest(from: params)
        _ = try? AdvanceClock(from: params)
    }
}
