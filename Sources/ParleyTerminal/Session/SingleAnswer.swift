import Glibc
import JSON
import ParleyClient

/// One question and its answer, for scripts and pipes.
package struct SingleAnswer {
    /// No host takes more in one line, unless it is set up to.
    private static let maximumInput = 64 * 1_048_576

    private let options: ChatOptions
    private let writesJSON: Bool
    private let output: Screen
    private let errors: Screen

    /// - Parameter writesJSON: whether the reply is written as it came, one line of JSON.
    package init(_ options: ChatOptions, writesJSON: Bool = false) {
        self.options = options
        self.writesJSON = writesJSON
        output = Screen(
            STDOUT_FILENO, Screen.Abilities(of: STDOUT_FILENO, environment: options.environment, wantsColor: options.wantsColor))
        errors = Screen(
            STDERR_FILENO, Screen.Abilities(of: STDERR_FILENO, environment: options.environment, wantsColor: options.wantsColor))
    }

    /// Asks, and shows the answer.
    ///
    /// - Parameters:
    ///   - question: what is asked, before what stdin holds where that is no terminal; empty for only that.
    ///   - readsTerminal: whether stdin is read where it is a terminal, too, until somebody ends it with Ctrl-D.
    /// - Returns: the exit code: 0 for an answer, 1 for none, 64 for no question, 130 when it was cancelled, or the host's where that could not
    ///   start.
    package func run(_ question: String, readsTerminal: Bool = false) -> Int32 {
        var text = question
        if readsTerminal || isatty(STDIN_FILENO) == 0 {
            guard let input = Self.readAll(STDIN_FILENO) else {
                return fail("the input is longer than \(Self.maximumInput) bytes.", 1)
            }
            if text.isEmpty {
                text = input
            } else if input.contains(where: { !$0.isWhitespace }) {
                text += "\n\n" + input
            }
        }
        guard text.contains(where: { !$0.isWhitespace }) else { return fail("there is no question.", 64) }
        let link = HostLink(
            options, Events(input: STDIN_FILENO, signals: SignalPipe(EndSignals.taken)), isInteractive: false)
        link.events.hearsInput = false
        do {
            try link.start()
            let code = try ask(text, link)
            link.end()
            return code
        } catch HostLink.Trouble.refused(let refusal) {
            link.end()
            return fail(Explanation.line(refusal, hasCommands: false), 1)
        } catch HostLink.Trouble.leave(let code) {
            link.end(isHurried: true)
            return code
        } catch HostLink.Trouble.hostEnded {
            output.beginLine()
            output.flush()
            let end = link.end()
            for line in end.explanation { errors.line(line) }
            errors.flush()
            return end.exitCode
        } catch {
            return fail("\(error).", 1)
        }
    }

    private func ask(_ text: String, _ link: HostLink) throws(HostLink.Trouble) -> Int32 {
        if let problem = MessageSize.problem(text, link.limits) { return fail(problem, 1) }
        let conversations = Conversations(link)
        let bot = try options.bot.map { name throws(HostLink.Trouble) in try conversations.bot(named: name) }
        let latest = options.isContinued ? try conversations.latest(bot: bot) : nil
        let display = TurnDisplay(output, output.abilities.isTerminal ? .rendered : .raw, showsThoughts: false)
        // What is piped in is a text, unless it could be a line that somebody has written.
        let params: JSONValue = [
            "text": .string(text), "commands": .bool(!text.contains("\n")), "conversationId": latest?["id"] ?? .null,
            "botId": latest == nil ? bot?["id"] ?? .null : .null,
        ]
        let runner = TurnRunner(link, display, output, isSilent: writesJSON)
        let reply = try runner.run("sendMessage", params)
        if writesJSON {
            let line = String(decoding: JSONWriter.encode(reply), as: UTF8.self)
            // JSON escapes some control characters, not all.
            if output.abilities.isTerminal { output.line(line) } else { output.raw(line + "\n") }
            output.flush()
        } else {
            display.complete(reply["message"])
        }
        if let warning = display.warning { errors.line("parley: \(warning)") }
        errors.flush()
        let turn = reply["turn"] ?? [:]
        switch turn["status"]?.stringValue {
        case "completed": return 0
        case "cancelled": return 130
        default:
            let reason =
                turn["error"].map { Explanation.line(HostConnection.Refusal($0), hasCommands: false) } ?? "the turn was not completed."
            return fail(reason, 1)
        }
    }

    private func fail(_ message: String, _ code: Int32) -> Int32 {
        output.endWaiting()
        output.flush()
        errors.line("parley: \(message)")
        errors.flush()
        return code
    }

    /// - Returns: nil when there is too much.
    private static func readAll(_ descriptor: Int32) -> String? {
        var input: [UInt8] = []
        while true {
            let chunk = Descriptor.read(descriptor)
            if chunk.isEmpty { return String(decoding: input, as: UTF8.self) }
            input += chunk
            if input.count > maximumInput { return nil }
        }
    }
}

/// How long a message may be.
enum MessageSize {
    /// What is wrong with a message's length; nil for nothing.
    ///
    /// The host would say so too, except of a line that it cannot even read.
    static func problem(_ text: String, _ limits: JSONValue) -> String? {
        let sizes = limits["maxMessageBytes"]
        guard let limit = sizes?["user"]?.intValue, text.utf8.count > limit else { return nil }
        return "The message has \(text.utf8.count) bytes; \(limit) are allowed."
    }
}
