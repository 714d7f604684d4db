import Foundation
import Testing

/// The rules of the house that a compiler does not hold, as the README states them.
struct HouseTests {
    /// What each target may import of the project's own and of third parties; nothing calls upward, and adapters never know one another.
    @Test(arguments: [
        ("JSON", ["OrderedCollections", "Glibc"]),
        ("JSONSchema", ["JSON", "OrderedCollections", "Foundation"]),
        ("JSONRPC", ["JSON", "OrderedCollections", "Foundation", "Glibc", "Synchronization"]),
        ("ParleyContract", ["CContract", "JSON", "OrderedCollections"]),
        ("ParleyCore", ["JSON", "JSONSchema", "OrderedCollections", "Crypto", "Foundation", "Glibc", "Logging"]),
        ("ParleyJWT", ["JSON", "ParleyCore", "JWTKit"]),
        ("ParleySQLite", ["CSQLite", "JSON", "ParleyCore", "GRDB", "GRDBSQLite", "OrderedCollections", "Foundation", "Glibc", "Logging"]),
        ("ParleyModels", ["CCurl", "JSON", "ParleyCore", "OrderedCollections", "Foundation", "Glibc", "Logging"]),
        ("ParleyClient", ["JSON", "Glibc"]),
        ("ParleyTerminal", ["JSON", "ParleyClient", "Dispatch", "Glibc"]),
        ("ParleyTranscripts", ["JSON", "OrderedCollections", "Foundation", "Glibc"]),
        ("ParleyHost", ["JSON", "JSONRPC", "ParleyContract", "ParleyCore", "OrderedCollections", "Logging"]),
    ])
    func importsFollowTheArrows(target: String, allowed: [String]) throws {
        let files = try SourceTree.swiftFiles(below: "Sources/\(target)")
        #expect(!files.isEmpty)
        for file in files {
            for (number, line) in file.code where line.contains("import ") {
                let words = line.split(separator: " ")
                guard let position = words.firstIndex(of: "import"), words[..<position].allSatisfy({ $0 == "package" || $0 == "internal" })
                else { continue }
                let module = words[position + 1] == "struct" || words[position + 1] == "func" ? words[position + 2] : words[position + 1]
                #expect(allowed.contains(String(module.prefix { $0 != "." })), "\(file.path):\(number): \(line)")
            }
        }
    }

    /// Tasks begin where requests do, and threads are the loops that must block; everything else is structured.
    @Test func tasksAndThreadsStayWhereTheyAre() throws {
        let tasks: Set = ["Sources/ParleyHost/RequestQueue.swift"]
        let threads: Set = [
            "Sources/JSONRPC/InputLoop.swift", "Sources/JSONRPC/Outbox.swift", "Sources/ParleyModels/HTTP/HTTPEngine.swift",
            "Sources/ParleySQLite/JobThreads.swift",
            // Waits for another process to end.
            "Sources/parley/ParentWatch.swift",
        ]
        for file in try SourceTree.swiftFiles(below: "Sources") {
            for (number, line) in file.code {
                if line.contains(" Task {") || line.contains(" Task(") || line.contains("Task.detached") || line.contains("Task.immediate")
                {
                    #expect(tasks.contains(file.path), "\(file.path):\(number): \(line)")
                }
                if line.contains(" Thread(") || line.contains(" Thread {") || line.contains("pthread_create") {
                    #expect(threads.contains(file.path), "\(file.path):\(number): \(line)")
                }
            }
        }
    }

    /// Escapes from the compiler's checks need the proof beside them: a comment on the same line or one of the three before or after.
    @Test func escapesAreProven() throws {
        let escapes = ["try!", "as!", "@unchecked Sendable", "nonisolated(unsafe)", "fatalError("]
        for file in try SourceTree.swiftFiles(below: "Sources") {
            let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false)
            for (number, line) in file.code where escapes.contains(where: { line.contains($0) }) {
                let nearby = lines[max(0, number - 4)..<min(lines.count, number + 3)]
                #expect(nearby.contains { $0.contains("//") }, "\(file.path):\(number): \(line)")
            }
        }
    }

    /// A file that grows beyond this usually holds two ideas.
    @Test(arguments: ["Sources", "Tests"])
    func filesHoldOneIdea(folder: String) throws {
        for file in try SourceTree.swiftFiles(below: folder) {
            #expect(file.text.split(separator: "\n", omittingEmptySubsequences: false).count <= 420, "\(file.path)")
        }
    }

    /// Nothing that another engine would not find.
    @Test func topLevelStaysSmall() throws {
        let allowed: Set = ["Package.swift", "Sources", "Tests", "schemas", "examples", "README.md", "LICENSE", "Package.resolved"]
        let found = try FileManager.default.contentsOfDirectory(atPath: SourceTree.root.path).filter { !$0.hasPrefix(".") }
        #expect(Set(found).subtracting(allowed).isEmpty)
    }

    /// Vague names hide what a file is about.
    @Test func namesSayWhatTheyAre() throws {
        for file in try SourceTree.swiftFiles(below: "Sources") {
            for word in ["Utils", "Helper", "Manager", "Impl."] {
                #expect(!file.path.contains(word), "\(file.path)")
            }
        }
    }
}
