import Foundation
import JSON
package import ParleyCore

/// A model that plays a script: for tests, for benchmarks, and for whoever builds a client.
///
/// Answers are given in the order of the script, each once or, when it repeats, for ever; a call for which there is none fails.
package final class ScriptedProvider: ModelProvider {
    package let name = "scripted"
    package let models: [ModelDescription]
    /// What a script expects, it expects of the last message.
    package let readsHistory = false
    private let script: Script
    private let ambient: any Ambient
    private let lines: ClientLines?
    private let progress: Locked<Progress>

    /// What has been played so far.
    private struct Progress {
        var calls = 0
        var isUsed: [Bool]
        /// All answers before this one are used up.
        var firstUnused = 0
    }

    /// Plays a script.
    ///
    /// - Parameters:
    ///   - script: the answers.
    ///   - model: the model's name.
    ///   - ambient: whose clock the script's delays follow.
    ///   - lines: what the script's waits are for; nil where no client speaks, so that nothing is waited for.
    package init(_ script: Script, model: String, ambient: any Ambient, lines: ClientLines? = nil) {
        self.script = script
        self.ambient = ambient
        self.lines = lines
        models = [ModelDescription(model: model)]
        progress = Locked(Progress(isUsed: Array(repeating: false, count: script.answers.count)))
    }

    /// Plays the script of a file; the file's last path component is the model's name.
    ///
    /// - Parameters:
    ///   - path: where the file is.
    ///   - ambient: whose clock the script's delays follow.
    ///   - lines: what the script's waits are for; nil where no client speaks, so that nothing is waited for.
    /// - Throws: `invalidParams` when the file cannot be read or is no script; its message names the file, the line and the field.
    package convenience init(path: String, ambient: any Ambient, lines: ClientLines? = nil) throws(Failure) {
        let file = URL(filePath: path)
        let bytes: Data
        do {
            bytes = try Data(contentsOf: file)
        } catch {
            throw Failure(.invalidParams, "The script \(file.lastPathComponent) cannot be read.", underlying: String(describing: error))
        }
        self.init(
            try Script(Array(bytes), name: file.lastPathComponent), model: file.lastPathComponent, ambient: ambient, lines: lines)
    }

    /// The methods that the script waits for.
    package var awaitedMethods: Set<String> { script.awaitedMethods }

    package func stream(_ request: ModelRequest) async throws(Failure) -> any ModelStream {
        try check(request)
        guard !Task.isCancelled else { throw .cancelledCall() }
        return ScriptedStream(steps: try takeAnswer(to: request).steps, ambient: ambient, lines: lines)
    }

    /// The first answer that is not used up and expects such a message.
    private func takeAnswer(to request: ModelRequest) throws(Failure) -> Script.Answer {
        // Computed before the lock is taken, under which 10,000 calls may meet.
        let message = script.hasExpectations ? request.messages.last { $0.role == .user }?.text ?? "" : ""
        let (answer, call) = progress.withLock { progress in
            progress.calls += 1
            return (script.take(for: message, isUsed: &progress.isUsed, firstUnused: &progress.firstUnused), progress.calls)
        }
        guard let answer else {
            throw Failure(
                .modelRejected, "The script has no answer for this call.", details: [.init("call", .integer(Int64(call)))])
        }
        return answer
    }
}

extension Script {
    /// Takes the first unused answer that expects such a message.
    fileprivate func take(for message: String, isUsed: inout [Bool], firstUnused: inout Int) -> Answer? {
        while firstUnused < answers.count, isUsed[firstUnused] { firstUnused += 1 }
        for index in firstUnused..<answers.count where !isUsed[index] && answers[index].isExpected(for: message) {
            isUsed[index] = !answers[index].repeats
            return answers[index]
        }
        return nil
    }
}

/// One answer of a script as it is played.
private struct ScriptedStream: ModelStream {
    let steps: [Script.Step]
    let ambient: any Ambient
    let lines: ClientLines?
    private var position = 0

    init(steps: [Script.Step], ambient: any Ambient, lines: ClientLines?) {
        self.steps = steps
        self.ambient = ambient
        self.lines = lines
    }

    mutating func next() async throws(Failure) -> [ModelEvent]? {
        while position < steps.count {
            guard !Task.isCancelled else { throw .cancelledCall() }
            let step = steps[position]
            position += 1
            switch step {
            case .events(let events): return events
            case .pause(let milliseconds): try await pause(milliseconds)
            case .wait(let method): try await wait(for: method)
            case .failure(let failure): throw failure
            }
        }
        return nil
    }

    private func wait(for method: String) async throws(Failure) {
        do {
            try await lines?.wait(for: method)
        } catch {
            throw .cancelledCall()
        }
    }

    private func pause(_ milliseconds: Int64) async throws(Failure) {
        do {
            try await ambient.sleep(milliseconds: milliseconds)
        } catch {
            throw .cancelledCall()
        }
    }
}
