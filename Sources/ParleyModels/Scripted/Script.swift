import JSON
package import ParleyCore

/// The answers of a scripted model.
///
/// A script is a file of JSON Lines, one answer a line; blank lines and lines that begin with `#` are passed over:
/// ```
/// # Answers the first message that contains "weather", slowly.
/// {"expect": "weather", "steps": [{"text": "It is "}, {"delayMs": 50}, {"text": "fine."}, {"usage": {"inputTokens": 3, "outputTokens": 4}}]}
/// {"text": "Hello there.", "repeat": true}
/// ```
/// An answer has either `text`, or `steps` that are played in order: `text`, one delta; `reasoning`, one delta of what the model thinks; `replay`,
/// any value, which comes back to the script with the message and is shown to nobody; `toolCall` with a `name` and, if wanted, `arguments` and
/// `id`; `delayMs`; `waitFor` with the name of a method, until the client has sent a line with it or its input has ended (in a deterministic host
/// the line has taken effect then); `usage` with `inputTokens`, `outputTokens`
/// and, if wanted, `cachedInputTokens` and `reasoningTokens`; and as the last one, if the answer is not to end as usual, `end` with
/// `endTurn`, `maxTokens` or `refusal`, `error` with a `code`, a `message` and, if wanted, `retryAfterMs`, or `"hang": true`.
/// `expect` is contained in the last user message; with `repeat` the answer is never used up.
package struct Script: Sendable {
    /// One answer.
    package struct Answer: Sendable {
        /// What the last user message must contain; nil for any message.
        package var expectation: String?
        /// What happens, ready to be played; the last step is a failure or events that end with `finished`, or an endless pause.
        package var steps: [Step]
        /// Whether the answer may be given any number of times.
        package var repeats: Bool

        /// Whether the answer goes with a user message.
        func isExpected(for message: String) -> Bool {
            guard let expectation else { return true }
            // Many times as fast as `contains`, which counts because every unused answer is asked at every call.
            let message = message.utf8.span
            let part = expectation.utf8.span
            guard part.count <= message.count else { return false }
            return (0...message.count - part.count).contains { start in
                part.indices.allSatisfy { message[start + $0] == part[$0] }
            }
        }
    }

    /// One thing that happens in an answer.
    package enum Step: Sendable {
        /// Events that arrive together.
        case events([ModelEvent])
        /// Nothing for so many milliseconds.
        case pause(milliseconds: Int64)
        /// Nothing until the client has sent a request or a notification of that method.
        case wait(method: String)
        /// The end of the call.
        case failure(Failure)
    }

    /// The answers in order.
    package let answers: [Answer]
    /// Whether the user's message matters.
    let hasExpectations: Bool
    /// The methods that are waited for.
    let awaitedMethods: Set<String>

    /// Reads a script.
    ///
    /// - Parameters:
    ///   - bytes: the lines.
    ///   - name: what the script is called in errors.
    /// - Throws: `invalidParams` with the details `line`, `path` and `reason`.
    package init(_ bytes: [UInt8], name: String) throws(Failure) {
        var answers: [Answer] = []
        var line = 0
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            line += 1
            do throws(JSONError) {
                if let first = bytes[start..<end].first(where: { $0 > 0x20 }), first != UInt8(ascii: "#") {
                    var reader = JSONReader(bytes, in: start..<end)
                    answers.append(try Answer(from: &reader))
                    try reader.end()
                }
            } catch {
                throw Failure(
                    .invalidParams,
                    "The script \(name) is wrong in line \(line): \(error.path.isEmpty ? "" : "\(error.path): ")\(error.reason).",
                    details: [
                        .init("line", .integer(Int64(line))), .init("path", .string(error.path)), .init("reason", .string(error.reason)),
                    ])
            }
            start = end + 1
        }
        self.answers = answers
        hasExpectations = answers.contains { $0.expectation != nil }
        awaitedMethods = Set(
            answers.flatMap(\.steps).compactMap { step in
                if case .wait(let method) = step { method } else { nil }
            })
    }
}
