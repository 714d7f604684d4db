import Foundation
import Glibc
import JSON
import Logging
import ParleyCore

/// Writes the log to stderr, a line an event, as text or as JSON; stdout belongs to the protocol.
struct StderrLogHandler: LogHandler {
    /// How a line is written.
    enum Format: String { case text, json }

    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level
    private let format: Format

    init(level: Logger.Level, format: Format) {
        logLevel = level
        self.format = format
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let members = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }.filter { !"\($0.value)".isEmpty }
        let time = SystemAmbient().now().rfc3339
        var line: [UInt8]
        switch format {
        case .text:
            var text = "\(time) \(event.level.rawValue) \(event.message)"
            for (key, value) in members { text += " \(key)=\(Self.quoted("\(value)"))" }
            line = Array(text.utf8)
        case .json:
            var writer = JSONWriter()
            writer.object { writer in
                writer.member("time", time)
                writer.member("level", event.level.rawValue)
                writer.member("message", "\(event.message)")
                for (key, value) in members {
                    writer.key(key)
                    writer.string("\(value)")
                }
            }
            line = writer.take()
        }
        line.append(0x0A)
        // A parent that does not read stderr must not stop the host: the line is dropped when there is no room for it.
        var stderr = pollfd(fd: Self.descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&stderr, 1, 0) == 1, stderr.revents & Int16(POLLOUT) != 0 else { return }
        // One write a line, so that lines of several threads and processes do not mix. Nothing can be done about a stderr that is gone.
        _ = line.withUnsafeBytes { write(Self.descriptor, $0.baseAddress, $0.count) }
    }

    /// What is written to: stderr, and where that is a pipe, that pipe opened once more, so that a write never waits, though others have taken the room
    /// meanwhile or the line is longer than it.
    private static let descriptor: Int32 = {
        var status = stat()
        guard fstat(2, &status) == 0, status.st_mode & S_IFMT == S_IFIFO else { return 2 }
        let opened = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC)
        return opened < 0 ? 2 : opened
    }()

    private static func quoted(_ text: String) -> String {
        guard text.contains(where: { $0.isWhitespace || $0 == "\"" || $0 == "=" || $0.isNewline }) else { return text }
        return String(decoding: JSONWriter.encode(JSONValue.string(text)), as: UTF8.self)
    }
}
