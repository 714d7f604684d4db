import Glibc

/// The terminal's keyboard while a client has it.
final class Keyboard {
    private let mode: RawMode
    private let screen: Screen

    /// - Returns: nil when stdin is no terminal.
    init?(_ screen: Screen) {
        guard let mode = RawMode(STDIN_FILENO) else { return nil }
        self.mode = mode
        self.screen = screen
    }

    /// Takes it, also again.
    func begin() {
        mode.begin()
        screen.control(.bracketedPaste(true))
        screen.flush()
    }

    /// Gives it back as it was.
    func end() {
        screen.endWaiting()
        screen.control(.bracketedPaste(false))
        screen.flush()
        mode.end()
    }

    /// Stops this process, as Ctrl-Z does, until somebody lets it go on.
    func suspend() {
        end()
        // To this thread, so that it has stopped before it goes on; threads of a pool block all signals.
        var stop = sigset_t()
        var before = sigset_t()
        sigemptyset(&stop)
        sigaddset(&stop, SIGTSTP)
        pthread_sigmask(SIG_UNBLOCK, &stop, &before)
        raise(SIGTSTP)
        pthread_sigmask(SIG_SETMASK, &before, nil)
        begin()
    }
}
