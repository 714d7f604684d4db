import BenchmarkFloors
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
    ///   - file: where they are written down.
    ///   - database: becomes a copy of the original before.
    ///   - prepare: what goes before, whose statements do not count.
    ///   - take: takes the turns, and returns how many.
    init<Prepared>(
        _ place: Workplace, _ command: [String], in file: String = "statements", database: String, original: String = "empty.db",
        prepare: (Host) throws -> Prepared, take: (Host, Prepared) throws -> Int
    ) throws {
        let library = "\(place.folder)/recorder.so"
        let file = "\(place.folder)/\(file)"
        self.file = file
        try Workplace.compile("Recorder.c", to: library, ["-shared", "-fPIC", "-ldl"])
        try place.copy(original, to: database)
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

    /// Runs the statements again in plain C.
    ///
    /// - Parameter original: the database, as it was when the recording began.
    /// - Returns: what came of those of the turns.
    func replay(_ place: Workplace, original: String) throws -> floor_replay_outcome {
        try place.copy(original, to: "replayed.db")
        let outcome = floor_replay(file, from, to, "\(place.folder)/replayed.db", nil, nil)
        if let error = outcome.error { throw Wrong("the statements cannot be run again: \(String(cString: error))") }
        return outcome
    }

    /// How far something was recorded.
    private static func length(_ file: String) throws -> Int {
        let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
        defer { try? handle.close() }
        let bytes = try handle.read(upToCount: 8) ?? Data()
        return bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
