import Foundation
import JSON

@testable import JSONRPC

/// The kinds of output that a host can meet, by the way they have to be written to.
enum OutputKind: CaseIterable, Sendable {
    case pipe
    /// A pipe that cannot be reopened, as where `/proc` is missing.
    case pipeNotReopened
    case socket

    /// A way out, and the end to read it from.
    func open() -> (readEnd: Int32, writeEnd: Int32) {
        self == .socket ? Descriptors.socketPair(SOCK_STREAM) : Descriptors.pipe()
    }

    func descriptor(_ number: Int32) -> OutputDescriptor {
        self == .pipeNotReopened ? OutputDescriptor(number, descriptors: "/nonexistent") : OutputDescriptor(number)
    }
}

enum Descriptors {
    static func pipe() -> (readEnd: Int32, writeEnd: Int32) {
        var ends: [Int32] = [-1, -1]
        precondition(Glibc.pipe(&ends) == 0, "no pipe")
        return (ends[0], ends[1])
    }

    static func socketPair(_ type: __socket_type) -> (readEnd: Int32, writeEnd: Int32) {
        var ends: [Int32] = [-1, -1]
        precondition(socketpair(AF_UNIX, Int32(type.rawValue), 0, &ends) == 0, "no pair of sockets")
        return (ends[0], ends[1])
    }

    /// Writes everything, blocking; false when nobody reads any more.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return false }
            offset += count
        }
        return true
    }

    /// One read, blocking; empty at the end.
    static func read(_ descriptor: Int32, atMost size: Int = 1 << 16) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: size) { bytes, count in
            count = max(0, Glibc.read(descriptor, bytes.baseAddress, size))
        }
    }
}

/// Cuts what comes out of a descriptor into lines, for the side of the peer.
final class LineSource: Sendable {
    private let descriptor: Int32
    private let rest = Guarded<[UInt8]>([])

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// The next so many lines, fewer at the end.
    func lines(_ count: Int) async -> [String] {
        await offPool { [descriptor, rest] in
            var lines: [String] = []
            var bytes = rest.withLock { $0 }
            var start = 0
            var searched = 0
            while lines.count < count {
                if let end = Self.lineEnd(in: bytes, from: searched) {
                    lines.append(String(decoding: bytes[start..<end], as: UTF8.self))
                    start = end + 1
                    searched = start
                } else {
                    searched = bytes.count
                    let more = Descriptors.read(descriptor)
                    if more.isEmpty { break }
                    bytes += more
                }
            }
            let left = Array(bytes[start...])
            rest.withLock { $0 = left }
            return lines
        }
    }

    private static func lineEnd(in bytes: [UInt8], from start: Int) -> Int? {
        bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, let end = memchr(base + start, 0x0A, bytes.count - start) else { return nil }
            return UnsafeRawPointer(base).distance(to: end)
        }
    }

    func line() async -> String? {
        await lines(1).first
    }
}

/// A connection over real descriptors, and its peer.
final class Wire: Sendable {
    let connection: Connection
    let handler: RecordingHandler
    /// What the connection reads from and writes to.
    let hostInput: Int32
    let hostOutput: Int32
    /// What the peer writes to and reads from.
    let toHost: Int32
    let fromHost: Int32
    let output: LineSource

    init(_ kind: OutputKind = .pipe, limits: TransportLimits = TransportLimits(), handler: RecordingHandler = RecordingHandler()) {
        (hostInput, toHost) = Descriptors.pipe()
        (fromHost, hostOutput) = kind.open()
        self.handler = handler
        output = LineSource(fromHost)
        connection = Connection(input: hostInput, output: kind.descriptor(hostOutput), limits: limits, handler: handler)
        connection.start()
    }

    func send(_ text: String) async {
        await send(Array(text.utf8))
    }

    func send(_ bytes: [UInt8]) async {
        _ = await offPool { [toHost] in Descriptors.write(bytes, to: toHost) }
    }

    /// Ends the input, lets the connection end in order, and returns the lines that the peer has not read.
    func finish() async -> [String] {
        close(toHost)
        async let rest = output.lines(.max)
        await handler.wait(for: .inputEnded)
        await connection.close()
        close(hostInput)
        close(hostOutput)
        let lines = await rest
        close(fromHost)
        return lines
    }

    /// What a connection answers to an input.
    static func transcript(
        _ input: [UInt8], _ kind: OutputKind = .pipe, limits: TransportLimits = TransportLimits(),
        handler: RecordingHandler = RecordingHandler()
    ) async -> [String] {
        let wire = Wire(kind, limits: limits, handler: handler)
        await wire.send(input)
        return await wire.finish()
    }
}

/// Answers in short: `1 result`, `null -32700 parseError`, `[1 result, 2 result]`.
func summaries(_ lines: [String]) throws -> [String] {
    try lines.map { try summary(JSONReader.parse(Array($0.utf8))) }
}

private func summary(_ answer: JSONValue) -> String {
    if let members = answer.arrayValue { return "[\(members.map(summary).joined(separator: ", "))]" }
    let id = String(decoding: JSONWriter.encode(answer["id"] ?? "no id"), as: UTF8.self)
    guard answer["jsonrpc"] == "2.0" else { return "no jsonrpc" }
    if answer["result"] != nil { return "\(id) result" }
    return "\(id) \(answer["error"]?["code"]?.intValue ?? 0) \(answer["error"]?["data"]?["code"]?.stringValue ?? "no code")"
}
