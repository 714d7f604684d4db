import Glibc

/// A program with pipes for its stdin and stdout, and for its stderr if wanted.
///
/// To be used by a process that starts nothing else meanwhile: another child could inherit the pipes before they are closed to children.
package struct SpawnedProcess {
    /// A program that could not be started.
    package struct StartFailure: Error, CustomStringConvertible {
        /// One sentence without its end mark.
        package let description: String

        fileprivate init(_ path: String, code: Int32) {
            description = "\(path) cannot be started: \(String(cString: strerror(code)))"
        }
    }

    /// How a program has ended, when it was not with 0.
    package struct Ending: CustomStringConvertible {
        /// What became of it, in words that follow its name.
        package let description: String
        /// Its exit code; nil when a signal ended it.
        package var exitCode: Int32?
    }

    private let id: pid_t
    /// Where the program reads; whoever asks owns it.
    package let input: Int32
    /// Where the program writes; whoever asks owns it.
    package let output: Int32
    /// Where the program writes its log; whoever asks owns it. Nil when its stderr is this process's own.
    package let errors: Int32?

    /// Starts a program, in a process group of its own so that whatever it starts can be ended with it.
    ///
    /// - Parameters:
    ///   - path: the executable's path.
    ///   - arguments: without the program's name.
    ///   - takesErrors: whether its stderr is a pipe too, and not this process's own.
    /// - Throws: `StartFailure`.
    package init(_ path: String, _ arguments: [String], takesErrors: Bool = false) throws(StartFailure) {
        func makePipe() throws(StartFailure) -> (read: Int32, write: Int32) {
            var ends: [Int32] = [0, 0]
            guard pipe(&ends) == 0 else { throw StartFailure(path, code: errno) }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            return (ends[0], ends[1])
        }
        let toProgram = try makePipe()
        let fromProgram = try makePipe()
        let fromErrors = takesErrors ? try makePipe() : nil
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, toProgram.read, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, fromProgram.write, STDOUT_FILENO)
        if let fromErrors { posix_spawn_file_actions_adddup2(&actions, fromErrors.write, STDERR_FILENO) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        posix_spawnattr_setpgroup(&attributes, 0)
        var pointers = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var id: pid_t = 0
        let code = posix_spawn(&id, path, &actions, &attributes, &pointers, environ)
        for end in [toProgram.read, fromProgram.write, fromErrors?.write].compactMap(\.self) { close(end) }
        guard code == 0 else {
            for end in [toProgram.write, fromProgram.read, fromErrors?.read].compactMap(\.self) { close(end) }
            throw StartFailure(path, code: code)
        }
        self.id = id
        input = toProgram.write
        output = fromProgram.read
        errors = fromErrors?.read
    }

    /// Waits for the program's end; to be called once.
    ///
    /// - Parameters:
    ///   - milliseconds: how long; then it is killed.
    ///   - meanwhile: what is done again and again while it is waited for.
    /// - Returns: nil when it has ended with 0.
    package func end(within milliseconds: Int, meanwhile: () -> Void = {}) -> Ending? {
        let step = 5
        var waited = 0
        var status: Int32 = 0
        while true {
            let ended = waitpid(id, &status, WNOHANG)
            if ended == id || ended < 0 && errno != EINTR { break }
            guard waited < milliseconds else {
                kill(-id, SIGKILL)
                while waitpid(id, &status, 0) < 0, errno == EINTR {}
                return Ending(description: "did not end when its input did")
            }
            meanwhile()
            poll(nil, 0, Int32(step))
            waited += step
        }
        let signal = status & 0x7F
        if signal != 0 { return Ending(description: "was ended by signal \(signal)") }
        let code = status >> 8 & 0xFF
        return code == 0 ? nil : Ending(description: "ended with exit code \(code)", exitCode: code)
    }
}
