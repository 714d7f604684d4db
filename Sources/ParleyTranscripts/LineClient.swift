import Foundation

/// The client's end of a connection, line by line: it blocks the thread that uses it.
package final class LineClient {
    /// Why a client cannot go on.
    package struct Trouble: Error, CustomStringConvertible {
        /// One sentence without its end mark.
        package let description: String
        /// Whether nothing came in time.
        package var isSilence = false
    }

    /// A request that only finds out whether the host has come to rest. No host has such a method, so nothing that anybody waits for happens
    /// (see `ClientLines`).
    private static let barrier = Array(#"{"jsonrpc":"2.0","id":"barrier","method":"barrier"}"#.utf8) + [UInt8(ascii: "\n")]
    /// How its answer begins.
    private static let barrierAnswer = Array(#"{"jsonrpc":"2.0","id":"barrier","#.utf8)

    private let input: Int32
    private let output: Int32
    private let patience: Int32
    private var isInputOpen = true
    private var received: [UInt8] = []
    private var position = 0

    /// Takes two descriptors, which are the client's from now on. It makes this process ignore SIGPIPE, which would otherwise end it when the
    /// host goes early.
    ///
    /// - Parameters:
    ///   - input: where the host reads.
    ///   - output: where the host writes.
    ///   - patience: how long the host may be silent while something is expected of it, in milliseconds.
    package init(input: Int32, output: Int32, patience: Int32) {
        signal(SIGPIPE, SIG_IGN)
        self.input = input
        self.output = output
        self.patience = patience
    }

    deinit {
        endInput()
        close(output)
    }

    /// Sends bytes as they are; does nothing when the host is gone.
    package func send(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                return
            }
        }
    }

    /// Closes the host's input.
    package func endInput() {
        if isInputOpen { close(input) }
        isInputOpen = false
    }

    /// The next line without its end; nil when the host has closed its output.
    ///
    /// - Parameter milliseconds: how long to wait for more; nil for the client's patience.
    /// - Throws: `Trouble` when nothing comes in time, or the output ends within a line.
    package func nextLine(within milliseconds: Int32? = nil) throws(Trouble) -> [UInt8]? {
        var searched = position
        while true {
            if let end = received[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { position = end + 1 }
                return Array(received[position..<end])
            }
            searched = received.count
            if position > 0 {
                received.removeFirst(position)
                searched -= position
                position = 0
            }
            guard try receive(within: milliseconds ?? patience) else {
                guard received.isEmpty else {
                    throw Trouble(description: "the output ends within a line: \(String(decoding: received.prefix(200), as: UTF8.self))")
                }
                return nil
            }
        }
    }

    /// All further lines, up to the end of the host's output.
    package func remainingLines() throws(Trouble) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        while let line = try nextLine() { lines.append(line) }
        return lines
    }

    /// Waits until the host can do nothing more without input or time, which it shows by answering once more: a deterministic host reads its
    /// next line only then.
    ///
    /// - Returns: the lines that came before it did, also when it ended instead.
    package func linesUntilRest() throws(Trouble) -> [[UInt8]] {
        send(Self.barrier)
        var lines: [[UInt8]] = []
        while let line = try nextLine(), !line.starts(with: Self.barrierAnswer) { lines.append(line) }
        return lines
    }

    private func receive(within milliseconds: Int32) throws(Trouble) -> Bool {
        var readable = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
        let ready = poll(&readable, 1, milliseconds)
        if ready == 0 { throw Trouble(description: "nothing came for \(milliseconds / 1_000) s", isSilence: true) }
        if ready < 0 { return errno == EINTR ? try receive(within: milliseconds) : false }
        let chunk = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
            count = max(0, read(output, buffer.baseAddress, buffer.count))
        }
        received += chunk
        return !chunk.isEmpty
    }
}
