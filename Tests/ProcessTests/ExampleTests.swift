import Foundation
import ParleyTestSupport
import Testing

/// The worked examples do what they show, against the binary that was built.
@Suite(.timeLimit(.minutes(5)))
struct ExampleTests {
    private static let examples = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("examples")

    /// Runs the client of the backtest example.
    private func runBacktests(_ arguments: String...) async throws -> (code: Int32, output: String) {
        let client = Self.examples.appendingPathComponent("backtest-tool/client.py").path
        return try await ChildProcess.run(["/usr/bin/python3", "-B", client, "--binary", ParleyProcess.binary.path] + arguments)
    }

    @Test func theFirstBacktestIsMadeAndTheSecondIsRefused() async throws {
        let (code, output) = try await runBacktests()
        #expect(code == 0, "\(output)")
        // What the tool computed, what the assistant made of it, the limit's refusal, and what the assistant made of that.
        let expected = [
            "Free backtests left: 1.", "[run_backtest: buyDropPercent 5, sellProfitPercent 10, feePercent 0.1]",
            "Total return: **+23.96 %**",
            "| 2025-04-18 | 107.48 |     92 | 2025-06-16 | 119.93 | +1124.48 |", "That rule would have gained 23.96 %",
            "[run_backtest: buyDropPercent 8, sellProfitPercent 10, feePercent 0.1]",
            "[failed: You have used run_backtest as often as you may without signing in.]", "Sign in, and we try a drop of 8 % next.",
            "Free backtests left: none.",
        ]
        var rest = output[...]
        for text in expected {
            let range = try #require(rest.range(of: text), "\(text) is not where it should be in:\n\(output)")
            rest = rest[range.upperBound...]
        }
        #expect(output.components(separatedBy: "Total return").count == 2, "\(output)")
    }

    @Test func aFailedBacktestIsNotCounted() async throws {
        let folder = try TemporaryFolder()
        let call = #"{"steps":[{"toolCall":{"name":"run_backtest","arguments":{"buyDropPercent":5,"sellProfitPercent":10"#
        let script = try folder.write(
            [call + #","from":"2031-01-01"}}}]}"#, call + #".001}}}]}"#, call + "}}}]}", #"{"text":"Here it is."}"#].joined(
                separator: "\n"),
            to: "script.jsonl")
        let (code, output) = try await runBacktests("--model", "scripted:\(script)", "What if?")
        #expect(code == 0, "\(output)")
        #expect(output.contains("[failed: There are no prices in that time:"), "\(output)")
        #expect(output.contains("[failed: The arguments are not valid"), "\(output)")
        #expect(output.contains("Total return: **+"), "\(output)")
        #expect(output.contains("Here it is.") && output.hasSuffix("this conversation comes with you.\n"), "\(output)")
    }

    @Test func whatCannotBeUsedEndsTheExampleWithTheReason() async throws {
        let folder = try TemporaryFolder()
        let prices = try folder.write("date,close\n2025-01-01,-1\n", to: "prices.csv")
        let (code, output) = try await runBacktests("--prices", prices)
        #expect(code == 2 && output.contains("prices.csv, line 2"), "\(output)")
    }
}
