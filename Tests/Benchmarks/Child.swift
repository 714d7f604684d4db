import Foundation
import Glibc

/// A program with pipes at both ends, read and written without Foundation's queues in between.
final class Child {
    private let process = Process()
    private let input: Int32
    private let output: Int32
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)

    init(_ command: [String]) throws {
        let (toChild, fromChild) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        process.standardInput = toChild
        process.standardOutput = fromChild
        try process.run()
        input = dup(toChild.fileHandleForWriting.fileDescriptor)
        output = dup(fromChild.fileHandleForReading.fileDescriptor)
    }

    var id: Int32 { process.processIdentifier }

    func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let count = Glibc.write(input, bytes.baseAddress?.advanced(by: done), bytes.count - done)
                precondition(count > 0, "the program under test has ended")
                done += count
            }
        }
    }

    /// Reads until at least so many lines have come.
    ///
    /// - Returns: how many there were.
    @discardableResult
    func readLines(_ wanted: Int) -> Int {
        var lines = 0
        while lines < wanted {
            let count = Glibc.read(output, &buffer, buffer.count)
            precondition(count > 0, "the program under test has ended")
            lines += buffer[..<count].reduce(0) { $0 + ($1 == 0x0A ? 1 : 0) }
        }
        return lines
    }

    /// Reads what has come, as soon as there is something.
    func read(_ body: (UnsafeRawBufferPointer) -> Void) {
        let count = Glibc.read(output, &buffer, buffer.count)
        precondition(count > 0, "the program under test has ended")
        buffer.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }

    /// Reads one line of a program that writes one at a time.
    func readLine() -> String {
        var bytes: [UInt8] = []
        while bytes.last != 0x0A {
            let count = Glibc.read(output, &buffer, buffer.count)
            precondition(count > 0, "the program under test has ended")
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    func end() {
        close(input)
        close(output)
        kill(id, SIGKILL)
        process.waitUntilExit()
    }
}
