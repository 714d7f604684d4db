import BenchmarkFloors
import Foundation
import Glibc

/// A program with pipes at both ends, started, read and written without anything in between.
final class Child {
    let id: pid_t
    private let input: Int32
    private let output: Int32
    private var isOpen = true
    /// What has come and was not taken yet: the bytes from `start` to `end`.
    private var buffer = UnsafeMutableRawPointer.allocate(byteCount: 1 << 18, alignment: 8)
    private var capacity = 1 << 18
    private var start = 0
    private var end = 0

    /// Starts a program, which takes the processors that this one may run on.
    ///
    /// - Parameters:
    ///   - environment: what it gets in addition.
    ///   - isQuiet: whether nobody wants to read what it says of itself.
    init(_ command: [String], environment: [String: String] = [:], isQuiet: Bool = false) throws {
        var (toChild, fromChild) = ([Int32](repeating: 0, count: 2), [Int32](repeating: 0, count: 2))
        guard floor_pipe(&toChild) == 0, floor_pipe(&fromChild) == 0 else { throw Wrong("there is no pipe") }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, toChild[0], STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, fromChild[1], STDOUT_FILENO)
        if isQuiet { posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) }
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let arguments = command.map { strdup($0) } + [nil]
        let settings = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in arguments + settings { free(text) } }
        var id: pid_t = 0
        guard posix_spawnp(&id, command[0], &actions, nil, arguments, settings) == 0 else { throw Wrong("\(command[0]) does not start") }
        self.id = id
        (input, output) = (toChild[1], fromChild[0])
        close(toChild[0])
        close(fromChild[1])
    }

    deinit {
        kill()
        buffer.deallocate()
    }

    // MARK: Writing

    func write(_ text: String) throws {
        try write(Array(text.utf8)[...])
    }

    func write(_ bytes: ArraySlice<UInt8>) throws {
        try bytes.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let count = Glibc.write(input, bytes.baseAddress?.advanced(by: done), bytes.count - done)
                guard count > 0 else { throw Wrong("the program under test has closed its input") }
                done += count
            }
        }
    }

    // MARK: Reading

    /// Hands over one line after the other, as they come, until one is the last that is wanted; what is behind it stays.
    ///
    /// - Parameter isLast: gets a line, which is gone when it returns.
    func lines(until isLast: (Line) throws -> Bool) throws {
        var searched = start
        while true {
            if let found = memchr(buffer + searched, 0x0A, end - searched) {
                let place = UnsafeMutableRawPointer(found) - buffer
                let line = Line(bytes: UnsafeRawBufferPointer(start: buffer + start, count: place - start))
                start = place + 1
                searched = start
                if try isLast(line) { return }
            } else {
                searched = end - start
                try readMore()
                searched += start
            }
        }
    }

    /// How many lines have come, of which there is at least one; nothing may be left from before.
    ///
    /// - Parameter body: gets what has come.
    func countLines(_ body: (UnsafeRawBufferPointer) -> Void = { _ in }) throws -> Int {
        var lines = 0
        while lines == 0 {
            let count = Glibc.read(output, buffer, capacity)
            guard count > 0 else { throw Wrong("the program under test has ended") }
            body(UnsafeRawBufferPointer(start: buffer, count: count))
            lines += floor_count_lines(buffer, count)
        }
        return lines
    }

    /// Whether all that was read was taken.
    var isDrained: Bool { start == end }

    /// Reads exactly so many bytes, whatever they are.
    func bytes(_ wanted: Int) throws -> [UInt8] {
        while end - start < wanted { try readMore() }
        defer { start += wanted }
        return Array(UnsafeRawBufferPointer(start: buffer + start, count: wanted))
    }

    private func readMore() throws {
        if start > 0 {
            memmove(buffer, buffer + start, end - start)
            (start, end) = (0, end - start)
        }
        if end == capacity {
            let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity * 2, alignment: 8)
            larger.copyMemory(from: buffer, byteCount: end)
            buffer.deallocate()
            (buffer, capacity) = (larger, capacity * 2)
        }
        let count = Glibc.read(output, buffer + end, capacity - end)
        guard count > 0 else { throw Wrong("the program under test has ended") }
        end += count
    }

    // MARK: What it takes

    /// The processor time that it has taken, in seconds.
    func processorSeconds() throws -> Double {
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(id, &clock) == 0, clock_gettime(clock, &time) == 0 else {
            throw Wrong("the program under test has ended")
        }
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// Its memory in MiB, by the name of the field in `/proc/PID/status`: `VmRSS`, or `VmHWM` for the most there was.
    func memory(_ field: String) throws -> Double {
        let status = try String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("\(field):") }?.split(whereSeparator: \.isWhitespace)
        return (line.flatMap { Double($0[1]) } ?? 0) / 1_024
    }

    // MARK: Ending

    /// Ends its input and waits until it ends, which it must do with 0.
    func finish() throws {
        close(input)
        var status: Int32 = 0
        // It may still have something to say.
        while Glibc.read(output, buffer, capacity) > 0 {}
        close(output)
        isOpen = false
        guard waitpid(id, &status, 0) == id, status == 0 else { throw Wrong("the program under test has ended with status \(status)") }
    }

    /// Kills it.
    func kill() {
        guard isOpen else { return }
        isOpen = false
        close(input)
        close(output)
        Glibc.kill(id, SIGKILL)
        waitpid(id, nil, 0)
    }
}

/// A line that a program has written, as long as it is looked at.
struct Line {
    var bytes: UnsafeRawBufferPointer

    /// Where a mark ends, if it is there.
    func place(after mark: StaticString, from place: Int = 0) -> Int? {
        guard let base = bytes.baseAddress, place <= bytes.count,
            let found = floor_find(base + place, bytes.count - place, mark.utf8Start, mark.utf8CodeUnitCount)
        else { return nil }
        return found - base + mark.utf8CodeUnitCount
    }

    func contains(_ mark: StaticString) -> Bool { place(after: mark) != nil }

    /// The text from behind a mark to the next quotation mark.
    func text(after mark: StaticString) -> String? {
        place(after: mark).map { String(decoding: bytes[$0...].prefix { $0 != UInt8(ascii: "\"") }, as: UTF8.self) }
    }

    /// The number behind a mark.
    func number(after mark: StaticString) -> Int? {
        guard let place = place(after: mark) else { return nil }
        let digits = bytes[place...].prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        return digits.isEmpty ? nil : digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    /// The request that it answers; nil for a notification.
    var answeredRequest: Int? {
        guard bytes.starts(with: #"{"jsonrpc":"2.0","id":"#.utf8) else { return nil }
        return number(after: #""id":"#)
    }

    /// The whole of it.
    var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// Which processors this program and those that it starts may run on.
enum Processors {
    /// Does something while only one processor may be used.
    static func onlyOne<Value>(_ body: () throws -> Value) throws -> Value {
        guard floor_use_one_processor() == 0 else { throw Wrong("processors cannot be chosen") }
        defer { floor_use_all_processors() }
        return try body()
    }
}
