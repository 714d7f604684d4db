import Glibc

/// A terminal that gives each key as it is typed, and says nothing by itself; as it was before, again, when that ends.
struct RawMode {
    private let descriptor: Int32
    private let before: termios

    /// - Parameter descriptor: the terminal.
    /// - Returns: nil when it is none.
    init?(_ descriptor: Int32) {
        var before = termios()
        guard tcgetattr(descriptor, &before) == 0 else { return nil }
        self.descriptor = descriptor
        self.before = before
    }

    /// Begins it, also again.
    func begin() {
        var raw = before
        // Output is left as it is, so that a line feed still begins a line.
        raw.c_iflag &= ~tcflag_t(BRKINT | ICRNL | INLCR | IGNCR | INPCK | ISTRIP | IXON)
        raw.c_lflag &= ~tcflag_t(ECHO | ICANON | IEXTEN | ISIG)
        raw.c_cflag |= tcflag_t(CS8)
        // A read gives what is there, and is only done when something is.
        withUnsafeMutableBytes(of: &raw.c_cc) { keys in
            keys[Int(VMIN)] = 1
            keys[Int(VTIME)] = 0
        }
        set(raw)
    }

    /// Ends it.
    func end() {
        set(before)
    }

    private func set(_ mode: termios) {
        var mode = mode
        while tcsetattr(descriptor, TCSADRAIN, &mode) < 0, errno == EINTR {}
    }
}
