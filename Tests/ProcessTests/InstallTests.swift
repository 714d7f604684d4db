import Foundation
import JSON
import ParleyTestSupport
import Testing

/// `examples/install` with the binary that was built: what it puts where, that shells and man can read it, and that it takes all of it away.
@Suite(.timeLimit(.minutes(5)))
struct InstallTests {
    private static let project = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func install(_ arguments: String...) async throws -> (code: Int32, output: String) {
        try await ChildProcess.run([Self.project.appending(path: "examples/install").path] + arguments)
    }

    private var installed: Set<String> {
        let paths = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        return Set(paths.filter { path in !((try? FileManager.default.contentsOfDirectory(atPath: folder.file(path))) != nil) })
    }

    /// Types into a real bash with the completions that were installed, and waits for each text that is to appear.
    private func type(_ steps: [(typed: String, shown: String)], environment: String = "") async throws {
        let script = """
            import fcntl, json, os, pty, select, signal, struct, sys, termios
            prefix, steps, variables = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3].split()
            environment = {**os.environ, "TERM": "dumb", "PATH": prefix + "/bin:/usr/bin:/bin", **dict(pair.split("=") for pair in variables)}
            process, terminal = pty.fork()
            if process == 0:
                # Wide, so that no line is broken.
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 1000, 0, 0))
                os.execve("/bin/bash", ["bash", "--norc", "--noprofile", "-i"], environment)
            ready = "bind 'set enable-bracketed-paste off'; . %s/share/bash-completion/completions/parley; echo rea''dy\\n" % prefix
            for typed, shown in [(ready, "ready")] + steps:
                os.write(terminal, typed.encode())
                seen = ""
                while shown not in seen:
                    if not select.select([terminal], [], [], 60)[0]:
                        os.kill(process, signal.SIGKILL)
                        sys.exit("does not come: " + repr(shown))
                    piece = os.read(terminal, 65536).decode()
                    print(piece, end="", flush=True)
                    seen += piece
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            """
        let list = JSONValue.array(steps.map { [.string($0.typed), .string($0.shown)] })
        let (code, output) = try await ChildProcess.run(
            ["/usr/bin/python3", "-c", script, folder.path, String(decoding: JSONWriter.encode(list), as: UTF8.self), environment])
        #expect(code == 0, "\(output)")
    }

    @Test func everythingIsInItsPlaceAndGoesAgain() async throws {
        let others = try folder.write("Somebody else's.", to: "parley-theirs.1")
        try FileManager.default.createDirectory(atPath: folder.file("share/man/man1"), withIntermediateDirectories: true)
        try FileManager.default.moveItem(atPath: others, toPath: folder.file("share/man/man1/parley-theirs.1"))
        let (code, output) = try await install("--prefix", folder.path, "--binary", ParleyProcess.binary.path)
        #expect(code == 0 && output.contains("\(folder.path)/bin is not in your PATH"), "\(output)")
        let expected: Set = [
            "bin/parley", "share/bash-completion/completions/parley", "share/zsh/site-functions/_parley",
            "share/fish/vendor_completions.d/parley.fish", "share/man/man1/parley.1", "share/man/man1/parley-serve.1",
            "share/man/man1/parley-doctor.1", "share/man/man1/parley-db.1", "share/man/man1/parley-theirs.1",
        ]
        #expect(installed.isSuperset(of: expected), "\(installed)")
        let version = try await ChildProcess.run([folder.file("bin/parley"), "--version"])
        #expect(output.hasPrefix(version.output.trimmingCharacters(in: .newlines)))

        // Again over what is there, and away.
        #expect(try await install("--prefix", folder.path, "--binary", folder.file("bin/parley")).code == 0)
        let gone = try await install("--uninstall", "--prefix=\(folder.path)")
        #expect(gone.code == 0 && installed == ["share/man/man1/parley-theirs.1"], "\(gone) \(installed)")
    }

    @Test func shellsAndManReadWhatIsInstalled() async throws {
        #expect(try await install("--prefix", folder.path, "--binary", ParleyProcess.binary.path).code == 0)
        let checks = [
            ("/bin/bash", ["-n", "share/bash-completion/completions/parley"]),
            ("/usr/bin/zsh", ["-n", "share/zsh/site-functions/_parley"]),
            ("/usr/bin/fish", ["-n", "share/fish/vendor_completions.d/parley.fish"]),
        ]
        for (shell, arguments) in checks where FileManager.default.isExecutableFile(atPath: shell) {
            let (code, output) = try await ChildProcess.run([shell, arguments[0], folder.file(arguments[1])])
            #expect(code == 0 && output.isEmpty, "\(shell): \(output)")
        }
        for page in installed where page.hasSuffix(".1") {
            if FileManager.default.isExecutableFile(atPath: "/usr/bin/man") {
                let script = #"LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -l "$1" 2>&1 >/dev/null"#
                let (code, output) = try await ChildProcess.run(["/bin/sh", "-c", script, "sh", folder.file(page)])
                #expect(code == 0 && output.isEmpty, "\(page): \(output)")
            }
            if FileManager.default.isExecutableFile(atPath: "/usr/bin/mandoc") {
                let (code, output) = try await ChildProcess.run(["/usr/bin/mandoc", "-T", "lint", "-W", "warning", folder.file(page)])
                #expect(code == 0 && output.isEmpty, "\(page): \(output)")
            }
        }
        let manual = try String(contentsOfFile: folder.file("share/man/man1/parley.1"), encoding: .utf8)
        #expect(
            manual.contains(
                "\\fBquotas.system.turns.limit\\fR\nHow many messages all people together may send within the window.\nDefault: 500"))
    }

    @Test func bashCompletes() async throws {
        #expect(try await install("--prefix", folder.path, "--binary", ParleyProcess.binary.path).code == 0)
        try folder.write("{}", to: "settings.json")
        try folder.write("", to: "settings.txt")
        let clear = "\u{15}"
        try await type(
            [
                ("parley ser\t", "parley serve "), ("--log-level w\t", "--log-level warning "),
                // What wants a value gets no space, and what is chosen already is not offered again.
                ("--set quotas.user.turns.win\t7", "--set quotas.user.turns.windowSeconds=7"), (" --log-f\tj\t", "--log-format json "),
                // In the middle of what bash takes for several words.
                ("--set durability=f\t", "durability=full "), ("--model openai:gpt-5.4-\t", "openai:gpt-5.4-mini "),
                ("--config \(folder.path)/sett\t", "/settings.json "),
                (clear + "parley db b\t", "db backup "), (clear + "parley schema --format t\t", "--format typescript "),
                // Hidden ones stay hidden: the bell rings.
                (clear + "parley --gen\t#", "--gen\u{7}#"),
            ], environment: "OPENAI_API_KEY=k")
    }

    @Test(arguments: [["--prefix", "relative"], ["--frobnicate"], ["--prefix"]])
    func wrongOptionsInstallNothing(arguments: [String]) async throws {
        let (code, output) = try await ChildProcess.run([Self.project.appending(path: "examples/install").path] + arguments)
        #expect(code != 0 && !output.isEmpty)
    }

    @Test func theVersionNamesACommitOfThisRepository() async throws {
        let (code, output) = try await ChildProcess.run([ParleyProcess.binary.path, "--version"])
        let version = try #require(output.wholeMatch(of: /parley \d+\.\d+\.\d+ \((?:([0-9a-f]{12})\+?|.+)\)\n/), "\(output)")
        #expect(code == 0)
        let history = Self.project.appending(path: ".git/logs/HEAD")
        if let commit = version.1, FileManager.default.fileExists(atPath: history.path) {
            let commits = try String(contentsOf: history, encoding: .utf8).split(separator: "\n").map { $0.split(separator: " ")[1] }
            #expect(commits.contains { $0.hasPrefix(commit) }, "\(output)")
        }
    }
}
