import GRDB
import Logging
import ParleyCore

/// The store in an SQLite database: in one file that several processes may share, or in memory.
///
/// The port's calls are divided by resource among the files beside this one. Each is one transaction, run by one of three loops: ``CommitLoop``
/// for what writes, ``ReadLoop`` for what only reads, and another of that kind for searches, which alone may bring the index that they read up to
/// date first. Reading never writes: a turn whose host is gone shows as running until
/// a call that writes meets it, or ``recoverTurns(at:)`` is called.
package final class SQLiteStore: Store {
    package let engine = "sqlite"
    package var isPersistent: Bool { file != nil }

    let writer: any DatabaseWriter
    let surroundings: StoreSurroundings
    let configuration: SQLiteStoreConfiguration
    let file: DatabaseFile?
    /// How far the index of searches has come, and whose turn it is to write in it.
    let indexPlace = Locked(SearchIndex.Place())
    let indexTurns = Turnstile()
    let searches: ReadLoop
    /// Where files are read.
    let importDesk = FileDesk()
    private let counters = CounterMemory()
    private let statements = StatementMemory()
    private let commits: CommitLoop
    private let reads: ReadLoop

    init(
        writer: any DatabaseWriter, file: DatabaseFile?, configuration: SQLiteStoreConfiguration, surroundings: StoreSurroundings
    ) {
        self.writer = writer
        self.file = file
        self.configuration = configuration
        self.surroundings = surroundings
        commits = CommitLoop(writer: writer, counters: counters, logger: configuration.logger)
        reads = ReadLoop(reader: writer, logger: configuration.logger)
        searches = ReadLoop(ofSearches: writer, logger: configuration.logger)
    }

    /// Does something in a transaction that is committed when the call returns.
    func write<Value: Sendable>(_ body: @escaping @Sendable (StoreTransaction) throws -> Value) async throws(Failure) -> Value {
        try await commits.write { [surroundings, counters, statements] db in
            try body(StoreTransaction(db: db, statements: statements, surroundings: surroundings, counters: counters))
        }
    }

    /// Does something between two transactions.
    func writeAlone<Value: Sendable>(_ body: @escaping @Sendable (StoreTransaction) throws -> Value) async throws(Failure) -> Value {
        try await commits.writeAlone { [surroundings] db in
            try body(StoreTransaction(db: db, surroundings: surroundings))
        }
    }

    /// Reads something that was true at one moment.
    func read<Value: Sendable>(_ body: @escaping @Sendable (StoreTransaction) throws -> Value) async throws(Failure) -> Value {
        try await reads.read { [surroundings] db in
            try body(StoreTransaction(db: db, surroundings: surroundings))
        }
    }

    /// Ends the loops of reads, so that none is in the way of those who need the files for themselves.
    func stopReading() async {
        await searches.stop()
        await reads.stop()
    }

    /// Ends the loop of writes.
    func stopWriting() async {
        await commits.stop()
        statements.forget()
    }
}
