import Glibc
import ParleyClient

/// All that a client can wait for, one after the other.
final class Events {
    /// Something that has happened.
    enum Event {
        case message(HostConnection.Message)
        /// The host has closed its output.
        case hostEnded
        /// Bytes of the input.
        case input([UInt8])
        case inputEnded
        case signal(Int32)
        /// Nothing, for as long as was waited.
        case nothing
    }

    private let input: Int32
    private let signals: SignalPipe
    private var isInputOpen = true
    private var isLogOpen = true
    private var waiting: [Event] = []
    /// Whoever is listened to; nil while there is no host.
    var host: HostConnection? {
        didSet {
            isHostOpen = true
            isLogOpen = true
        }
    }
    private var isHostOpen = true
    /// Whether the input is listened to.
    var hearsInput = true

    /// - Parameters:
    ///   - input: where somebody types, or a file.
    ///   - signals: what may interrupt.
    init(input: Int32, signals: SignalPipe) {
        self.input = input
        self.signals = signals
    }

    /// Puts an event off until later ones have been waited for.
    func putBack(_ events: [Event]) {
        waiting = events + waiting
    }

    /// The next event.
    ///
    /// - Parameter milliseconds: how long to wait for one; -1 for as long as it takes.
    func next(within milliseconds: Int = -1) -> Event {
        if !waiting.isEmpty { return waiting.removeFirst() }
        if let message = host?.nextMessage() { return .message(message) }
        // Told until there is another host, so that nobody waits for one that is gone.
        if host != nil, !isHostOpen { return .hostEnded }
        while true {
            var descriptors = [pollfd(fd: signals.output, events: Int16(POLLIN), revents: 0)]
            func listen(_ descriptor: Int32, _ isOpen: Bool) {
                descriptors.append(pollfd(fd: isOpen ? descriptor : -1, events: Int16(POLLIN), revents: 0))
            }
            listen(input, isInputOpen && hearsInput)
            listen(host?.output ?? -1, host != nil && isHostOpen)
            listen(host?.errors ?? -1, host != nil && isLogOpen)
            let count = poll(&descriptors, nfds_t(descriptors.count), Int32(milliseconds))
            if count == 0 { return .nothing }
            if count < 0 { continue }
            if descriptors[0].revents != 0 {
                waiting += signals.take().map(Event.signal)
            } else if descriptors[1].revents != 0 {
                return readInput()
            } else if descriptors[3].revents != 0, let host {
                isLogOpen = host.receiveLog()
            } else if descriptors[2].revents != 0, let host {
                isHostOpen = host.receive()
                if let message = host.nextMessage() { return .message(message) }
                if !isHostOpen { return .hostEnded }
            }
            if !waiting.isEmpty { return waiting.removeFirst() }
        }
    }

    private func readInput() -> Event {
        let bytes = Descriptor.read(input)
        // A terminal from which nothing can be read any more has gone.
        isInputOpen = !bytes.isEmpty
        return bytes.isEmpty ? .inputEnded : .input(bytes)
    }
}
