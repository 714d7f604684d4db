import Foundation
package import Glibc

/// A program that believes to be at a terminal, and a test that types and looks.
package final class PseudoTerminal: @unchecked Sendable {
    // Unchecked, because the iterator is not Sendable: a test uses its terminal from one task at a time.
    /// The program's process id.
    package let id: pid_t
    private let master: Int32
    /// Keeps the terminal, and how it is set, when the program is gone.
    private let slave: Int32
    private var iterator: AsyncStream<[UInt8]>.Iterator
    private var bytes: [UInt8] = []
    /// How much of the text was waited for already.
    private var seen = 0
    private var hasEnded = false

    /// The program wrote no more before it said what a test waits for.
    package struct Ended: Error, CustomStringConvertible {
        package var description: String
    }

    /// Starts `parley` at a terminal of its own.
    ///
    /// - Parameters:
    ///   - environment: variables beside PATH; nothing is inherited.
    ///   - columns: how wide the terminal is.
    package init(_ arguments: [String], environment: [String: String], columns: Int = 80) throws {
        var size = winsize(ws_row: 50, ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
        var ends: (master: Int32, slave: Int32) = (-1, -1)
        var name = [CChar](repeating: 0, count: 64)
        // Both ends are closed in children that others spawn, from the first moment.
        try ChildProcess.spawning.withLock {
            guard openpty(&ends.master, &ends.slave, &name, nil, &size) == 0 else { throw ChildProcess.SpawnFailure(code: errno) }
            for end in [ends.master, ends.slave] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        }
        (master, slave) = ends
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // The first terminal that the leader of a session opens is the one that it is controlled from.
        posix_spawn_file_actions_addopen(&actions, 0, name, O_RDWR, 0)
        posix_spawn_file_actions_adddup2(&actions, 0, 1)
        posix_spawn_file_actions_adddup2(&actions, 0, 2)
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            if let other = Int32(name), other > 2 { posix_spawn_file_actions_addclose(&actions, other) }
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // POSIX_SPAWN_SETSID, which Swift's Glibc module leaves out.
        posix_spawnattr_setflags(&attributes, 0x80)
        let variables = ChildProcess.sanitizerOptions.merging(["PATH": "/usr/bin:/bin", "TERM": "xterm"]) { _, given in given }
            .merging(environment) { _, given in given }
        let path = try ParleyProcess.binary.path
        var argumentPointers = ([path] + arguments).map { strdup($0) } + [nil]
        var environmentPointers = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argumentPointers + environmentPointers { free(pointer) } }
        var id: pid_t = 0
        let code = ChildProcess.spawning.withLock {
            posix_spawn(&id, path, &actions, &attributes, &argumentPointers, &environmentPointers)
        }
        guard code == 0 else { throw ChildProcess.SpawnFailure(code: code) }
        self.id = id
        let (chunks, continuation) = AsyncStream.makeStream(of: [UInt8].self)
        iterator = chunks.makeAsyncIterator()
        Thread.detachNewThread { [master] in
            // Reading fails when no program has the terminal open any more; the test keeps it open until it is done with it.
            while let chunk = LineReader.read(master) { continuation.yield(chunk) }
            continuation.finish()
            close(master)
        }
    }

    /// All that the program has written, with its control sequences.
    package var output: String { String(decoding: bytes, as: UTF8.self) }

    /// What the program has written since the last call that waited, without control sequences.
    package var text: String { Self.text(bytes[seen...]) }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        // A control sequence ends with its first letter (ECMA-48, 5.4).
        String(decoding: bytes, as: UTF8.self).replacing(#/\u{1B}\[[0-9;?]*[A-Za-z]|\r/#, with: "")
    }

    /// Types.
    package func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { write(master, $0.baseAddress, $0.count) }
    }

    /// Reads until a text stands behind what was waited for before.
    ///
    /// - Throws: `Ended`.
    package func wait(for expected: String) async throws {
        while true {
            let text = text
            if let range = text.range(of: expected) {
                // Nothing of what comes behind it is skipped: the sequences in it do not count.
                seen = position(behind: text[..<range.upperBound])
                return
            }
            guard let chunk = await iterator.next() else { throw Ended(description: "no “\(expected)” in: \(text)") }
            bytes += chunk
        }
    }

    /// The shortest beginning of what was not waited for that has that text.
    private func position(behind text: Substring) -> Int {
        var end = seen
        while end < bytes.count, !Self.text(bytes[seen..<end]).hasPrefix(text) { end += 1 }
        return end
    }

    /// Waits for the program's end; to be called once.
    ///
    /// - Returns: the exit code, or the signal's number negated.
    package func exitCode() async -> Int32 {
        hasEnded = true
        let code = await ChildProcess.wait(for: id)
        return code
    }

    /// Whether the terminal shows by itself what is typed, and gives it line by line, as it does where no program wants it otherwise.
    package var isAsBefore: Bool {
        var mode = termios()
        return tcgetattr(slave, &mode) == 0 && mode.c_lflag & tcflag_t(ECHO | ICANON | ISIG) == tcflag_t(ECHO | ICANON | ISIG)
    }

    deinit {
        if !hasEnded {
            kill(id, SIGKILL)
            waitpid(id, nil, 0)
        }
        close(slave)
    }
}
