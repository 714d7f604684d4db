import BenchmarkFloors
import Foundation

/// What the figures are taken with: the program under test, this program for the floors, and a folder for databases.
struct Workplace {
    /// The program under test.
    let parley: String
    /// This program, which is the server of models too.
    let itself: String
    /// The floor of a request over pipes: a program in C that answers each line with itself.
    let echo: [String]
    let folder: String
    /// What the command line says of the length of a figure.
    var numbers: [Int] = []

    /// Limits that would end a benchmark early: so high that they are still counted against.
    static let raisedLimits = ["system.turns", "user.inFlight"].flatMap { ["--set", "quotas.\($0).limit=100000000"] }

    init(parley: String) throws {
        guard FileManager.default.isExecutableFile(atPath: parley) else { throw Wrong("\(parley) is no program") }
        self.parley = parley
        itself = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("parley-benchmarks-\(getpid())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        echo = ["\(folder)/echo"]
        try Self.compile("Echo.c", to: echo[0])
    }

    /// Where the project's sources lie: here, or where this program was compiled.
    static let root: URL = {
        let here = URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
        let isHere = FileManager.default.fileExists(atPath: here.appendingPathComponent("Tests/BenchmarkFloors").path)
        return isHere ? here : URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardized
    }()

    /// Compiles a program in C that cannot be a part of this one.
    ///
    /// - Parameters:
    ///   - name: one of those in `Programs`.
    ///   - others: what it takes along of the target.
    static func compile(_ name: String, with others: [String] = [], to program: String, _ flags: [String] = []) throws {
        let folder = root.appendingPathComponent("Tests/BenchmarkFloors")
        let sources = (["Programs/\(name)"] + others).map { folder.appendingPathComponent($0).path }
        guard let compiler = path(of: "cc") ?? path(of: "clang") else { throw Wrong("there is no compiler of C") }
        let include = folder.appendingPathComponent("include").path
        try Child([compiler, "-O2", "-I", include, "-o", program] + sources + flags).finish()
    }

    /// Where a program is found.
    static func path(of name: String) -> String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// The command that serves a database with default settings and limits that are high enough.
    func serve(_ database: String, _ arguments: [String] = []) -> [String] {
        [parley, "serve", "--database", "\(folder)/\(database)", "--caller", "userId:bench"] + Self.raisedLimits + arguments
    }

    /// The flags for a model that gives a short answer at once.
    func scripted() throws -> [String] {
        let script = "\(folder)/answer.jsonl"
        try #"{"steps": [{"text": "Yes."}], "repeat": true}"#.write(toFile: script, atomically: true, encoding: .utf8)
        return ["--model", "scripted:\(script)"]
    }

    /// Makes a database without anything: `empty.db`.
    func makeEmptyDatabase() throws {
        try Host(serve("empty.db")).child.finish()
    }

    /// Copies a database that nobody has open.
    func copy(_ database: String, to other: String) throws {
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: "\(folder)/\(other)\(suffix)") }
        try FileManager.default.copyItem(atPath: "\(folder)/\(database)", toPath: "\(folder)/\(other)")
    }

    /// What a run is doing, for who waits; what it has found goes to the standard output alone.
    static func progress(_ text: String) {
        FileHandle.standardError.write(Data("\(text)\n".utf8))
    }
}

/// A host that was asked to begin, and has answered.
struct Host {
    static let initialize = #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":1}}"# + "\n"

    let child: Child

    init(_ command: [String], environment: [String: String] = [:]) throws {
        child = try Child(command, environment: environment)
        try child.write(Self.initialize)
        try child.lines {
            guard $0.contains(#""serverInfo""#) else { throw Wrong("not initialized: \($0.text)") }
            return true
        }
    }

    /// Makes conversations, and returns their ids.
    func conversations(_ count: Int) throws -> [String] {
        try (0..<count).map { number in
            try child.write(#"{"jsonrpc":"2.0","id":\#(number),"method":"createConversation"}"# + "\n")
            var id: String?
            try child.lines {
                id = $0.text(after: #""conversation":{"id":""#)
                return true
            }
            guard let id else { throw Wrong("no conversation") }
            return id
        }
    }

    /// How many messages conversations have.
    func messageCounts(_ conversations: [String]) throws -> [Int] {
        try conversations.map { conversation in
            try child.write(#"{"jsonrpc":"2.0","id":1,"method":"getConversation","params":{"conversationId":"\#(conversation)"}}"# + "\n")
            var count: Int?
            try child.lines { line in
                count = line.number(after: #""messageCount":"#)
                return line.answeredRequest == 1
            }
            guard let count else { throw Wrong("a conversation is lost") }
            return count
        }
    }
}

/// The server of models in C, as a process of its own.
final class Upstream {
    let port: UInt16
    private let child: Child
    private let folder: String

    init(_ place: Workplace) throws {
        child = try Child([place.itself, "--upstream"])
        folder = place.folder
        var number: UInt16?
        try child.lines {
            number = UInt16($0.text)
            return true
        }
        guard let number else { throw Wrong("the upstream has no port") }
        port = number
    }

    /// The path of an answer: see `floor_upstream`.
    static func path(_ manner: String, _ tokens: Int, rate: Int = 1) -> String { "/\(manner)/\(tokens)/\(rate)/chat/completions" }

    /// A request as the host's is.
    static let body =
        #"{"model":"m","messages":[{"role":"system","content":"You are a helpful assistant. Answer in the language of the question."},"#
        + #"{"role":"user","content":"Begin."}],"stream":true,"stream_options":{"include_usage":true}}"#

    /// The flags for a model that is asked there.
    func flags(_ manner: String, _ tokens: Int, rate: Int = 1) throws -> [String] {
        let file = "\(folder)/\(manner)-\(tokens).json"
        let base = "http://127.0.0.1:\(port)/\(manner)/\(tokens)/\(rate)"
        try #"{"model":"up:m","providers":{"up":{"kind":"openai","baseURL":"\#(base)","models":{"m":{}}}}}"#
            .write(toFile: file, atomically: true, encoding: .utf8)
        return ["--config", file]
    }
}
