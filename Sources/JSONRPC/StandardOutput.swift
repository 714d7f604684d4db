import Glibc

/// File descriptor 1, which belongs to the protocol alone.
package enum StandardOutput {
    /// A system call that failed while the descriptor was claimed.
    package struct ClaimError: Error, Sendable, Equatable, CustomStringConvertible {
        /// The call, for example `dup2`.
        package let call: String
        /// Its `errno`.
        package let code: Int32

        /// One sentence for a developer.
        package var description: String { "\(call) failed on standard output: \(String(cString: strerror(code)))" }
    }

    /// Moves standard output to a private descriptor that no child inherits and points descriptor 1 at standard error, so that whatever
    /// anybody prints can never mix with the protocol. To be called once, before anything else is started.
    /// - Returns: the private descriptor, which the caller owns.
    /// - Throws: `ClaimError` when one of the two descriptors is closed or no descriptor is left.
    package static func claim() throws(ClaimError) -> Int32 {
        try claim(output: STDOUT_FILENO, diversion: STDERR_FILENO)
    }

    /// The same for any pair of descriptors.
    static func claim(output: Int32, diversion: Int32) throws(ClaimError) -> Int32 {
        let claimed = fcntl(output, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
        guard claimed >= 0 else { throw ClaimError(call: "fcntl", code: errno) }
        while dup2(diversion, output) < 0 {
            let code = errno
            if code == EINTR || code == EBUSY { continue }
            close(claimed)
            throw ClaimError(call: "dup2", code: code)
        }
        return claimed
    }
}
