/// The paths of conversations that went on a short time ago, so that a message finds what lies before it without a look into the store.
///
/// It is no copy that could be out of date: a path is taken up only by a message that the store has put behind its last one. Whoever takes it
/// has it alone, and gives it back.
final class RememberedPaths: Sendable {
    private struct State {
        var paths: [String: (path: ConversationPath, memory: Int, use: Int)] = [:]
        /// Which conversation was kept when, the oldest first; those that were kept again or taken since are passed over.
        var uses: [(use: Int, conversationID: String)] = []
        /// All before this place are dealt with.
        var firstUse = 0
        var nextUse = 0
        var memory = 0

        mutating func remove(_ conversationID: String) -> ConversationPath? {
            guard let (path, memory, _) = paths.removeValue(forKey: conversationID) else { return nil }
            self.memory -= memory
            return path
        }
    }

    private let maximumBytes: Int
    private let state = Locked(State())

    /// - Parameter maximumBytes: how much memory the paths may take; those that went on longest ago go first.
    init(maximumBytes: Int) {
        self.maximumBytes = maximumBytes
    }

    /// Takes a path.
    ///
    /// - Returns: nil when none is known that ends with the message.
    func take(of conversationID: String, endingWith messageID: String) -> ConversationPath? {
        state.withLock { state in
            guard state.paths[conversationID]?.path.lastMessageID == messageID else { return nil }
            return state.remove(conversationID)
        }
    }

    /// Keeps a path in the place of what was known of the conversation.
    func keep(_ path: ConversationPath, of conversationID: String) {
        // One conversation is not worth all others.
        if path.memory > maximumBytes / 4 { path.forgetMessages() }
        let memory = path.memory
        state.withLock { state in
            _ = state.remove(conversationID)
            guard memory <= maximumBytes / 4 else { return }
            state.nextUse += 1
            state.paths[conversationID] = (path, memory, state.nextUse)
            state.uses.append((state.nextUse, conversationID))
            state.memory += memory
            while state.memory > maximumBytes {
                let (use, oldest) = state.uses[state.firstUse]
                state.firstUse += 1
                if state.paths[oldest]?.use == use { _ = state.remove(oldest) }
            }
            guard state.uses.count > 2 * state.paths.count + 16 else { return }
            state.uses = state.uses[state.firstUse...].filter { state.paths[$0.conversationID]?.use == $0.use }
            state.firstUse = 0
        }
    }

    /// Forgets all.
    func forget() {
        state.withLock { $0 = State() }
    }
}
