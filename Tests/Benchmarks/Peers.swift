import BenchmarkFloors
import Foundation

/// The same figures of programs that others wrote and that are installed here, for comparison: nothing depends on them.
///
/// A peer is found on the `PATH`. What its figure stands for is the nearest thing that it can do.
enum Peers {
    /// How messages are told apart.
    private enum Framing {
        case lines
        case contentLength
    }

    /// A server that answers JSON-RPC over pipes.
    private struct Server {
        var name: String
        var arguments: [String]
        var framing: Framing
        var initialize: String
        /// A request that needs nothing to be done.
        var trivial: String
        /// What that is.
        var remark: String
    }

    private static let client = #""clientInfo":{"name":"benchmarks","version":"1"}"#
    private static let languageServer = #"{"processId":null,"rootUri":null,"capabilities":{},\#(client)}"#

    private static let servers = [
        Server(
            name: "codex", arguments: ["app-server"], framing: .lines, initialize: "{\(client)}", trivial: "thread/loaded/list",
            remark: "an empty list, thread/loaded/list, for ping"),
        Server(
            name: "ruff", arguments: ["server"], framing: .contentLength, initialize: languageServer, trivial: "ping",
            remark: "an unknown method, which is refused, for ping"),
        Server(
            name: "sourcekit-lsp", arguments: [], framing: .contentLength, initialize: languageServer, trivial: "ping",
            remark: "an unknown method, which is refused, for ping"),
    ]

    /// The peers that can be asked for.
    static let names = servers.map(\.name) + ["litellm"]

    /// Measures a peer.
    ///
    /// - Returns: nil when it is not installed.
    static func figures(_ name: String, _ place: Workplace) throws -> [Figure]? {
        guard let program = Workplace.path(of: name) else { return nil }
        guard let server = servers.first(where: { $0.name == name }) else { return try relay(program, place) }
        // A home of its own, so that neither what is in another counts nor it is changed.
        let home = "\(place.folder)/\(name)-home"
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        func start() throws -> Connection {
            let connection = Connection(
                child: try Child([program] + server.arguments, environment: ["HOME": home, "CODEX_HOME": home], isQuiet: true),
                framing: server.framing)
            try connection.send(#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":\#(server.initialize)}"#)
            try connection.answer()
            return connection
        }
        var (spawns, memories, pings, rates) = ([Run](), [Run](), [Run](), [Run]())
        for _ in 0..<5 {
            let begin = floor_now()
            let connection = try start()
            spawns.append(Run((floor_now() - begin) * 1e3))
            usleep(1_000_000)
            memories.append(Run(try connection.child.memory("VmRSS")))
            try connection.send(#"{"jsonrpc":"2.0","method":"initialized","params":{}}"#)
            let request = #"{"jsonrpc":"2.0","id":1,"method":"\#(server.trivial)","params":{}}"#
            var times: [Double] = []
            for number in 0..<2_200 {
                let begin = floor_now()
                try connection.send(request)
                try connection.answer()
                if number >= 200 { times.append((floor_now() - begin) * 1e6) }
            }
            pings.append(Run(samples: times))
            rates.append(Run(try rate(connection, request)))
        }
        return [
            Figure(title: "\(name): spawn to initialize reply", name: "\(name)-spawn", unit: "ms", runs: spawns),
            Figure(title: "\(name): idle RSS", name: "\(name)-idle", unit: "MiB", runs: memories),
            Figure(title: "\(name): ping, any processors", name: "\(name)-ping", unit: "µs", runs: pings, remarks: [server.remark]),
            Figure(title: "\(name): ping, 64 in flight", name: "\(name)-ping-64", unit: "/s", runs: rates),
        ]
    }

    /// Answers a second with 64 requests unanswered, for two seconds at most.
    private static func rate(_ connection: Connection, _ request: String) throws -> Double {
        try connection.send(request, times: 64)
        let start = floor_now()
        var (answered, owed) = (0, 0)
        while answered < 50_000, floor_now() < start + 2 {
            try connection.answer()
            answered += 1
            owed += 1
            // As with this project's own program: as many requests go at once as answers have come at once.
            guard connection.child.isDrained else { continue }
            try connection.send(request, times: owed)
            owed = 0
        }
        return Double(answered) / (floor_now() - start)
    }

    /// A connection to a peer.
    private struct Connection {
        let child: Child
        let framing: Framing

        func send(_ message: String, times: Int = 1) throws {
            let frame =
                switch framing {
                case .lines: message + "\n"
                case .contentLength: "Content-Length: \(message.utf8.count)\r\n\r\n\(message)"
                }
            try child.write(String(repeating: frame, count: times))
        }

        /// Reads up to the next answer; what a server says beside is passed over.
        func answer() throws {
            switch framing {
            case .lines: try child.lines { !$0.contains(#""method":"#) && $0.contains(#""id":"#) }
            case .contentLength: while !(try bodyIsAnswer()) {}
            }
        }

        private func bodyIsAnswer() throws -> Bool {
            var length = 0
            try child.lines { line in
                if let number = line.number(after: "Content-Length: ") { length = number }
                return line.bytes.count == 1
            }
            return try child.bytes(length).withUnsafeBytes { !Line(bytes: $0).contains(#""method":"#) }
        }
    }

    // MARK: litellm

    /// A proxy that passes on what the same upstream says, without storing anything.
    private static func relay(_ program: String, _ place: Workplace) throws -> [Figure] {
        let upstream = try Upstream(place)
        let models = [("short", "each", 20), ("long", "batch", 2_000)].map { name, manner, tokens in
            """
              - model_name: \(name)
                litellm_params: {model: openai/m, api_key: none, api_base: "http://127.0.0.1:\(upstream.port)/\(manner)/\(tokens)"}
            """
        }
        let config = "\(place.folder)/litellm.yaml"
        try ("model_list:\n" + models.joined(separator: "\n") + "\n").write(toFile: config, atomically: true, encoding: .utf8)
        // A port that was free a moment ago.
        let port = try freePort()
        let child = try Child(
            [program, "--config", config, "--host", "127.0.0.1", "--port", "\(port)"],
            environment: ["LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MASTER_KEY": "sk-benchmarks"], isQuiet: true)
        let connection = try connect(port, patience: 90)
        defer { close(connection) }
        func ask(_ model: String, _ tokens: Int) throws -> floor_answer {
            let body = Upstream.body.replacing(#""model":"m""#, with: #""model":"\#(model)""#)
            let answer = floor_ask(connection, "/v1/chat/completions", body)
            guard answer.tokens == tokens else { throw Wrong("litellm has given \(answer.tokens) of \(tokens) tokens") }
            return answer
        }
        var (firsts, wholes, rates) = ([Run](), [Run](), [Run]())
        for run in 0..<4 {
            let short = try (0..<50).map { _ in try ask("short", 20) }
            let long = try (0..<2).map { _ in try ask("long", 2_000) }
            // The first run warms it up.
            guard run > 0 else { continue }
            firsts.append(Run(samples: short.map { $0.first * 1e3 }))
            wholes.append(Run(samples: short.map { $0.whole * 1e3 }))
            rates.append(Run(samples: long.map { 2_000 / $0.whole }))
        }
        let memory = Run(try child.memory("VmRSS"))
        return [
            Figure(
                title: "litellm: first token", name: "litellm-first-token", unit: "ms", runs: firsts,
                remarks: ["a proxy, which stores nothing; the upstream's own time is not subtracted"]),
            Figure(title: "litellm: 20 tokens, whole", name: "litellm-turn", unit: "ms", runs: wholes),
            Figure(title: "litellm: tokens relayed, one stream", name: "litellm-relay-1", unit: "/s", runs: rates),
            Figure(title: "litellm: RSS", name: "litellm-memory", unit: "MiB", runs: [memory]),
        ]
    }

    private static func freePort() throws -> UInt16 {
        let port = floor_free_port()
        guard port > 0 else { throw Wrong("there is no port") }
        return port
    }

    private static func connect(_ port: UInt16, patience: Double) throws -> Int32 {
        let end = floor_now() + patience
        while floor_now() < end {
            let connection = floor_connect(port)
            if connection >= 0 { return connection }
            usleep(100_000)
        }
        throw Wrong("litellm does not start")
    }
}
