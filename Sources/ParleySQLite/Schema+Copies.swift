extension Schema {
    /// Version 7: conversations that are made of others, or of files.
    static let copies = """
        -- Turns: whether the turn and its messages were copied from elsewhere. They ran on no host of this conversation, held nothing, have no
        -- receipt, and what they cost is told of them and counted in no sum.
        ALTER TABLE turns ADD COLUMN copied INTEGER NOT NULL DEFAULT 0 CHECK (copied IN (0, 1));

        -- The messages of a conversation in the order in which they were stored, in which a message comes after the one that it follows.
        CREATE INDEX messages_in_order ON messages (conversation);
        """
}
