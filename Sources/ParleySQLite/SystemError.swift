import Glibc

/// What the operating system said no with.
struct SystemError: Error, CustomStringConvertible {
    /// The value of `errno`.
    let number: Int32

    /// The error of the system call that has just failed.
    static var last: SystemError { SystemError(number: errno) }

    var description: String {
        String(cString: strerror(number))
    }
}
