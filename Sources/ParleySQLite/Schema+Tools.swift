extension Schema {
    /// Version 3: calls of tools that anonymous people may make only so often.
    static let v3 = """
        -- Tool holds: calls that have no outcome yet, of people whose calls are counted. Charged by being deleted, released by being deleted
        -- and taken off the counter `anonymous.tools.NAME`; a turn that ends releases what is left of its own.
        CREATE TABLE tool_holds (
            turn INTEGER NOT NULL,
            call TEXT NOT NULL,
            person INTEGER NOT NULL,
            name TEXT NOT NULL,
            PRIMARY KEY (turn, call)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX tool_holds_by_person ON tool_holds (person, name);
        """
}
