import Foundation
package import Glibc
import ParleyCore

/// A child process with pipes for its three streams.
///
/// Not Foundation's: its children can inherit each other's pipes when tests run side by side, and then never see their input's end.
package final class ChildProcess: Sendable {
    /// Its process id.
    package let id: pid_t
    /// The test's end of its stdin.
    package let input: Int32
    /// The test's end of its stdout.
    package let output: Int32
    /// The test's end of its stderr.
    package let errors: Int32
    private let openEnds: Locked<Set<Int32>>
    /// Held while a child is spawned, and while a descriptor is open that children would inherit. A lock of the system's, because the thread
    /// sanitizer does not see that what is made at its first use is made before its second.
    static let spawning = NSLock()

    /// Runs a program to its end.
    ///
    /// - Parameter arguments: the program's path first.
    /// - Returns: its exit code and what it wrote to stdout and stderr.
    package static func run(_ arguments: [String]) async throws -> (code: Int32, output: String) {
        let child = try ChildProcess(arguments, environment: ["PATH": "/usr/bin:/bin"])
        child.close(child.input)
        let code = await child.wait()
        // What it says fits into a pipe.
        var output: [UInt8] = []
        for stream in [child.output, child.errors] {
            while let chunk = LineReader.read(stream) { output += chunk }
        }
        return (code, String(decoding: output, as: UTF8.self))
    }

    /// The system's error number, when a program cannot be started.
    struct SpawnFailure: Error {
        var code: Int32
    }

    /// What tells a sanitizer, where the program is built with one, where to report (`Tests/run --sanitize`).
    static let sanitizerOptions = ProcessInfo.processInfo.environment.filter { ["ASAN_OPTIONS", "TSAN_OPTIONS"].contains($0.key) }

    /// Whether programs are built with a sanitizer, which needs memory of its own and keeps what is freed.
    package static var isSanitized: Bool { !sanitizerOptions.isEmpty }

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - arguments: the program's path first.
    ///   - environment: its variables; nothing else is inherited but the options of sanitizers.
    package init(_ arguments: [String], environment: [String: String]) throws {
        let (input, output, errors) = (try Self.pipe(), try Self.pipe(), try Self.pipe())
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (end, number) in [(input.read, 0), (output.write, 1), (errors.write, 2)] as [(Int32, Int32)] {
            posix_spawn_file_actions_adddup2(&actions, end, number)
        }
        // Whatever other tests have open at this moment is none of the child's business: it would keep their connections open.
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            if let other = Int32(name), other > 2 { posix_spawn_file_actions_addclose(&actions, other) }
        }
        var argumentPointers = arguments.map { strdup($0) } + [nil]
        let variables = Self.sanitizerOptions.merging(environment) { _, given in given }
        var environmentPointers = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argumentPointers + environmentPointers { free(pointer) } }
        var id: pid_t = 0
        let code = Self.spawning.withLock { posix_spawn(&id, arguments[0], &actions, nil, &argumentPointers, &environmentPointers) }
        for end in [input.read, output.write, errors.write] { Glibc.close(end) }
        guard code == 0 else {
            for end in [input.write, output.read, errors.read] { Glibc.close(end) }
            throw SpawnFailure(code: code)
        }
        self.id = id
        self.input = input.write
        self.output = output.read
        self.errors = errors.read
        openEnds = Locked([input.write, output.read, errors.read])
    }

    /// Closes one of the test's ends; a second time does nothing.
    package func close(_ end: Int32) {
        if openEnds.withLock({ $0.remove(end) }) != nil { Glibc.close(end) }
    }

    deinit {
        for end in [input, output, errors] { close(end) }
    }

    /// Both ends are closed in children that others spawn, from the first moment: one that is spawned between two calls would keep them open.
    static func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        try spawning.withLock {
            guard Glibc.pipe(&ends) == 0 else { throw SpawnFailure(code: errno) }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        }
        return (ends[0], ends[1])
    }

    /// Waits for the child's end on a thread of its own; to be called once.
    ///
    /// - Returns: the exit code, or the signal's number negated.
    package func wait() async -> Int32 { await Self.wait(for: id) }

    /// Waits for a child's end on a thread of its own; to be called once.
    static func wait(for id: pid_t) async -> Int32 {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var status: Int32 = 0
                while waitpid(id, &status, 0) < 0, errno == EINTR {}
                let signal = status & 0x7F
                continuation.resume(returning: signal == 0 ? status >> 8 & 0xFF : -signal)
            }
        }
    }
}
