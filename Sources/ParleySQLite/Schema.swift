import GRDB

/// The database's tables, and the steps that lead from one version of them to the next.
///
/// The version stands in SQLite's `user_version`, so that it can be read before anything is opened for writing.
enum Schema {
    /// Marks a database as Parley's in SQLite's `application_id`: "PARL".
    static let applicationID: Int32 = 0x5041_524C

    /// The version that this program writes.
    static var currentVersion: Int { steps.count }

    /// Leads from one version to the next.
    typealias Step = @Sendable (Database) throws -> Void

    /// One step a version, the first leading from an empty database to version 1. Steps are only ever appended.
    static let steps: [Step] = [
        { try $0.execute(sql: v1) }, { try $0.execute(sql: v2) }, { try $0.execute(sql: v3) }, { try $0.execute(sql: v4) }, addUsage,
        { try $0.execute(sql: v6) }, { try $0.execute(sql: copies) }, { try $0.execute(sql: searchTables) },
        compareInsteadOfLookingUp,
    ]

    /// Brings a database up to the current version, one transaction a step.
    ///
    /// The caller holds the lock that keeps other hosts from opening the database, and the connection has foreign keys switched off,
    /// because a step may have to rebuild a table; they are verified before each step is committed.
    static func migrate(_ db: Database, through steps: [Step] = steps) throws {
        let version = try version(of: db)
        for next in version..<max(version, steps.count) {
            try db.inTransaction(.immediate) {
                if next == 0 { try db.execute(sql: "PRAGMA application_id = \(applicationID)") }
                try steps[next](db)
                try db.checkForeignKeys()
                try db.execute(sql: "PRAGMA user_version = \(next + 1)")
                return .commit
            }
        }
    }

    /// The version of a database's tables; 0 when it is empty.
    static func version(of db: Database) throws -> Int {
        try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    }
}

extension Schema {
    /// Version 1.
    ///
    /// Rules for all tables: `key` is the row's integer surrogate and never leaves the store, `id` is the text that clients know. Moments
    /// are milliseconds since 1970. JSON stands in TEXT. Columns that are long come last, because SQLite reads a row from its beginning. A
    /// reference without REFERENCES is one whose check would cost an index on every insert; `parley db check` looks after those.
    private static let v1 = """
        -- People: whoever owns something. The id that the parent process knows a user by stands here and nowhere else, so that erasing a
        -- person leaves the ledger with a number that means nothing any more; AUTOINCREMENT keeps that number from ever meaning somebody
        -- else. An anonymous person's token is kept as its SHA-256 and found by the hash's first 8 bytes. One who was claimed by a user
        -- stays as a tombstone, so that a repeated claim gets the same counts as the first.
        CREATE TABLE people (
            key INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL CHECK (kind IN ('user', 'anonymous', 'operator')),
            external_id TEXT NOT NULL,
            token_lookup INTEGER,
            token_hash BLOB,
            created_at INTEGER NOT NULL,
            claimed_by INTEGER REFERENCES people (key) ON DELETE CASCADE,
            claimed_at INTEGER,
            claimed_conversations INTEGER,
            claimed_bots INTEGER,
            CHECK ((token_lookup IS NULL) = (token_hash IS NULL)),
            CHECK ((claimed_by IS NULL) = (claimed_at IS NULL))
        ) STRICT;
        CREATE UNIQUE INDEX people_by_external_id ON people (kind, external_id);
        CREATE INDEX people_by_token ON people (token_lookup) WHERE token_lookup IS NOT NULL;
        CREATE INDEX people_by_claimer ON people (claimed_by) WHERE claimed_by IS NOT NULL;

        -- Hosts: the processes that have the database open, or had it when they died. A host lives as long as it holds the lock on the byte
        -- of DATABASE-hosts whose offset is its number, and AUTOINCREMENT keeps a dead host's number from coming to life again.
        CREATE TABLE hosts (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            process_id INTEGER NOT NULL,
            opened_at INTEGER NOT NULL
        ) STRICT;

        -- Bots. `name_key` is the name in lower case and in Unicode's form C: what must be unique among an owner's bots, and their order.
        CREATE TABLE bots (
            key INTEGER PRIMARY KEY,
            id TEXT NOT NULL,
            owner INTEGER NOT NULL REFERENCES people (key) ON DELETE CASCADE,
            name TEXT NOT NULL,
            name_key TEXT NOT NULL,
            visibility TEXT NOT NULL DEFAULT 'private' CHECK (visibility IN ('private', 'published')),
            revision INTEGER NOT NULL CHECK (revision >= 1),
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            model TEXT,
            temperature REAL,
            description TEXT NOT NULL,
            tools TEXT,
            config TEXT,
            instructions TEXT
        ) STRICT;
        CREATE UNIQUE INDEX bots_by_id ON bots (id);
        CREATE UNIQUE INDEX bots_by_name ON bots (owner, name_key);

        -- Conversations. `head` is the message that the next one follows. `message_count` is kept so that a list need not count. The turn
        -- that runs is not kept here: the index `turns_running` finds it, so the two cannot disagree.
        CREATE TABLE conversations (
            key INTEGER PRIMARY KEY,
            id TEXT NOT NULL,
            owner INTEGER NOT NULL REFERENCES people (key) ON DELETE CASCADE,
            bot INTEGER REFERENCES bots (key) ON DELETE SET NULL,
            head INTEGER,
            message_count INTEGER NOT NULL DEFAULT 0,
            pinned INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1)),
            archived INTEGER NOT NULL DEFAULT 0 CHECK (archived IN (0, 1)),
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            title TEXT NOT NULL,
            metadata TEXT NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX conversations_by_id ON conversations (id);
        CREATE INDEX conversations_by_update ON conversations (owner, updated_at DESC, id);
        CREATE INDEX conversations_by_bot ON conversations (bot, owner, updated_at DESC, id) WHERE bot IS NOT NULL;

        -- Messages: a tree in each conversation; a path is walked from its end through `parent`, and siblings are found by the index on it.
        -- `parts` is a JSON array; `private` is what a provider wants sent back with a message and nobody else can read. The turn is named
        -- by its id, so that a path is read without looking turns up. A message goes only with its whole conversation, so neither `turn_id`
        -- nor `parent` can be left dangling.
        CREATE TABLE messages (
            key INTEGER PRIMARY KEY,
            id TEXT NOT NULL,
            conversation INTEGER NOT NULL REFERENCES conversations (key) ON DELETE CASCADE,
            parent INTEGER,
            role TEXT NOT NULL CHECK (role IN ('user', 'assistant', 'tool')),
            status TEXT NOT NULL CHECK (status IN ('complete', 'partial')),
            local INTEGER NOT NULL DEFAULT 0 CHECK (local IN (0, 1)),
            created_at INTEGER NOT NULL,
            turn_id TEXT NOT NULL,
            model TEXT,
            usage TEXT,
            rating TEXT,
            rating_note TEXT,
            parts TEXT NOT NULL,
            private BLOB
        ) STRICT;
        CREATE UNIQUE INDEX messages_by_id ON messages (id);
        CREATE INDEX messages_by_parent ON messages (conversation, parent);

        -- Turns. A running turn belongs to a host, and `epoch` counts how often it was taken or taken away: a host writes to a turn only
        -- while both are as it left them. Messages are named by id, so that a turn is shown without looking them up.
        -- `person` is a plain number, because a conversation may change hands while what its turns cost may not. `client_message_id` with
        -- `content_hash` makes a send idempotent; `receipt` is what the turn cost its person, as JSON.
        CREATE TABLE turns (
            key INTEGER PRIMARY KEY,
            id TEXT NOT NULL,
            conversation INTEGER NOT NULL REFERENCES conversations (key) ON DELETE CASCADE,
            person INTEGER NOT NULL,
            host INTEGER,
            epoch INTEGER NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('queued', 'inProgress', 'completed', 'failed', 'cancelled', 'interrupted')),
            last_sequence INTEGER NOT NULL DEFAULT 0,
            cancel_requested_at INTEGER,
            created_at INTEGER NOT NULL,
            started_at INTEGER,
            deadline INTEGER NOT NULL,
            completed_at INTEGER,
            stop_reason TEXT,
            user_message_id TEXT NOT NULL,
            assistant_message_id TEXT,
            client_message_id TEXT,
            content_hash BLOB,
            model TEXT,
            usage TEXT,
            error TEXT,
            receipt TEXT,
            CHECK ((completed_at IS NULL) = (status IN ('queued', 'inProgress'))),
            CHECK ((stop_reason IS NULL) = (status IN ('queued', 'inProgress'))),
            CHECK (status <> 'inProgress' OR host IS NOT NULL),
            CHECK ((client_message_id IS NULL) = (content_hash IS NULL))
        ) STRICT;
        CREATE UNIQUE INDEX turns_by_id ON turns (id);
        CREATE INDEX turns_by_conversation ON turns (conversation);
        CREATE UNIQUE INDEX turns_running ON turns (conversation) WHERE status = 'inProgress';
        CREATE INDEX turns_by_host ON turns (host) WHERE status = 'inProgress';
        CREATE INDEX turns_to_cancel ON turns (host) WHERE status = 'inProgress' AND cancel_requested_at IS NOT NULL;
        CREATE UNIQUE INDEX turns_by_client_message ON turns (conversation, person, client_message_id) WHERE client_message_id IS NOT NULL;

        -- Holds: the ledger of quotas. It refers to nothing: deleting a conversation or a person changes no quota, and the person is only a
        -- number. One turn has a hold for each limit that it counts against, because they are settled differently. `subject` is whom the
        -- limit counts: a person's key, a client address, or nothing for the whole system.
        CREATE TABLE holds (
            key INTEGER PRIMARY KEY,
            turn TEXT,
            person INTEGER,
            scope TEXT NOT NULL,
            unit TEXT NOT NULL,
            subject TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('held', 'charged', 'released')),
            admitted_at INTEGER NOT NULL,
            settled_at INTEGER,
            CHECK ((settled_at IS NULL) = (state = 'held'))
        ) STRICT;
        CREATE INDEX holds_by_turn ON holds (turn) WHERE turn IS NOT NULL;

        -- Counters over the ledger, so that admission sums a few rows and never counts holds. A row counts the holds admitted in the
        -- `width` milliseconds from `start`; rows of several widths down to one millisecond give a sliding window an exact edge at a
        -- bounded cost, and `width` 0 counts a lifetime.
        CREATE TABLE counters (
            scope TEXT NOT NULL,
            unit TEXT NOT NULL,
            subject TEXT NOT NULL,
            width INTEGER NOT NULL,
            start INTEGER NOT NULL,
            held INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0),
            charged INTEGER NOT NULL DEFAULT 0 CHECK (charged >= 0),
            PRIMARY KEY (scope, unit, subject, width, start)
        ) STRICT, WITHOUT ROWID;

        -- Idempotency keys of creates: which request of a person made what, and from which content.
        CREATE TABLE idempotency_keys (
            person INTEGER NOT NULL REFERENCES people (key) ON DELETE CASCADE,
            kind TEXT NOT NULL,
            client_id TEXT NOT NULL,
            content_hash BLOB NOT NULL,
            result_id TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            PRIMARY KEY (person, kind, client_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

        -- Marks: single numbers that must survive a restart, such as since when an erasure is pending, or how far quota time has come.
        CREATE TABLE marks (
            name TEXT PRIMARY KEY,
            value INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """
}
