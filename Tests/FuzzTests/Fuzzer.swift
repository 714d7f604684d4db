/// libFuzzer, with one of the targets: `Fuzz TARGET`, and then libFuzzer's own arguments.
///
/// No part of the tests: the package has this program only with `PARLEY_FUZZ` in the environment, see `Tests/run --fuzz`.
@main
enum Fuzzer {
    /// Chosen once, before the first input.
    nonisolated(unsafe) static var target = FuzzTarget.json

    static func main() {
        guard CommandLine.arguments.count > 1, let target = FuzzTarget(rawValue: CommandLine.arguments[1]) else {
            fatalError("expected one of \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        // Safe: libFuzzer calls back on this thread, and later.
        Self.target = target
        var count = CommandLine.argc - 1
        let arguments = CommandLine.unsafeArgv
        arguments[1] = arguments[0]
        var shifted = arguments + 1
        _ = runDriver(&count, &shifted, testOneInput)
    }
}

/// What libFuzzer's own `main`, which is linked and never run, would call.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    do throws(BrokenPromise) {
        try Fuzzer.target.check(Array(UnsafeBufferPointer(start: bytes, count: count)))
    } catch {
        fatalError("a promise is broken: \(error)")
    }
    return 0
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32
