import Foundation
import Glibc

/// An HTTP/1.1 server on 127.0.0.1 that does what a test tells it, byte by byte.
///
/// Each connection has a thread. For each request on it the handler is called, on that thread, and says what to send:
/// ```swift
/// let server = try LoopbackServer { request, connection in
///     connection.sendHead(["Content-Type": "text/event-stream"])
///     connection.sendChunk("data: one\n\n")
///     connection.gates.wait("go")             // until the test calls server.gates.open("go")
///     connection.endChunks()
/// }
/// ```
/// A handler that returns leaves the connection open for the next request; one that calls `waitForPeer()` never answers.
package final class LoopbackServer: Sendable {
    /// What a test wants to be done about a request.
    package typealias Handler = @Sendable (LoopbackRequest, LoopbackConnection) -> Void

    /// The port on 127.0.0.1.
    package let port: UInt16
    /// The gates at which handlers and tests wait for one another.
    package let gates = LoopbackGates()

    private let listener: Int32
    private let record = Record()

    /// Starts a server.
    ///
    /// - Parameters:
    ///   - accepting: Called for each connection before anything is read, on the connection's thread.
    ///   - handler: Called for each request, on the thread of its connection.
    /// - Throws: `LoopbackError` if the system refuses a socket or a thread.
    package init(accepting: @escaping @Sendable (LoopbackConnection) -> Void = { _ in }, _ handler: @escaping Handler) throws {
        Self.raiseDescriptorLimit()
        (listener, port) = try Self.bindSocket()
        guard listen(listener, 4096) == 0 else { throw LoopbackError("listen") }
        // The threads hold what they need and not the server, so that dropping the server stops it.
        try record.startThread { [listener, record, gates] in
            while true {
                let descriptor = accept(listener, nil, nil)
                if descriptor >= 0 {
                    Self.serve(descriptor, record, gates, accepting, handler)
                } else if errno != ECONNABORTED && errno != EINTR {
                    return
                }
            }
        }
    }

    deinit {
        stop()
        close(listener)
    }

    /// The server's address, `http://127.0.0.1:PORT`.
    package var url: String { "http://127.0.0.1:\(port)" }

    /// The requests so far, in the order in which they were read.
    package var requests: [LoopbackRequest] { record.requests }

    /// The connections so far, closed ones included, in the order in which they were accepted.
    package var connections: [LoopbackConnection] { record.connections }

    /// Closes the server and all its connections, opens all gates, and returns when its threads are done. Calling it again does nothing.
    package func stop() {
        gates.openAll()
        shutdown(listener, Int32(SHUT_RDWR))
        record.stop()
    }

    /// Runs an action with a port to which nobody listens and which nobody else can get.
    ///
    /// - Parameter action: What to do meanwhile.
    /// - Throws: `LoopbackError`, or what the action throws.
    package static func withClosedPort<Result>(_ action: (UInt16) async throws -> Result) async throws -> Result {
        let (descriptor, port) = try bindSocket()
        defer { Glibc.close(descriptor) }
        return try await action(port)
    }

    private static func serve(
        _ descriptor: Int32, _ record: Record, _ gates: LoopbackGates, _ accepting: @escaping @Sendable (LoopbackConnection) -> Void,
        _ handler: @escaping Handler
    ) {
        guard let connection = record.connect(descriptor, gates) else {
            close(descriptor)
            return
        }
        // A child process that another test starts must not hold the connection open.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        do {
            try record.startThread {
                accepting(connection)
                while let request = connection.readRequest() {
                    record.note(request)
                    handler(request, connection)
                }
                connection.close()
            }
        } catch {
            connection.reset()
        }
    }

    /// Both ends of a thousand connections are more descriptors than a process is given unless it asks.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    private static func bindSocket() throws -> (descriptor: Int32, port: UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw LoopbackError("socket") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) | getsockname(descriptor, $0, &length) }
        }
        guard code == 0 else {
            Glibc.close(descriptor)
            throw LoopbackError("bind")
        }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }
}

/// The system refused something that the server needs.
package struct LoopbackError: Error, CustomStringConvertible {
    /// The call that failed and the system's text for why.
    package let description: String

    init(_ call: String) {
        description = "\(call): \(strerror(errno).map { String(cString: $0) } ?? "error \(errno)")"
    }
}

/// What the threads of a server share.
///
/// `@unchecked Sendable` is right: what changes is read and written under `condition` alone.
private final class Record: @unchecked Sendable {
    private let condition = NSCondition()
    private var received: [LoopbackRequest] = []
    private var accepted: [LoopbackConnection] = []
    private var threads = 0
    private var isStopped = false

    var requests: [LoopbackRequest] { condition.withLock { received } }

    var connections: [LoopbackConnection] { condition.withLock { accepted } }

    func note(_ request: LoopbackRequest) {
        condition.withLock { received.append(request) }
    }

    /// Makes a connection, or returns nil if the server is stopped.
    func connect(_ descriptor: Int32, _ gates: LoopbackGates) -> LoopbackConnection? {
        condition.withLock {
            guard !isStopped else { return nil }
            let connection = LoopbackConnection(descriptor, number: accepted.count, gates: gates)
            accepted.append(connection)
            return connection
        }
    }

    /// Ends all waiting on connections, and returns when no thread runs.
    func stop() {
        condition.withLock {
            isStopped = true
            for connection in accepted { connection.abandon() }
            while threads > 0 { condition.wait() }
        }
    }

    /// Starts a thread with a small stack, of which a test may have a thousand.
    func startThread(_ body: @escaping @Sendable () -> Void) throws {
        let entry = Unmanaged.passRetained(
            Entry {
                body()
                self.endThread()
            })
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, 512 << 10)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        condition.withLock { threads += 1 }
        var thread = pthread_t()
        errno = pthread_create(
            &thread, &attributes,
            { context in
                if let context { Unmanaged<Entry>.fromOpaque(context).takeRetainedValue().run() }
                return nil
            }, entry.toOpaque())
        guard errno == 0 else {
            let failure = LoopbackError("pthread_create")
            entry.release()
            endThread()
            throw failure
        }
    }

    private func endThread() {
        condition.withLock {
            threads -= 1
            condition.broadcast()
        }
    }

    private final class Entry: Sendable {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }
}
