import Glibc
import JSON
import ParleyClient

/// Follows one turn to its end: what is shown of it, what somebody is asked, and how it is cancelled.
struct TurnRunner {
    private let link: HostLink
    private let display: TurnDisplay
    private let screen: Screen
    private let keyboard: Keyboard?
    private let isSilent: Bool

    /// - Parameters:
    ///   - display: what shows the turn.
    ///   - screen: where it is shown.
    ///   - keyboard: where keys come from one by one; nil where the terminal makes signals of some.
    ///   - isSilent: whether nothing is shown.
    init(_ link: HostLink, _ display: TurnDisplay, _ screen: Screen, keyboard: Keyboard? = nil, isSilent: Bool = false) {
        self.link = link
        self.display = display
        self.screen = screen
        self.keyboard = keyboard
        self.isSilent = isSilent
    }

    /// Sends a request that runs a turn, and follows that.
    ///
    /// - Returns: the reply.
    func run(_ method: String, _ params: JSONValue) throws(HostLink.Trouble) -> JSONValue {
        // What was logged of earlier turns does not explain the end of a host in this one.
        link.connection?.forgetLog()
        let id = try link.send(method, params)
        var interrupts = 0
        func interrupt() throws(HostLink.Trouble) {
            interrupts += 1
            if interrupts > 1 { throw .leave(128 + SIGINT) }
            link.connection?.cancel(id)
            display.cancel()
        }
        defer { screen.endWaiting() }
        while true {
            if !isSilent { display.tick() }
            switch link.events.next(within: Screen.tick) {
            case .message(.response(id, .success(let reply))): return reply
            case .message(.response(id, .failure(let refusal))): throw .refused(refusal)
            case .message(.notification(let method, let params)):
                if !isSilent, params["requestId"]?.intValue == id { display.take(method, params) }
            case .message(.request(let request, "requestApproval", let params)):
                display.pause()
                let approval = Approval(link, screen, keyboard)
                if try approval.ask(request, params) == .interrupted { try interrupt() }
            case .message(.request(let request, _, _)): link.connection?.refuse(request)
            case .message(.response), .nothing: break
            case .hostEnded: throw .hostEnded
            case .input(let bytes):
                // What is typed waits until the turn has ended, except for what ends it.
                for byte in bytes {
                    switch byte {
                    case 0x03 where keyboard != nil: try interrupt()
                    case 0x1A where keyboard != nil: keyboard?.suspend()
                    default: link.typedAhead.append(byte)
                    }
                }
            case .inputEnded: link.endInput()
            case .signal(SIGINT): try interrupt()
            case .signal(SIGCONT): keyboard?.begin()
            case .signal(let number): try HostLink.check(number)
            }
        }
    }
}
