import Foundation
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

    /// What bash offers at the end of a command line.
    private func completions(_ line: String, environment: String = "") async throws -> [String] {
        let script = """
            export PATH="$1/bin:$PATH" \(environment)
            . "$1/share/bash-completion/completions/parley"
            COMP_LINE=$2 COMP_POINT=${#2}
            read -ra COMP_WORDS <<<"$2"
            [[ $2 != *" " ]] || COMP_WORDS+=("")
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            read -ra words < <(complete -p parley)
            # Only a real command line has options of its own.
            compopt() { :; }
            "${words[-2]}" parley "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let (code, output) = try await ChildProcess.run(["/bin/bash", "-c", script, "bash", folder.path, line])
        #expect(code == 0, "\(output)")
        return output.split(separator: "\n").map(String.init)
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
        #expect(try await completions("parley ser") == ["serve"])
        #expect(try await completions("parley db b") == ["backup"])
        #expect(try await completions("parley serve --log-level w") == ["warning"])
        #expect(
            try await completions("parley serve --set quotas.user.tu") == [
                "quotas.user.turns.limit=", "quotas.user.turns.limit=none", "quotas.user.turns.windowSeconds=",
            ])
        #expect(try await completions("parley serve --set durability=f") == ["durability=full"])
        #expect(try await completions("parley serve --model ") == ["demo", "scripted:", "replay:"])
        #expect(
            try await completions("parley serve --model openai:gpt-5.4-", environment: "OPENAI_API_KEY=k") == ["openai:gpt-5.4-mini"])
        #expect(try await completions("parley serve --exit") == ["--exit-with-parent"])
        #expect(!(try await completions("parley ")).contains { $0.hasPrefix("--generate") || $0.hasPrefix("---") })
        _ = try folder.write("{}", to: "settings.json")
        _ = try folder.write("", to: "settings.txt")
        #expect(try await completions("parley config --config \(folder.path)/sett") == [folder.file("settings.json")])
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
