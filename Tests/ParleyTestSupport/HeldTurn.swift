package import JSON

/// What a client holds of a turn, which it puts together from events as the protocol says, whichever requests and hosts they come from.
package struct HeldTurn {
    /// Text, or what the model thought, that nothing else comes between.
    package struct Run: Equatable, Sendable {
        package var isReasoning: Bool
        package var text: String
    }

    /// The `seq` of the last event that was taken.
    package private(set) var sequence = 0
    /// What each message of the assistant says; a message that says nothing is left out.
    package private(set) var messages: [String: [Run]] = [:]
    /// What came of each tool call.
    package private(set) var toolResults: [String: String] = [:]
    /// The turn as it ended; nil before.
    package private(set) var ended: JSONValue?
    /// How many snapshots were taken, and how many deltas that were joined.
    package private(set) var counts = (snapshots: 0, joined: 0)

    /// Nothing yet.
    package init() {}

    /// Takes an event.
    ///
    /// - Throws: `Fault` when it is not what may come now.
    package mutating func take(_ event: JSONValue) throws(Fault) {
        guard let params = event["params"], let name = event["method"]?.stringValue, let last = params["seq"]?.intValue else {
            throw Fault(description: "this is no event: \(event)")
        }
        if name == "turnSnapshot" {
            counts.snapshots += 1
            (messages, toolResults) = Self.contents(of: params["messages"]?.arrayValue ?? [])
            sequence = last
            return
        }
        let first = params["fromSeq"]?.intValue ?? last
        let isKnownEnd = name == "turnCompleted" && last == sequence
        guard isKnownEnd || ended == nil && first == sequence + 1 else {
            throw Fault(description: "after \(sequence)\(ended == nil ? "" : ", the end,") comes \(name) \(first)-\(last)")
        }
        if first < last { counts.joined += 1 }
        sequence = last
        switch name {
        case "messageDelta", "reasoningDelta":
            guard let id = params["messageId"]?.stringValue, let delta = params["delta"]?.stringValue else { break }
            Self.add(Run(isReasoning: name == "reasoningDelta", text: delta), to: &messages[id, default: []])
        case "toolCallCompleted":
            guard let id = params["toolCallId"]?.stringValue else { break }
            toolResults[id] = params["text"]?.stringValue
        case "turnCompleted":
            ended = params["turn"]
            guard let message = params["message"] else { break }
            let (told, _) = Self.contents(of: [message])
            for (id, runs) in told where runs.map(\.text).joined() != spoken(id) {
                throw Fault(description: "of \(id) is held \(spoken(id)), and the end says \(runs.map(\.text).joined())")
            }
        default: break
        }
    }

    private func spoken(_ id: String) -> String {
        messages[id, default: []].filter { !$0.isReasoning }.map(\.text).joined()
    }

    /// What is wrong with an event.
    package struct Fault: Error, CustomStringConvertible {
        /// One sentence.
        package let description: String
    }

    /// What messages say, as a client would hold it.
    ///
    /// - Parameter messages: in the protocol's form, with what the model thought.
    package static func contents(of messages: [JSONValue]) -> (messages: [String: [Run]], toolResults: [String: String]) {
        var said: [String: [Run]] = [:]
        var results: [String: String] = [:]
        for message in messages {
            guard let id = message["id"]?.stringValue else { continue }
            for part in message["content"]?.arrayValue ?? [] {
                switch (message["role"], part["type"]) {
                case ("assistant", "text"), ("assistant", "reasoning"):
                    add(Run(isReasoning: part["type"] == "reasoning", text: part["text"]?.stringValue ?? ""), to: &said[id, default: []])
                case ("tool", "toolResult"): results[part["toolCallId"]?.stringValue ?? ""] = part["text"]?.stringValue
                default: break
                }
            }
        }
        return (said, results)
    }

    private static func add(_ run: Run, to runs: inout [Run]) {
        if runs.last?.isReasoning == run.isReasoning {
            runs[runs.count - 1].text += run.text
        } else {
            runs.append(run)
        }
    }

    /// A script of a turn: thoughts, words of every kind and calls of tools in small pieces, with time between them, by chance.
    ///
    /// - Parameters:
    ///   - steps: how many answers of the model there are; all but the last end with a call of `list_bots`.
    ///   - pieces: how many pieces an answer has.
    ///   - longest: the most words of a piece.
    ///   - delays: the milliseconds between two pieces.
    package static func script(
        steps: Int, pieces: ClosedRange<Int>, longest: Int, delays: ClosedRange<Int>, using chance: inout SeededGenerator
    ) -> String {
        let words = ["a", "é", "e\u{301}", "🙂", "👩\u{200D}", "👧", "\u{301}", "\r\n", "漢字", " ", "\"\\", "\u{2028}", "word", "\u{0}"]
        return (1...steps).map { step in
            var members: [JSONValue] = []
            for _ in 0..<Int.random(in: pieces, using: &chance) {
                let count = Int.random(in: 1...longest, using: &chance)
                let text = (0..<count).map { _ in words.randomElement(using: &chance) ?? "" }.joined()
                members.append([Int.random(in: 0..<4, using: &chance) == 0 ? "reasoning" : "text": .string(text)])
                if Int.random(in: 0..<3, using: &chance) > 0 {
                    members.append([
                        "delayMs": .integer(Int64.random(in: Int64(delays.lowerBound)...Int64(delays.upperBound), using: &chance))
                    ])
                }
            }
            if step < steps { members.append(["toolCall": ["name": "list_bots", "arguments": [:]]]) }
            return String(decoding: JSONWriter.encode(["steps": .array(members)] as JSONValue), as: UTF8.self) + "\n"
        }.joined()
    }
}
