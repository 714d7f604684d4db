import Dispatch
import Glibc

/// Signals as bytes that can be waited for together with other input.
final class SignalPipe {
    /// Where the signals are read.
    let output: Int32
    private let input: Int32
    private var sources: [any DispatchSourceSignal] = []

    /// Takes signals from now on, which then do nothing else. Where no pipe can be had, none are taken and they do what they did.
    init(_ signals: [Int32]) {
        var ends: [Int32] = [-1, -1]
        let hasPipe = pipe(&ends) == 0
        for end in ends where hasPipe { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        output = ends[0]
        input = ends[1]
        guard hasPipe else { return }
        for number in signals {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [input] in
                var byte = UInt8(number)
                // A pipe that is full holds signals enough.
                _ = write(input, &byte, 1)
            }
            source.resume()
            sources.append(source)
        }
    }

    /// The signals that have come; to be called when `output` is readable.
    func take() -> [Int32] {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(output, &bytes, bytes.count)
        return bytes.prefix(max(0, count)).map(Int32.init)
    }

    deinit {
        for source in sources { source.cancel() }
        if output >= 0 {
            close(output)
            // The write end stays open: a handler that runs at this moment must not write into a file that was given its number since.
        }
    }
}
