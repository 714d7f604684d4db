import ParleyTestSupport

@testable import parley

/// Hosts as `parley serve` puts them together, within this process.
enum TestHost {
    /// Runs a host while `body` talks to it on a thread of its own.
    ///
    /// - Parameters:
    ///   - arguments: the flags of `parley serve`.
    ///   - body: the client's part.
    static func inProcess<Result: Sendable>(
        _ arguments: [String], body: @escaping @Sendable (TestClient) throws -> Result
    ) async throws -> Result {
        try await HostUnderTest.inProcess(
            serve: { input, output in
                let serve = try Serve.parse(arguments)
                let composition = try await Composition.open(serve.options.flags, deterministic: serve.deterministic)
                await composition.serve(input: input, output: output)
            }, body: body)
    }
}
