extension Schema {
    /// Version 8: what searches look through; lists of what is archived, and of what is pinned; when conversations were used.
    static let searchTables = """
        -- Conversations: whether something of what is said in one, or its title, may not be in the index of searches yet. Whoever stores or changes
        -- something that people look for sets it in the same transaction, and all there is when this column comes has it set.
        ALTER TABLE conversations ADD COLUMN unindexed INTEGER NOT NULL DEFAULT 1 CHECK (unindexed IN (0, 1));
        CREATE INDEX conversations_unindexed ON conversations (owner) WHERE unindexed;

        DROP INDEX conversations_by_update;
        CREATE INDEX conversations_by_update ON conversations (owner, archived, updated_at DESC, id);
        DROP INDEX conversations_by_bot;
        CREATE INDEX conversations_by_bot ON conversations (bot, owner, archived, updated_at DESC, id) WHERE bot IS NOT NULL;
        CREATE INDEX conversations_pinned ON conversations (owner, archived, updated_at DESC, id) WHERE pinned = 1;

        -- The clock of retention (`RetentionClock`), and when it last was that all conversations were looked at; and by it when each was used last.
        CREATE TABLE retention_clock (
            key INTEGER PRIMARY KEY CHECK (key = 1),
            time INTEGER NOT NULL,
            behind INTEGER NOT NULL CHECK (behind >= 0),
            wall INTEGER NOT NULL,
            monotonic INTEGER NOT NULL,
            boot INTEGER NOT NULL,
            walked_at INTEGER
        ) STRICT;
        ALTER TABLE conversations ADD COLUMN used_at INTEGER NOT NULL DEFAULT 0;
        UPDATE conversations SET used_at = min(max(created_at, updated_at), strftime('%s', 'now') * 1000);
        -- What a clock has told that was not set, before there was any such table (2020), may have been used as late as anything.
        UPDATE conversations SET used_at = (SELECT max(used_at) FROM conversations) WHERE used_at < 1577836800000;
        CREATE INDEX conversations_by_use ON conversations (owner, used_at);
        -- It begins with what was used last, in a start of the machine that is not known, as if the machine had been off since.
        INSERT INTO retention_clock (key, time, behind, wall, monotonic, boot)
        SELECT 1, used, 0, used, 0, -1 FROM (SELECT max(used_at) AS used FROM conversations) WHERE used IS NOT NULL;

        -- What is in the index: the texts of messages, and titles, which have `message` 0. An entry without a conversation is a grave: what it
        -- was is gone, or belongs to somebody else, or says something else now, and it waits to be taken out of the index.
        CREATE TABLE search_entries (
            key INTEGER PRIMARY KEY,
            conversation INTEGER REFERENCES conversations (key) ON DELETE SET NULL,
            message INTEGER NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX search_entries_by_message ON search_entries (conversation, message);

        -- The index (https://www.sqlite.org/fts5.html): for each entry the words of its text, folded, each with the number of its owner before it
        -- (`SearchTerms`). The words are kept as they were put in, so that they can be taken out whatever later versions make of the text.
        CREATE VIRTUAL TABLE search_index USING fts5 (words, columnsize = 0, tokenize = "ascii tokenchars '_'");
        """
}
