import Glibc

/// libFuzzer, with the target that `PARLEY_FUZZ` in the environment names: libFuzzer starts itself anew, with arguments of its own.
///
/// No part of the tests: the package has this program only with that variable, see `Tests/run --fuzz`.
@main
enum Fuzzer {
    /// Chosen once.
    static let target: FuzzTarget = {
        guard let name = getenv("PARLEY_FUZZ"), let target = FuzzTarget(rawValue: String(cString: name)) else {
            fatalError("PARLEY_FUZZ must be one of \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return target
    }()

    static func main() {
        var count = CommandLine.argc
        var arguments = CommandLine.unsafeArgv
        _ = runDriver(&count, &arguments, testOneInput)
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
