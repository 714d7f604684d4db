import Glibc

/// The real surroundings: the machine's clocks, UUIDv7 ids, the kernel's random bytes.
package struct SystemAmbient: Ambient {
    /// Reads the machine's clocks.
    package init() {}

    package func now() -> Timestamp {
        Timestamp(milliseconds: Self.milliseconds(of: CLOCK_REALTIME))
    }

    package func monotonicMilliseconds() -> Int64 {
        Self.milliseconds(of: CLOCK_MONOTONIC)
    }

    package func sleep(milliseconds: Int64) async throws(CancellationError) {
        do {
            try await Task.sleep(for: .milliseconds(milliseconds))
        } catch {
            throw CancellationError()
        }
    }

    package func newID(_ kind: IDKind) -> String {
        // Both halves with one call of the system.
        var bits: (high: UInt64, low: UInt64) = (0, 0)
        let code = withUnsafeMutableBytes(of: &bits) { getentropy($0.baseAddress, $0.count) }
        precondition(code == 0, "getentropy(3) fails only for more than 256 bytes")
        return UUIDv7.text(milliseconds: now().milliseconds, random: bits.high, bits.low)
    }

    package func randomBytes(_ count: Int) -> [UInt8] {
        // The system generator reads getrandom(2), which is fit for secrets.
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    package func beginActivity() {}
    package func endActivity() {}

    package func rest(place: Int?) async {}

    /// Tells this start of the machine from others, by the number that Linux gives it (random(4), `boot_id`); 0 where there is none.
    package static let boot: Int64 = {
        guard let file = fopen("/proc/sys/kernel/random/boot_id", "r") else { return 0 }
        defer { fclose(file) }
        var text = [CChar](repeating: 0, count: 64)
        guard fgets(&text, Int32(text.count), file) != nil else { return 0 }
        let digits = text.compactMap { UInt8(bitPattern: $0) }.filter { $0 != UInt8(ascii: "-") && $0 > 0x20 }
        return Int64(bitPattern: UInt64(String(decoding: digits.prefix(16), as: UTF8.self), radix: 16) ?? 0)
    }()

    /// Milliseconds since the machine was started, also those in which it slept.
    package static func uptimeMilliseconds() -> Int64 { milliseconds(of: CLOCK_BOOTTIME) }

    private static func milliseconds(of clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}
