import Glibc

/// The time as a client shows it; a host's comes from its `Ambient`.
enum Clock {
    /// Milliseconds that only ever grow.
    static var monotonic: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
    }

    /// A time as the protocol writes it (RFC 3339, UTC), in the time zone of this machine, to the minute; as it is where it is none.
    static func local(_ text: String) -> String {
        let numbers = text.split { !$0.isNumber }.prefix(5).compactMap { Int32($0) }
        guard numbers.count == 5 else { return text }
        var time = tm()
        (time.tm_year, time.tm_mon, time.tm_mday) = (numbers[0] - 1_900, numbers[1] - 1, numbers[2])
        (time.tm_hour, time.tm_min) = (numbers[3], numbers[4])
        var seconds = timegm(&time)
        guard localtime_r(&seconds, &time) != nil else { return text }
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(time.tm_year + 1_900)-\(two(time.tm_mon + 1))-\(two(time.tm_mday)) \(two(time.tm_hour)):\(two(time.tm_min))"
    }
}
