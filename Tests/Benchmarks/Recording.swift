import Foundation

/// The statements that a host has run, and between which places in the file those of its turns lie.
///
/// So nobody needs to keep a list of statements up to date: see `Recorder.c` in `Tests/BenchmarkFloors/Programs`.
struct Recording {
    let file: String
    let from: Int
    let to: Int
    /// How many turns they are.
    let turns: Int

    /// Has a host take turns, and writes down each statement that it runs.
    ///
    /// - Parameters:
    ///   - command: serves the database.
    ///   - database: becomes a copy of the empty one before.
    ///   - prepare: what goes before, whose statements do not count.
    ///   - take: takes the turns, and returns how many.
    init<Prepared>(
        _ place: Workplace, _ command: [String], database: String, prepare: (Host) throws -> Prepared, take: (Host, Prepared) throws -> Int
    ) throws {
        let library = "\(place.folder)/recorder.so"
        file = "\(place.folder)/statements"
        try Workplace.compile("Recorder.c", to: library, ["-shared", "-fPIC", "-ldl"])
        try place.copy("empty.db", to: database)
        let host = try Host(command, environment: ["LD_PRELOAD": library, "RECORDED_STATEMENTS": file])
        let prepared = try prepare(host)
        // What a host does of itself after its start.
        usleep(300_000)
        from = try Self.length(file)
        turns = try take(host, prepared)
        to = try Self.length(file)
        try host.child.finish()
        guard to > from else { throw Wrong("no statement was recorded: does the program load SQLite as a library?") }
    }

    /// How far something was recorded.
    private static func length(_ file: String) throws -> Int {
        let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
        defer { try? handle.close() }
        let bytes = try handle.read(upToCount: 8) ?? Data()
        return bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
