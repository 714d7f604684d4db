extension Schema {
    /// Version 2: the ledger of quotas, which version 1 had drawn but nothing used; repeated sends are found whoever owns their conversation by
    /// then; published bots are listed.
    static let v2 = """
        DROP TABLE holds;
        DROP TABLE counters;

        -- Holds: what turns that have not ended have reserved. A hold is charged by being deleted, for the counters counted it already, and
        -- released by being deleted and taken off the counters. It refers to nothing, and the person is only a number: nothing that
        -- happens to conversations or people changes a quota. `admitted_at` is quota time.
        CREATE TABLE holds (
            turn INTEGER PRIMARY KEY,
            person INTEGER NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('user', 'anonymous', 'operator')),
            admitted_at INTEGER NOT NULL,
            address TEXT
        ) STRICT;
        CREATE INDEX holds_by_person ON holds (person);
        CREATE INDEX holds_by_address ON holds (address) WHERE address IS NOT NULL;

        -- Counters: what was taken, held or charged, of what a limit counts (`name` is SCOPE.UNIT) for a subject (a person's key, an address, or
        -- nothing for the system). Width 0 counts a lifetime. Otherwise a row counts what was admitted in the `width` milliseconds from
        -- `start`, and everything is counted once in each width (see `CounterWidths`): a window is summed from its edge in few rows, however
        -- much there is in it, and to the millisecond.
        CREATE TABLE counters (
            name TEXT NOT NULL,
            subject TEXT NOT NULL,
            width INTEGER NOT NULL,
            start INTEGER NOT NULL,
            count INTEGER NOT NULL CHECK (count >= 0),
            PRIMARY KEY (name, subject, width, start)
        ) STRICT, WITHOUT ROWID;

        -- How far quota time has come, in one row: with the monotonic clock at that moment, and the start of the machine that it counts from.
        CREATE TABLE quota_clock (
            key INTEGER PRIMARY KEY CHECK (key = 1),
            time INTEGER NOT NULL,
            monotonic INTEGER NOT NULL,
            boot INTEGER NOT NULL
        ) STRICT;

        DROP INDEX turns_by_client_message;
        CREATE UNIQUE INDEX turns_by_client_message ON turns (conversation, client_message_id) WHERE client_message_id IS NOT NULL;

        CREATE INDEX bots_published ON bots (name_key, id) WHERE visibility = 'published';
        """
}
