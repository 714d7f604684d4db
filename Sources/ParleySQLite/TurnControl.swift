import GRDB
import ParleyCore

/// What happens to turns while they run: checkpoints, snapshots, wishes to cancel, and the recovery of those whose host is gone.
extension StoreTransaction {
    /// Keeps what a turn has said so far, if it is still this host's.
    func store(_ checkpoint: TurnCheckpoint) throws {
        guard let turn = try turnIfAny(checkpoint.turnID), isOurs(turn) else { return }
        try store(checkpoint, of: turn)
    }

    /// A turn with its messages, nil when it goes on and no event beyond a number is stored.
    func snapshot(of turn: TurnRow, beyond sequence: Int) throws -> TurnSnapshot? {
        guard turn.value.status.isTerminal || turn.lastSequence > sequence else { return nil }
        return TurnSnapshot(turn: turn.value, messages: try messages(of: turn), lastSequence: turn.lastSequence)
    }

    /// Leaves word for the host of a turn that it shall be cancelled.
    ///
    /// - Returns: the turn as it now stands.
    func cancel(_ turn: TurnRow, at now: Timestamp) throws -> TurnRow {
        if turn.value.status == .queued { return try leaveQueue(turn, at: now) }
        guard turn.value.status == .inProgress, let host = turn.host else { return turn }
        guard try surroundings.isAlive(host) else { return try recover(turn, at: now) }
        try requestCancel(ofTurn: turn.key, at: now)
        return turn
    }

    /// Leaves word for the host that runs a turn.
    func requestCancel(ofTurn key: Int64, at now: Timestamp) throws {
        try db.run("UPDATE turns SET cancel_requested_at = coalesce(cancel_requested_at, ?) WHERE key = ?", now, key)
    }

    /// Which running turns of this host somebody wants cancelled.
    func turnsToCancel() throws -> [String] {
        try db.all(
            "SELECT id FROM turns WHERE host = ? AND status = 'inProgress' AND cancel_requested_at IS NOT NULL", surroundings.host
        ) { $0[0] }
    }

    /// Whether there are hosts that are gone and whose turns are not recovered.
    func isAnyHostGone() throws -> Bool {
        let hosts: [Int64] = try db.all("SELECT number FROM hosts") { $0[0] }
        return try hosts.contains { try !surroundings.isAlive($0) }
    }

    /// Ends the running turns of all hosts that are gone.
    ///
    /// - Returns: how many there were.
    func recoverTurns(at now: Timestamp) throws -> Int {
        let hosts: [Int64] = try db.all("SELECT number FROM hosts") { $0[0] }
        var count = 0
        for host in hosts where try !surroundings.isAlive(host) {
            count += try interruptTurns(ofHost: host, at: now)
            try db.run("DELETE FROM hosts WHERE number = ?", host)
        }
        return count
    }

    /// Ends the running turns of a host.
    ///
    /// - Returns: how many there were.
    func interruptTurns(ofHost host: Int64, at now: Timestamp) throws -> Int {
        let turns = try runningTurns(ofHost: host)
        for turn in turns { _ = try recover(turn, at: now) }
        return turns.count
    }
}
