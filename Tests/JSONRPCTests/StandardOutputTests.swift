import Foundation
import Testing

@testable import JSONRPC

struct StandardOutputTests {
    @Test func movesTheOutputAndDivertsWhatIsPrinted() throws {
        let (outputRead, output) = Descriptors.pipe()
        let (diversionRead, diversion) = Descriptors.pipe()
        let claimed = try StandardOutput.claim(output: output, diversion: diversion)
        #expect(claimed > STDERR_FILENO)
        #expect(fcntl(claimed, F_GETFD) & FD_CLOEXEC != 0)
        #expect(Descriptors.write(Array("printed".utf8), to: output))
        #expect(Descriptors.write(Array("protocol".utf8), to: claimed))
        #expect(Descriptors.read(outputRead) == Array("protocol".utf8))
        #expect(Descriptors.read(diversionRead) == Array("printed".utf8))
        for descriptor in [outputRead, output, diversionRead, diversion, claimed] { close(descriptor) }
    }

    @Test func saysWhichDescriptorIsMissing() {
        let (readEnd, output) = Descriptors.pipe()
        #expect(throws: StandardOutput.ClaimError(call: "fcntl", code: EBADF)) { try StandardOutput.claim(output: -1, diversion: output) }
        #expect(throws: StandardOutput.ClaimError(call: "dup2", code: EBADF)) { try StandardOutput.claim(output: output, diversion: -1) }
        close(readEnd)
        close(output)
    }

    @Test func claimsTheRealOne() async {
        await #expect(processExitsWith: .success) {
            let claimed = try StandardOutput.claim()
            var output = stat()
            var error = stat()
            guard fstat(STDOUT_FILENO, &output) == 0, fstat(STDERR_FILENO, &error) == 0, claimed > STDERR_FILENO else { exit(1) }
            exit(output.st_ino == error.st_ino && output.st_dev == error.st_dev ? 0 : 1)
        }
    }
}
