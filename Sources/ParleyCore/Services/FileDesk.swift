/// Checks files one after the other: a message that is read may take many times what it takes in its file, and so it is but one of them.
actor FileDesk {
    /// Checks a file, once nobody else's is being checked.
    func check<Checked: Sendable>(_ body: @Sendable () throws(Failure) -> Checked) throws(Failure) -> Checked { try body() }
}
