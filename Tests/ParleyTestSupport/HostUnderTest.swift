import Foundation

/// Ways to talk to a host: within this process, or to the program as users start it.
package enum HostUnderTest {
    /// Serves a connection within this process while `body` talks to it on a thread of its own.
    ///
    /// - Parameters:
    ///   - serve: reads from the first descriptor and writes to the second until its input ends.
    ///   - body: the client's part.
    /// - Returns: what `body` returned, once the host has ended.
    package static func inProcess<Result: Sendable>(
        serve: @escaping @Sendable (_ input: Int32, _ output: Int32) async throws -> Void,
        body: @escaping @Sendable (TestClient) throws -> Result
    ) async throws -> Result {
        let toHost = try ChildProcess.pipe()
        let fromHost = try ChildProcess.pipe()
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                // The reading end of the input stays open: the reader's thread may outlive its host, and must not find another test's pipe
                // behind the same number.
                defer { close(fromHost.write) }
                try await serve(toHost.read, fromHost.write)
                return nil
            }
            group.addTask {
                try await onThread { try body(TestClient(input: toHost.write, output: fromHost.read)) }
            }
            var result: Result?
            while let next = try await group.next() { result = next ?? result }
            guard let result else { preconditionFailure("the second task returns a result or throws") }
            return result
        }
    }

    /// Runs a program while `body` talks to it.
    ///
    /// - Parameters:
    ///   - command: the path of the executable and its arguments; it gets no environment.
    ///   - body: the client's part; when it returns, the input is closed and the program must end.
    /// - Returns: what `body` returned, and the exit code (the signal's number negated for a signal).
    package static func program<Result: Sendable>(
        _ command: [String], body: @escaping @Sendable (TestClient) throws -> Result
    ) async throws -> (result: Result, code: Int32) {
        let child = try ChildProcess(command, environment: [:])
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(
                try await onThread {
                    // No other child may keep them open.
                    let ends = [child.input, child.output].map { fcntl($0, F_DUPFD_CLOEXEC, 0) }
                    let client = TestClient(input: ends[0], output: ends[1])
                    for end in [child.input, child.output] { child.close(end) }
                    return try body(client)
                })
        } catch {
            result = .failure(error)
        }
        // The client is gone and both pipes are closed, so the program ends, whatever it was doing.
        let code = await child.wait()
        return (try result.get(), code)
    }

    /// Runs what blocks on a thread of its own, for the threads of the concurrency pool must not block.
    package static func onThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withTaskExecutorPreference(ThreadExecutor()) { try body() }
    }
}

/// Runs every step of a task on a new thread. Unlike a bare thread, the task still knows the test that its expectations belong to.
private final class ThreadExecutor: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        Thread.detachNewThread { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
