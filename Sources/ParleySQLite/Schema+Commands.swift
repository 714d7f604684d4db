extension Schema {
    /// Version 4: messages that are commands.
    static let v4 = """
        -- Turns: whether the message is a command, which holds nothing.
        ALTER TABLE turns ADD COLUMN local INTEGER NOT NULL DEFAULT 0 CHECK (local IN (0, 1));

        -- Commands that run, by who wrote them.
        CREATE INDEX turns_local ON turns (person) WHERE status = 'inProgress' AND local;

        -- Conversations: the command that waits for an argument, as JSON.
        ALTER TABLE conversations ADD COLUMN pending_command TEXT;
        """
}
