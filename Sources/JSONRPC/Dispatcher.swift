import JSON

/// Turns lines into calls of the handler, or into answers where a line yields nothing to call it for.
struct Dispatcher: Sendable {
    let handler: any MessageHandler
    let ledger: RequestLedger
    let limits: TransportLimits

    /// Handles one line.
    /// - Parameters:
    ///   - bytes: the buffer that the line lies in.
    ///   - range: where it lies.
    func handle(_ bytes: [UInt8], in range: Range<Int>) {
        do throws(JSONError) {
            var reader = JSONReader(bytes, in: range)
            if try reader.peek() == .array {
                handle(batch: try Self.members(from: &reader), in: bytes)
            } else {
                let message = try Message(from: &reader, of: bytes)
                try reader.end()
                handle(message, in: nil)
            }
        } catch {
            ledger.refuse(.null, .parseError("\(error.reason), at byte \(error.offset)"))
        }
    }

    /// Answers a line that was too long to be held.
    func refuseTooLong() {
        ledger.refuse(.null, .inputTooLarge(limit: limits.maxLineBytes))
    }

    /// Where the members of a batch lie; the whole line is verified before the first of them is handled.
    private static func members(from reader: inout JSONReader) throws(JSONError) -> [Range<Int>] {
        var members: [Range<Int>] = []
        try reader.beginArray()
        while try reader.nextElement() { members.append(try reader.skip()) }
        try reader.end()
        return members
    }

    private func handle(batch members: [Range<Int>], in bytes: [UInt8]) {
        guard !members.isEmpty else { return ledger.refuse(.null, .invalidRequest("a batch must not be empty")) }
        guard members.count <= limits.maxBatchMembers else {
            return ledger.refuse(.null, .invalidRequest("a batch has at most \(limits.maxBatchMembers) members"))
        }
        let batch = Batch(ledger: ledger, members: members.count)
        for member in members {
            handler.waitUntilReadyForNextLine()
            do throws(JSONError) {
                var reader = JSONReader(bytes, in: member)
                handle(try Message(from: &reader, of: bytes), in: batch)
            } catch {
                batch.refuse(.null, .parseError("\(error.reason), at byte \(error.offset)"))
            }
        }
    }

    private func handle(_ message: consuming Message, in batch: Batch?) {
        switch consume message {
        case .request(let id, let request):
            // The answers of batches wait where the reader's pause does not count them, so they have a bound of their own.
            if let batch, ledger.heldBytes > limits.maxOutboundBytes {
                batch.refuse(id, .overloaded("The answers that wait for others of their batch take up too much memory."))
            } else if ledger.admit(id) {
                let place = batch.map { (batch: $0, place: $0.expectAnswer(of: id)) }
                handler.handle(request, reply: Reply(id: id, ledger: ledger, batch: place))
            } else {
                refuse(id, .invalidRequest("a request with this id is in flight"), in: batch)
            }
        case .notification(let notification):
            batch?.expectNothing()
            handler.handle(notification: notification)
        case .refusedNotification(let method):
            batch?.expectNothing()
            handler.log(.notificationRefused(method: method))
        case .response(let id, let result):
            batch?.expectNothing()
            handler.handle(response: id, result: result)
        case .invalid(let id, let error):
            refuse(id, error, in: batch)
        case .invalidResponse(let id, let error):
            refuse(.null, error, in: batch)
            if let id { handler.handle(response: id, result: .failure(error)) }
        }
    }

    private func refuse(_ id: RequestID, _ error: RPCError, in batch: Batch?) {
        if let batch { batch.refuse(id, error) } else { ledger.refuse(id, error) }
    }
}
