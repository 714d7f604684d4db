import Dispatch
import Foundation
import ParleyTestSupport
import Testing

@testable import ParleyCore

/// Tools may take long, and so are not executed on the thread on which the turn goes on, and what models say arrives.
@Suite(.timeLimit(.minutes(1))) struct ToolThreadTests {
    /// A thread as models have one.
    private final class Engine: TaskExecutor {
        private let queue = DispatchQueue(label: "engine")
        private let running = Locked(pthread_t?.none)

        /// Whether the calling thread runs one of its tasks.
        var isHere: Bool { running.withLock { $0 == pthread_self() } }

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            queue.async { [self] in
                running.withLock { $0 = pthread_self() }
                job.runSynchronously(on: asUnownedTaskExecutor())
                running.withLock { $0 = nil }
            }
        }
    }

    /// A tool that looks where it is.
    private struct LookingTool: ToolSource {
        let name = "looking"
        let definition: ToolDefinition
        let engine: Engine
        let places = Locked([Bool]())

        init(engine: Engine) throws {
            definition = try ToolDefinition(name: "look", summary: "Looks.", category: "test", inputSchema: ["type": "object"])
            self.engine = engine
        }

        func tools() -> [ToolDefinition] { [definition] }

        func call(_ call: ToolCall, in context: ToolContext) async throws(Failure) -> ToolOutput {
            places.withLock { $0.append(engine.isHere) }
            return ToolOutput(text: "Seen.")
        }
    }

    @Test func toolsRunElsewhere() async throws {
        let engine = Engine()
        let tool = try LookingTool(engine: engine)
        let calls = ["a", "b"].map { ToolCall(id: $0, name: "look", arguments: [:]) }
        let model = RecordingProvider("p", [.says(.toolCall(calls[0]), .toolCall(calls[1])), .says(.textDelta("Done."))])
        let turns = try TurnsUnderTest([model], tools: [tool])
        try await turns.store.makeConversation("c", for: .ann)
        let (status, isHere) = try await withTaskExecutorPreference(engine) {
            let result = try await turns.send("Look.").result
            return (result.turn.status, engine.isHere)
        }
        #expect(status == .completed)
        #expect(isHere, "the turn itself does not go on here")
        #expect(tool.places.withLock { $0 } == [false, false])
    }
}
