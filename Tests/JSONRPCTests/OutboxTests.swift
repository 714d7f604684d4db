import Foundation
import ParleyTestSupport
import Testing

@testable import JSONRPC

@Suite(.timeLimit(.minutes(5)))
struct OutboxTests {
    static func outbox(_ kind: OutputKind, limits: TransportLimits = TransportLimits()) -> (outbox: Outbox, readEnd: Int32, writeEnd: Int32)
    {
        let (readEnd, writeEnd) = kind.open()
        return (Outbox(descriptor: kind.descriptor(writeEnd), limits: limits) { _ in }, readEnd, writeEnd)
    }

    /// A frame of a given size, whose content a splice would break: `sender:number:xxx…`.
    static func frame(_ sender: Int, _ number: Int, size: Int) -> [UInt8] {
        let head = Array("\(sender):\(number):".utf8)
        return head + [UInt8](repeating: UInt8(ascii: "x"), count: max(0, size - head.count - 1)) + [0x0A]
    }

    @Test(arguments: OutputKind.allCases)
    func splicesNoFramesOfManySendersWhenTheReaderStalls(_ kind: OutputKind) async throws {
        let (outbox, readEnd, writeEnd) = Self.outbox(kind)
        let senders = 8
        let framesOfEach = 30
        await withTaskGroup { group in
            for sender in 0..<senders {
                group.addTask {
                    await offPool {
                        var random = SeededGenerator(seed: UInt64(sender))
                        for number in 0..<framesOfEach {
                            let size =
                                number.isMultiple(of: 3)
                                ? Int.random(in: 65_000...300_000, using: &random) : Int.random(in: 8...9000, using: &random)
                            outbox.send(Self.frame(sender, number, size: size))
                        }
                    }
                }
            }
        }
        // Only now does the reader begin: much more was sent than a pipe or a socket holds.
        #expect(outbox.waitingBytes > 1 << 20)
        async let lines = LineSource(readEnd).lines(senders * framesOfEach)
        var next = Array(repeating: 0, count: senders)
        for line in await lines {
            let sender = try #require(Int(line.prefix(1)))
            let isWhole = line == String(decoding: Self.frame(sender, next[sender], size: line.utf8.count + 1).dropLast(), as: UTF8.self)
            #expect(isWhole)
            next[sender] += 1
        }
        #expect(next == Array(repeating: framesOfEach, count: senders))
        await outbox.close()
        #expect(outbox.waitingBytes == 0)
        close(writeEnd)
        #expect(await LineSource(readEnd).lines(1).isEmpty)
        close(readEnd)
    }

    @Test(arguments: OutputKind.allCases)
    func servesAReaderOfSingleBytes(_ kind: OutputKind) async {
        let (outbox, readEnd, writeEnd) = Self.outbox(kind)
        let frames = (0..<60).map { Self.frame(0, $0, size: 5000) }
        for frame in frames { outbox.send(frame) }
        let read = await offPool {
            var read: [UInt8] = []
            for _ in 0..<20_000 { read += Descriptors.read(readEnd, atMost: 1) }
            while read.count < 300_000 { read += Descriptors.read(readEnd) }
            return read
        }
        #expect(read == frames.flatMap { $0 })
        await outbox.close()
        close(writeEnd)
        close(readEnd)
    }

    /// A socket that keeps messages apart shows what leaves in one write.
    @Test func corkedFramesLeaveInOneWrite() async {
        let (readEnd, writeEnd) = Descriptors.socketPair(SOCK_SEQPACKET)
        let outbox = Outbox(descriptor: OutputDescriptor(writeEnd), limits: TransportLimits()) { _ in }
        outbox.send([1])
        outbox.cork()
        outbox.send([2])
        outbox.send([3, 4])
        #expect(outbox.waitingBytes == 3)
        outbox.uncork()
        outbox.send([5])
        #expect(Descriptors.read(readEnd) == [1])
        #expect(Descriptors.read(readEnd) == [2, 3, 4])
        #expect(Descriptors.read(readEnd) == [5])

        outbox.cork()
        outbox.send([6])
        await outbox.flush()
        #expect(Descriptors.read(readEnd) == [6], "a flush overrides the cork")

        for _ in 0..<3 { outbox.send([UInt8](repeating: 7, count: 30_000)) }
        #expect(Descriptors.read(readEnd).count == 60_000, "so does more than one write takes")
        outbox.uncork()
        #expect(Descriptors.read(readEnd).count == 30_000)
        await outbox.close()
        close(writeEnd)
        close(readEnd)
    }

    @Test func tellsCongestionAndItsEnd() async {
        let limits = TransportLimits(congestionBytes: 100_000)
        let (outbox, readEnd, writeEnd) = Self.outbox(.pipe, limits: limits)
        let calls = Guarded<[Int]>([])
        let note: @Sendable (Int) -> @Sendable () -> Void = { number in
            {
                calls.withLock { $0.append(number) }
                calls.wake()
            }
        }
        outbox.onceWritable(note(0))
        #expect(calls.withLock { $0 } == [0], "at once when not congested")

        let frames = (0..<40).map { Self.frame(0, $0, size: 10_000) }
        for frame in frames { outbox.send(frame) }
        #expect(outbox.isCongested)
        outbox.onceWritable(note(1))
        outbox.onceWritable(note(2))
        let source = LineSource(readEnd)
        // Of 400,000 bytes, 100,000 and what the pipe holds leave the outbox congested.
        #expect(await source.lines(10).count == 10)
        #expect(calls.withLock { $0 } == [0])
        #expect(await source.lines(30).count == 30)
        await offPool { calls.wait { $0.count == 3 ? () : nil } }
        #expect(calls.withLock { $0 } == [0, 1, 2])
        #expect(!outbox.isCongested)
        await outbox.close()
        close(writeEnd)
        close(readEnd)
    }

    @Test(arguments: OutputKind.allCases)
    func flushWaitsForTheReaderOrForCancellation(_ kind: OutputKind) async {
        let (outbox, readEnd, writeEnd) = Self.outbox(kind)
        await outbox.flush()
        outbox.send(Self.frame(0, 0, size: 1_000_000))
        await withTaskGroup { group in
            group.addTask { await outbox.flush() }
            group.cancelAll()
        }
        #expect(outbox.waitingBytes > 0)
        async let read = LineSource(readEnd).line()
        await outbox.flush()
        #expect(outbox.waitingBytes == 0)
        #expect(await read?.utf8.count == 999_999)
        await outbox.close()
        outbox.send([0x0A])
        #expect(outbox.waitingBytes == 0, "what is sent after the end is dropped")
        close(writeEnd)
        #expect(Descriptors.read(readEnd).isEmpty, "the end closes what was opened")
        close(readEnd)
    }

    @Test(arguments: OutputKind.allCases, [true, false])
    func breaksOnceWhenThePeerIsGone(_ kind: OutputKind, isStalled: Bool) async {
        signal(SIGPIPE, SIG_IGN)
        let (readEnd, writeEnd) = kind.open()
        let codes = Guarded<[Int32]>([])
        let outbox = Outbox(descriptor: kind.descriptor(writeEnd), limits: TransportLimits()) { code in
            codes.withLock { $0.append(code) }
            codes.wake()
        }
        let isWritable = Guarded(false)
        if isStalled {
            for number in 0..<10 { outbox.send(Self.frame(0, number, size: 100_000)) }
            outbox.onceWritable {
                isWritable.withLock { $0 = true }
                isWritable.wake()
            }
            #expect(outbox.isCongested)
        }
        close(readEnd)
        outbox.send([0x0A])
        await offPool { codes.wait { $0.isEmpty ? nil : () } }
        if isStalled { await offPool { isWritable.wait { $0 ? () : nil } } }
        outbox.send([0x0A])
        await outbox.flush()
        await outbox.close()
        #expect(codes.withLock { $0 } == [EPIPE])
        #expect(outbox.waitingBytes == 0)
        close(writeEnd)
    }

    @Test(arguments: [OutputKind.pipe, .socket])
    func leavesTheDescriptorsOfOthersAsTheyAre(_ kind: OutputKind) async {
        let (outbox, readEnd, writeEnd) = Self.outbox(kind)
        outbox.send(Self.frame(0, 0, size: 1_000_000))
        #expect(fcntl(writeEnd, F_GETFL) & O_NONBLOCK == 0)
        #expect(fcntl(readEnd, F_GETFL) & O_NONBLOCK == 0)
        #expect(await LineSource(readEnd).line()?.utf8.count == 999_999)
        await outbox.close()
        #expect(fcntl(writeEnd, F_GETFD) >= 0, "what was given stays open")
        close(writeEnd)
        close(readEnd)
    }

    @Test func writesToARegularFile() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "outbox-\(UUID().uuidString)").path()
        let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        #expect(file >= 0)
        defer {
            close(file)
            unlink(path)
        }
        let outbox = Outbox(descriptor: OutputDescriptor(file), limits: TransportLimits()) { _ in }
        outbox.send(Self.frame(0, 0, size: 100_000))
        outbox.send(Self.frame(0, 1, size: 10))
        #expect(outbox.waitingBytes == 0, "written by whoever sends")
        await outbox.close()
        lseek(file, 0, SEEK_SET)
        #expect(Descriptors.read(file, atMost: 200_000) == Self.frame(0, 0, size: 100_000) + Self.frame(0, 1, size: 10))
    }

    @Test func breaksWhenADeviceIsFull() async {
        let full = open("/dev/full", O_WRONLY | O_CLOEXEC)
        let codes = Guarded<[Int32]>([])
        let outbox = Outbox(descriptor: OutputDescriptor(full), limits: TransportLimits()) { code in
            codes.withLock { $0.append(code) }
            codes.wake()
        }
        outbox.send([0x0A])
        await offPool { codes.wait { $0.isEmpty ? nil : () } }
        #expect(codes.withLock { $0 } == [ENOSPC])
        await outbox.close()
        close(full)
    }
}
