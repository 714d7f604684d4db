import Glibc
import ParleyTestSupport
import Testing

extension ParleyProcess {
    /// Stops the process while it does not write to a database: all others would otherwise wait for the database, and whoever finds the log of a
    /// process that is killed then has to make its index anew.
    func stop(betweenWritesTo database: String) async throws {
        let attempt = """
            import sqlite3, sys
            try: sqlite3.connect(sys.argv[1], timeout=0).execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error: sys.exit(75 if "locked" in str(error) else str(error))
            """
        while true {
            signal(SIGSTOP)
            let (code, output) = try await ChildProcess.run(["/usr/bin/python3", "-c", attempt, database])
            if code == 0 { return }
            try #require(code == 75, "\(output)")
            signal(SIGCONT)
        }
    }
}
