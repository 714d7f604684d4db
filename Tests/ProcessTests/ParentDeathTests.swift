import Foundation
import JSON
import ParleyTestSupport
import Testing

/// What becomes of a host whose parent dies while somebody else, here the test, still holds its stdin open.
@Suite(.timeLimit(.minutes(5)))
struct ParentDeathTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Starts a host as the grandchild of the test.
    ///
    /// The thread that started the host ends at once, as threads of a pool may: that is not the end of the parent.
    private func start(_ arguments: String...) throws -> ParleyProcess {
        let script = try folder.write(#"{"repeat":true,"steps":[{"text":"so far"},{"hang":true}]}"# + "\n", to: "hang.jsonl")
        let parent = """
            import signal, subprocess, sys, threading
            thread = threading.Thread(target=lambda: subprocess.Popen(sys.argv[1:]))
            thread.start()
            thread.join()
            signal.pause()
            """
        return try ParleyProcess(
            [
                "serve", "--database", folder.file("parley.db"), "--caller", "userId:ada", "--model", "scripted:\(script)", "--set",
                "shutdown.graceSeconds=0",
            ] + arguments, through: ["/usr/bin/python3", "-c", parent])
    }

    private func killParent(_ parley: ParleyProcess) async {
        parley.signal(SIGKILL)
        #expect(await parley.exitCode() == -SIGKILL)
    }

    @Test func theHostEndsWithItsParent() async throws {
        let parley = try start("--exit-with-parent")
        parley.send("sendMessage", ["text": "Hello"])
        _ = try await parley.event("messageDelta")
        await killParent(parley)
        #expect(try await parley.event("turnCompleted")["params"]?["turn"]?["status"] == "interrupted")
        // Its stdout is closed, as it is only by its end; the reply is the last that it says.
        let rest = await parley.rest().split(separator: "\n")
        #expect(rest.count == 1 && rest[0].contains(#""stopReason":"interrupted""#), "\(rest)")
    }

    @Test func withoutTheFlagItGoesOn() async throws {
        let parley = try start()
        #expect(try await parley.call("ping")["result"] == [:])
        await killParent(parley)
        #expect(try await parley.call("ping")["result"] == [:])
        parley.endInput()
        #expect(await parley.rest() == "")
    }
}
