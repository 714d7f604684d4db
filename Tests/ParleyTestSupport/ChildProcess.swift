import Foundation
import Glibc

/// A child process with pipes for its three streams.
///
/// Not Foundation's: its children can inherit each other's pipes when tests run side by side, and then never see their input's end.
package final class ChildProcess: Sendable {
    let id: pid_t
    /// The test's ends.
    let input: Int32
    let output: Int32
    let errors: Int32

    /// Runs a program to its end.
    ///
    /// - Returns: its exit code and what it wrote to stdout and stderr.
    package static func run(_ arguments: [String]) async throws -> (code: Int32, output: String) {
        let child = try ChildProcess(arguments, environment: ["PATH": "/usr/bin:/bin"])
        close(child.input)
        let code = await child.wait()
        // What it says fits into a pipe.
        var output: [UInt8] = []
        for stream in [child.output, child.errors] {
            while let chunk = LineReader.read(stream) { output += chunk }
            close(stream)
        }
        return (code, String(decoding: output, as: UTF8.self))
    }

    /// The system's error number.
    struct SpawnFailure: Error {
        var code: Int32
    }

    /// Held from the making of a child's pipes until they are closed in whatever is started meanwhile.
    private static let spawning = NSLock()

    init(_ arguments: [String], environment: [String: String]) throws {
        Self.spawning.lock()
        defer { Self.spawning.unlock() }
        let (input, output, errors) = (try Self.pipe(), try Self.pipe(), try Self.pipe())
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (end, number) in [(input.read, 0), (output.write, 1), (errors.write, 2)] as [(Int32, Int32)] {
            posix_spawn_file_actions_adddup2(&actions, end, number)
        }
        var argumentPointers = arguments.map { strdup($0) } + [nil]
        var environmentPointers = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argumentPointers + environmentPointers { free(pointer) } }
        var id: pid_t = 0
        let code = posix_spawn(&id, arguments[0], &actions, nil, &argumentPointers, &environmentPointers)
        for end in [input.read, output.write, errors.write] { close(end) }
        guard code == 0 else {
            for end in [input.write, output.read, errors.read] { close(end) }
            throw SpawnFailure(code: code)
        }
        self.id = id
        self.input = input.write
        self.output = output.read
        self.errors = errors.read
    }

    /// Both ends are closed in children, but for the copies that `dup2` makes.
    private static func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        guard Glibc.pipe(&ends) == 0 else { throw SpawnFailure(code: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    /// Waits for the child's end on a thread of its own; to be called once.
    ///
    /// - Returns: the exit code, or the signal's number negated.
    func wait() async -> Int32 {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [id] in
                var status: Int32 = 0
                while waitpid(id, &status, 0) < 0, errno == EINTR {}
                let signal = status & 0x7F
                continuation.resume(returning: signal == 0 ? status >> 8 & 0xFF : -signal)
            }
        }
    }
}
