import Foundation
package import ParleyCore

/// An HTTP client over libcurl, made for many streams at once.
///
/// All transfers run on one thread of its own (`HTTPEngine`). TLS peers are always verified, redirects are not followed, bodies
/// are not decompressed, and connections are kept and used again. A request on a kept connection that the server closes before
/// the first line of its response is repeated by libcurl on a new one; one that is closed later, or on a new connection, is not. Nothing
/// is read from the environment.
///
/// `@unchecked Sendable` is right: `hasEnded` is read and written under `lock` alone, everything else never changes and is Sendable.
package final class HTTPClient: @unchecked Sendable {
    private let inbox: HTTPInbox
    private let executor: HTTPThread
    private let thread: pthread_t
    private let lock = NSLock()
    private var hasEnded = false

    /// Makes a client and starts its thread.
    ///
    /// - Parameter configuration: What all requests have in common.
    /// - Throws: `.other` if the system has no descriptor, memory or thread left.
    package init(configuration: HTTPClientConfiguration = HTTPClientConfiguration()) throws(HTTPFailure) {
        inbox = try HTTPInbox()
        executor = HTTPThread(inbox: inbox)
        thread = try HTTPEngine(configuration: configuration, thread: executor).start()
    }

    /// The thread that runs the transfers, and is a good place to read their responses.
    package var modelThread: any ModelThread { executor }

    deinit {
        close()
    }

    /// Sends a request and waits for the header of its response.
    ///
    /// Cancelling the task ends the transfer at once.
    ///
    /// - Parameter request: What to ask.
    /// - Returns: The response, of whatever status, as soon as its header is in. The client must outlive it.
    /// - Throws: `HTTPFailure` of every kind but `.timeout(.idle)`.
    package nonisolated(nonsending) func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
        let delivery = HTTPDelivery(inbox: inbox)
        return try HTTPResponse(head: try await delivery.start(request).get(), delivery: delivery)
    }

    /// Looks whether a URL may be asked, without asking it.
    ///
    /// - Parameters:
    ///   - url: an absolute URL.
    ///   - allowed: the hosts beside loopback to which plain HTTP may go.
    /// - Throws: `.badURL` if it is malformed, neither https nor http, or http to a host for which that is not allowed.
    package static func check(_ url: String, allowingInsecureHTTPTo allowed: Set<String> = []) throws(HTTPFailure) {
        _ = try HTTPTarget(url, allowingInsecureHTTPTo: allowed)
    }

    /// Ends all transfers with `.cancelled`, and then the thread; returns when it has ended. Calling it again does nothing.
    package func close() {
        lock.withLock {
            guard !hasEnded else { return }
            hasEnded = true
            inbox.post(.stop)
            // A task on that thread may have been the last to hold the client.
            if pthread_equal(thread, pthread_self()) != 0 { pthread_detach(thread) } else { pthread_join(thread, nil) }
        }
    }
}
