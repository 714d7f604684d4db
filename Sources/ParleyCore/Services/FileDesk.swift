/// Reads files one after the other: a message that is read may take many times what it takes in its file, and so it is but one of them.
package actor FileDesk {
    /// A desk at which nobody reads.
    package init() {}

    /// Reads a file, once nobody else reads one.
    package func perform<Read: Sendable>(_ body: @Sendable () throws(Failure) -> Read) throws(Failure) -> Read { try body() }
}
