import Foundation
import Glibc
import JSON
package import Logging
package import ParleyCore

/// The file of a cassette that a host records to.
///
/// A new file is its owner's alone. One that is a cassette already is gone on with, by one host at a time. Whole lines are appended, each by
/// one write, so that a killed host leaves all exchanges that had ended, and at most one half line, which the next host takes away.
package final class CassetteWriter: Sendable {
    private let file: Locked<File>
    /// What must not be in the file, the longest first, and how it would stand in it.
    private let secrets: [(text: String, json: Data)]
    private let logger: Logger

    private struct File {
        let descriptor: Int32
        var hasFailed = false
    }

    /// Opens a cassette and writes who can be asked.
    ///
    /// - Parameters:
    ///   - path: where the file is, or is to be.
    ///   - session: who can be asked.
    ///   - secrets: what `[key]` stands for in the file where a text holds it; what is shorter than 6 bytes is no secret.
    ///   - logger: is told when something cannot be written later.
    /// - Throws: `invalidParams`, when the file cannot be written, is something else, or another host records to it.
    package init(path: String, session: Cassette.Session, secrets: [String], logger: Logger) throws(Failure) {
        self.logger = logger
        self.secrets = Set(secrets).filter { $0.utf8.count >= 6 }.sorted { $0.utf8.count > $1.utf8.count }
            .map { ($0, Data(JSONWriter.encode($0).dropFirst().dropLast())) }
        let name = URL(filePath: path).lastPathComponent
        // Not to wait for whoever might be at the other end of what is no file.
        let descriptor = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else { throw Self.failure(name, "cannot be written: \(Self.reason())") }
        file = Locked(File(descriptor: descriptor))
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw Self.failure(name, "is no file") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw Self.failure(name, errno == EWOULDBLOCK ? "is being recorded to by another host" : "cannot be locked: \(Self.reason())")
        }
        if status.st_size > 0 { try Self.mend(descriptor, path: path, name: name) }
        var writer = JSONWriter()
        CassetteLine.write(session, to: &writer)
        guard write(writer.take()) == nil else { throw Self.failure(name, "cannot be written: \(Self.reason())") }
    }

    deinit {
        _ = file.withLock { close($0.descriptor) }
    }

    /// Appends an exchange. What cannot be written is lost, and the log says so the first time.
    package func append(_ exchange: Cassette.Exchange) {
        var writer = JSONWriter(reservingCapacity: 4_096)
        CassetteLine.write(exchange, to: &writer)
        var line = writer.take()
        if holdsSecret(line) {
            CassetteLine.write(exchange.mapStrings(withoutSecrets), to: &writer)
            line = writer.take()
        }
        guard let code = write(line) else { return }
        let isFirst = file.withLock { file in
            defer { file.hasFailed = true }
            return !file.hasFailed
        }
        guard isFirst else { return }
        logger.warning(
            "an exchange with a model could not be recorded; this is said once",
            metadata: ["cause": .string(String(cString: strerror(code)))])
    }

    /// Makes sure that a file is a cassette and ends with a whole line.
    private static func mend(_ descriptor: Int32, path: String, name: String) throws(Failure) {
        let bytes: Data
        do {
            bytes = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw failure(name, "cannot be read")
        }
        let cassette = try Cassette(Array(bytes), name: name)
        guard ftruncate(descriptor, off_t(cassette.wholeByteCount)) == 0 else { throw failure(name, "cannot be written: \(reason())") }
        // A last line that somebody has written by hand may lack its end.
        guard bytes[cassette.wholeByteCount - 1] != UInt8(ascii: "\n") else { return }
        guard Glibc.write(descriptor, "\n", 1) == 1 else { throw failure(name, "cannot be written: \(reason())") }
    }

    /// Writes a line and its end, or nothing of it.
    ///
    /// - Returns: the system's error number; nil when it is written.
    private func write(_ text: [UInt8]) -> Int32? {
        let line = text + [UInt8(ascii: "\n")]
        // The lock is held while the system copies the line, for what a full disk does not take must go before another line comes.
        return file.withLock { file in
            var status = stat()
            guard fstat(file.descriptor, &status) == 0 else { return errno }
            var written = 0
            while written < line.count {
                let count = line[written...].withUnsafeBytes { Glibc.write(file.descriptor, $0.baseAddress, $0.count) }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    let code = errno
                    _ = ftruncate(file.descriptor, status.st_size)
                    return code
                }
                written += count
            }
            return nil
        }
    }

    private func holdsSecret(_ line: [UInt8]) -> Bool {
        guard !secrets.isEmpty else { return false }
        let line = Data(line)
        return secrets.contains { line.range(of: $0.json) != nil }
    }

    private func withoutSecrets(_ text: String) -> String {
        secrets.reduce(text) { text, secret in
            text.split(separator: secret.text, omittingEmptySubsequences: false).joined(separator: "[key]")
        }
    }

    private static func reason() -> String { String(cString: strerror(errno)) }

    private static func failure(_ name: String, _ reason: String) -> Failure {
        Failure(.invalidParams, "The cassette \(name) \(reason).")
    }
}

extension Cassette.Exchange {
    /// The exchange with other texts; names of fields, of models and of tools stay.
    fileprivate func mapStrings(_ change: (String) -> String) -> Cassette.Exchange {
        var changed = self
        changed.request = request.mapStrings(change)
        changed.answer = answer.map { batch in
            Cassette.Batch(atMilliseconds: batch.atMilliseconds, events: batch.events.map { $0.mapStrings(change) })
        }
        if case .failed(var failure, let time) = ending {
            failure.message = change(failure.message)
            failure.details = failure.details.map { Failure.Detail($0.name, $0.value.mapStrings(change)) }
            changed.ending = .failed(failure, atMilliseconds: time)
        }
        return changed
    }
}

extension ModelEvent {
    fileprivate func mapStrings(_ change: (String) -> String) -> ModelEvent {
        switch self {
        case .textDelta(let text): return .textDelta(change(text))
        case .reasoningDelta(let text): return .reasoningDelta(change(text))
        case .replay(let value): return .replay(value.mapStrings(change))
        case .toolCall(var call):
            call.arguments = call.arguments.mapStrings(change)
            return .toolCall(call)
        case .usage, .finished: return self
        }
    }
}
