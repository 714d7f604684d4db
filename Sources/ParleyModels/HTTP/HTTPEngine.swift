import CCurl
import Foundation

/// The thread on which all transfers of one client run: libcurl's multi handle, driven by epoll.
///
/// After `start()` the object belongs to that thread, which holds the only reference to it. It is therefore not Sendable, and
/// neither are the transfers; other threads reach it through the inbox, and are reached through each transfer's delivery.
final class HTTPEngine {
    /// The present in nanoseconds, read once a round.
    private(set) var now = HTTPEngine.clock()

    private let configuration: HTTPClientConfiguration
    private let inbox: HTTPInbox
    private let thread: HTTPThread
    private let multi: UnsafeMutableRawPointer
    private let epoll: Int32
    private var transfers: [ObjectIdentifier: HTTPTransfer] = [:]
    private var dirty: [HTTPTransfer] = []
    private var deadlines = HTTPDeadlines<ObjectIdentifier>()
    /// When libcurl wants to be called although no socket is ready. Its timers fire once.
    private var curlDeadline = UInt64.max

    /// Makes an engine that does not run yet.
    ///
    /// - Throws: `.other` if the system has no descriptor or memory left.
    init(configuration: HTTPClientConfiguration, thread: HTTPThread) throws(HTTPFailure) {
        // It counts its calls, is safe to call on any thread, and is for the whole process: nobody undoes it.
        guard curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK, let multi = curl_multi_init() else {
            throw HTTPFailure.withoutCurl
        }
        self.configuration = configuration
        inbox = thread.inbox
        self.thread = thread
        self.multi = multi
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0, control(EPOLL_CTL_ADD, inbox.descriptor, EPOLLIN.rawValue) else {
            throw HTTPFailure(.other, "no epoll: \(HTTPFailure.systemError(errno))")
        }
        let context = Unmanaged.passUnretained(self).toOpaque()
        for code in [
            parley_curl_multi_set_socket_callback(multi, watchSocket, context),
            parley_curl_multi_set_timer_callback(multi, armTimer, context),
            parley_curl_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, configuration.maximumConnections),
            parley_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, configuration.maximumConnections),
        ] where code != CURLM_OK {
            throw HTTPFailure(.other, String(cString: curl_multi_strerror(code)))
        }
    }

    deinit {
        // Closing its connections, libcurl would call back to an object that is going away.
        parley_curl_multi_set_socket_callback(multi, nil, nil)
        parley_curl_multi_set_timer_callback(multi, nil, nil)
        curl_multi_cleanup(multi)
        if epoll >= 0 { close(epoll) }
    }

    /// Starts the thread and gives the engine to it.
    ///
    /// - Returns: The thread, to be joined after `.stop` was posted.
    /// - Throws: `.other` if there can be no more threads.
    func start() throws(HTTPFailure) -> pthread_t {
        // The thread inherits which signals are blocked: all but those of a crash, for signals are the host's business and a broken
        // connection is an error number here.
        var blocked = sigset_t()
        var before = sigset_t()
        sigfillset(&blocked)
        for signal in [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV] { sigdelset(&blocked, signal) }
        pthread_sigmask(SIG_SETMASK, &blocked, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let engine = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, runEngine, engine.toOpaque())
        guard code == 0 else {
            engine.release()
            throw HTTPFailure(.other, "no thread: \(HTTPFailure.systemError(code))")
        }
        return thread
    }

    // MARK: For transfers

    /// Notes that a transfer has something to hand over.
    func markDirty(_ transfer: HTTPTransfer) {
        guard !transfer.isDirty else { return }
        transfer.isDirty = true
        dirty.append(transfer)
    }

    /// Makes sure that the engine looks at a transfer no later than at its deadline.
    ///
    /// A deadline that moves back, as it does with every byte, costs nothing here: it is moved when the earlier moment comes.
    /// libcurl's own `CURLOPT_LOW_SPEED_TIME` counts in whole seconds and by averages.
    func watch(_ transfer: HTTPTransfer) {
        guard transfer.deadline < transfer.nextLook else { return }
        transfer.nextLook = transfer.deadline
        deadlines.set(ObjectIdentifier(transfer.delivery), to: transfer.deadline)
    }

    // MARK: The loop

    /// Runs until `.stop` comes.
    fileprivate func run() {
        inbox.belongToThisThread()
        var events = [epoll_event](repeating: epoll_event(), count: 256)
        while obeyCommands() {
            if curlDeadline <= now {
                act(on: CURL_SOCKET_TIMEOUT, 0)
                handOver()
            }
            pace()
            let before = now
            let count = Int(epoll_wait(epoll, &events, Int32(events.count), timeToWait()))
            now = Self.clock()
            for event in events.prefix(max(0, count)) {
                if event.data.fd == inbox.descriptor {
                    inbox.quiet()
                } else {
                    act(on: event.data.fd, Self.readiness(event.events))
                }
            }
            // Once for all sockets: what came on them is then handled in one go, and leaves together.
            handOver()
            // Late is who had nothing to read when all sockets were looked at after the deadline. Judged by the present, a machine
            // that was busy or asleep would end transfers whose bytes had come long since.
            if count < events.count { endTransfersLate(at: before) }
        }
        endAll()
    }

    /// How long what tasks send may be held back for the sake of others that send too, in nanoseconds.
    private static let patience: UInt64 = 1_000_000

    /// - Returns: False if `.stop` was among the commands.
    private func obeyCommands() -> Bool {
        var goesOn = true
        let commands = inbox.take()
        guard !commands.isEmpty else { return true }
        // Nothing joins what a task sends alone, and it should be out before that task wakes others to go on.
        let surroundings = commands.count > 1 ? thread.surroundings : nil
        surroundings?(true)
        var begun = Self.clock()
        for command in commands {
            switch command {
            case .start(let request, let delivery): begin(request, delivery)
            case .resume(let delivery): transfers[ObjectIdentifier(delivery)]?.goOn()
            case .cancel(let delivery): if let transfer = transfers[ObjectIdentifier(delivery)] { drop(transfer) }
            case .letEnd(let delivery): transfers[ObjectIdentifier(delivery)]?.letEnd()
            case .run(let job):
                job.runSynchronously(on: thread.asUnownedTaskExecutor())
                guard let surroundings, Self.clock() - begun > Self.patience else { continue }
                // What they have sent so far waits no longer for those that take long, and nor does what others send.
                surroundings(false)
                surroundings(true)
                begun = Self.clock()
            case .stop: goesOn = false
            }
        }
        surroundings?(false)
        handOver()
        return goesOn
    }

    private func begin(_ request: HTTPRequest, _ delivery: HTTPDelivery) {
        // It may have been cancelled before it was queued, and then no other command comes for it.
        guard !delivery.isOver else { return }
        do throws(HTTPFailure) {
            let transfer = try HTTPTransfer(request, delivery: delivery, configuration: configuration, engine: self)
            let code = curl_multi_add_handle(multi, transfer.easy)
            guard code == CURLM_OK else { throw HTTPFailure(.other, String(cString: curl_multi_strerror(code))) }
            transfers[ObjectIdentifier(delivery)] = transfer
        } catch {
            _ = delivery.deliver(head: nil, bytes: [], ending: .failed(error), paused: false)
        }
    }

    /// Lets libcurl do what a ready socket or its timer asks for.
    private func act(on socket: curl_socket_t, _ readiness: Int32) {
        if socket == CURL_SOCKET_TIMEOUT { curlDeadline = .max }
        var running: Int32 = 0
        curl_multi_socket_action(multi, socket, readiness, &running)
    }

    private func handOver() {
        noteEndings()
        // Letting a paused transfer go on can bring bytes and so lengthen the list.
        var index = 0
        while index < dirty.count {
            let transfer = dirty[index]
            index += 1
            transfer.handOver()
            if transfer.ending != nil {
                drop(transfer)
            } else {
                if transfer.canGoOn { transfer.goOn() }
                watch(transfer)
            }
        }
        dirty.removeAll(keepingCapacity: true)
    }

    private func noteEndings() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            let code = message.pointee.data.result
            var context: UnsafeMutableRawPointer?
            guard parley_curl_get_pointer(easy, CURLINFO_PRIVATE, &context) == CURLE_OK, let context else { continue }
            let transfer = Unmanaged<HTTPTransfer>.fromOpaque(context).takeUnretainedValue()
            transfer.end(code)
            markDirty(transfer)
        }
    }

    private func endTransfersLate(at moment: UInt64) {
        while let key = deadlines.popDue(moment) {
            guard let transfer = transfers[key] else { continue }
            transfer.nextLook = .max
            if transfer.deadline > moment {
                watch(transfer)
            } else {
                transfer.endByDeadline()
                markDirty(transfer)
            }
        }
        handOver()
    }

    private func drop(_ transfer: HTTPTransfer) {
        curl_multi_remove_handle(multi, transfer.easy)
        if transfer.isDirty { dirty.removeAll { $0 === transfer } }
        deadlines.remove(ObjectIdentifier(transfer.delivery))
        transfers[ObjectIdentifier(transfer.delivery)] = nil
    }

    private func endAll() {
        let ending = HTTPDelivery.Ending.failed(HTTPFailure(.cancelled, "the HTTP client was closed"))
        for transfer in Array(transfers.values) {
            drop(transfer)
            _ = transfer.delivery.deliver(head: nil, bytes: [], ending: ending, paused: false)
        }
        for command in inbox.close() {
            switch command {
            case .start(_, let delivery): _ = delivery.deliver(head: nil, bytes: [], ending: ending, paused: false)
            case .run(let job): job.runSynchronously(on: thread.asUnownedTaskExecutor())
            case .resume, .cancel, .letEnd, .stop: break
            }
        }
    }

    // MARK: epoll

    /// From how many transfers on rounds keep a distance.
    private static let paceTransfers = 64
    /// The shortest time between the beginnings of two rounds then, in nanoseconds.
    private static let pace: UInt64 = 300_000

    /// Lets what arrives gather for a moment when many transfers run: a thousand of them, of which each brings a token now and then, would wake
    /// this thread, and whoever reads the output, once for each token.
    private func pace() {
        guard transfers.count >= Self.paceTransfers else { return }
        let elapsed = Self.clock() - now
        guard elapsed < Self.pace else { return }
        var rest = timespec(tv_sec: 0, tv_nsec: Int(Self.pace - elapsed))
        nanosleep(&rest, nil)
    }

    /// Milliseconds until the next moment that matters, rounded up; -1 for no bound.
    private func timeToWait() -> Int32 {
        // Tasks that ran on this thread may have left word for it, or gone on.
        guard inbox.isEmpty else { return 0 }
        let next = min(curlDeadline, deadlines.earliest ?? .max)
        guard next != .max else { return -1 }
        let nanoseconds = next > now ? next - now : 0
        return Int32(clamping: nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 == 0 ? 0 : 1))
    }

    private static func readiness(_ events: UInt32) -> Int32 {
        var readiness: Int32 = 0
        if events & EPOLLIN.rawValue != 0 { readiness |= CURL_CSELECT_IN }
        if events & EPOLLOUT.rawValue != 0 { readiness |= CURL_CSELECT_OUT }
        if events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { readiness |= CURL_CSELECT_ERR }
        return readiness
    }

    @discardableResult
    private func control(_ operation: Int32, _ descriptor: Int32, _ events: UInt32) -> Bool {
        var event = epoll_event()
        event.events = events
        event.data.fd = descriptor
        return epoll_ctl(epoll, operation, descriptor, &event) == 0
    }

    /// Watches a socket for what libcurl wants of it.
    fileprivate func watch(_ socket: curl_socket_t, for wish: Int32) {
        guard wish != CURL_POLL_REMOVE else {
            // libcurl may have closed it already, which takes it out too.
            control(EPOLL_CTL_DEL, socket, 0)
            return
        }
        var events: UInt32 = 0
        if wish & CURL_POLL_IN != 0 { events |= EPOLLIN.rawValue }
        if wish & CURL_POLL_OUT != 0 { events |= EPOLLOUT.rawValue }
        if !control(EPOLL_CTL_MOD, socket, events) { control(EPOLL_CTL_ADD, socket, events) }
    }

    /// Sets libcurl's one timer; a negative number takes it away.
    fileprivate func setTimer(_ milliseconds: Int) {
        switch milliseconds {
        case ..<0: curlDeadline = .max
        case 0: curlDeadline = now
        default: curlDeadline = Self.clock() + UInt64(milliseconds) * 1_000_000
        }
    }

    private static func clock() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

private func runEngine(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let context { Unmanaged<HTTPEngine>.fromOpaque(context).takeRetainedValue().run() }
    return nil
}

private func watchSocket(
    _: UnsafeMutableRawPointer?, _ socket: curl_socket_t, _ wish: Int32, _ context: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?
) -> Int32 {
    if let context { Unmanaged<HTTPEngine>.fromOpaque(context).takeUnretainedValue().watch(socket, for: wish) }
    return 0
}

private func armTimer(_: UnsafeMutableRawPointer?, _ milliseconds: Int, _ context: UnsafeMutableRawPointer?) -> Int32 {
    if let context { Unmanaged<HTTPEngine>.fromOpaque(context).takeUnretainedValue().setTimer(milliseconds) }
    return 0
}
