package import ParleyTranscripts

/// Plays this project's own transcripts, in which every byte of a host's lines counts.
package enum TranscriptRunner {
    /// Sends every line of a transcript, each when the host has come to rest after the one before, then closes the input.
    ///
    /// - Parameters:
    ///   - transcript: what is to be sent.
    ///   - client: the connection to a deterministic host that has just started with the transcript's flags.
    /// - Returns: the bytes of the whole file, with what the host said.
    package static func play(_ transcript: Transcript, on client: TestClient) throws -> [UInt8] {
        var file: [UInt8] = []
        func add(_ line: [UInt8]) { file += line + [UInt8(ascii: "\n")] }
        func add(received lines: [[UInt8]]) { for line in lines { add(Array("< ".utf8) + line) } }
        for exchange in transcript.exchanges {
            if let head = exchange.head, case .sent(let bytes, _) = head.kind {
                add(head.text)
                client.send(bytes)
                // Within a line there is no way to ask whether the host has come to rest.
                if bytes.last == UInt8(ascii: "\n") { add(received: try client.linesUntilRest()) }
            }
            for line in exchange.lines {
                if case .remark = line.kind { add(line.text) }
            }
        }
        client.endInput()
        let last = try client.remainingLines()
        if !last.isEmpty { add(Array("$ end of input".utf8)) }
        add(received: last)
        return file
    }

    /// The differences between two files, line by line.
    ///
    /// - Returns: the lines that differ with their neighbours: `-` before what was expected, `+` before what came.
    package static func difference(expected: [UInt8], actual: [UInt8]) -> String {
        let newline = UInt8(ascii: "\n")
        let old = expected.split(separator: newline, omittingEmptySubsequences: false).map(Array.init)
        let new = actual.split(separator: newline, omittingEmptySubsequences: false).map(Array.init)
        var removed: Set<Int> = []
        var inserted: Set<Int> = []
        for change in new.difference(from: old) {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): inserted.insert(offset)
            }
        }
        var text = ""
        var oldIndex = 0
        var newIndex = 0
        while oldIndex < old.count || newIndex < new.count {
            if removed.contains(oldIndex) {
                text += "- \(String(decoding: old[oldIndex], as: UTF8.self))\n"
                oldIndex += 1
            } else if inserted.contains(newIndex) {
                text += "+ \(String(decoding: new[newIndex], as: UTF8.self))\n"
                newIndex += 1
            } else {
                let isNear = [-1, 1].contains { removed.contains(oldIndex + $0) || inserted.contains(newIndex + $0) }
                if isNear { text += "  \(String(decoding: new[newIndex], as: UTF8.self))\n" }
                oldIndex += 1
                newIndex += 1
            }
        }
        return text
    }
}
