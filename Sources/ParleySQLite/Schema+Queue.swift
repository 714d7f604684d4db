extension Schema {
    /// Version 6: turns that wait.
    static let v6 = """
        -- Turns that wait: what they need when they begin. In a conversation they begin in the order of `rank` (0 interrupts, 1 is enqueued), then of
        -- `turn`. The message joins the conversation only then, because nobody knows before which message it will follow.
        CREATE TABLE queued_turns (
            conversation INTEGER NOT NULL REFERENCES conversations (key) ON DELETE CASCADE,
            rank INTEGER NOT NULL CHECK (rank IN (0, 1)),
            turn INTEGER NOT NULL REFERENCES turns (key) ON DELETE CASCADE,
            title TEXT NOT NULL,
            model TEXT,
            max_output_tokens INTEGER,
            parts TEXT NOT NULL,
            PRIMARY KEY (conversation, rank, turn)
        ) STRICT, WITHOUT ROWID;
        CREATE UNIQUE INDEX queued_turns_by_turn ON queued_turns (turn);
        """
}
