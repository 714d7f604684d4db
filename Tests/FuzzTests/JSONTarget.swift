import JSON

/// The input is a JSON document, or none.
enum JSONTarget {
    static func check(_ input: [UInt8]) throws(BrokenPromise) {
        let outcome = Result { () throws(JSONError) in try JSONReader.parse(input) }
        let skipped = Result { () throws(JSONError) in
            var reader = JSONReader(input)
            _ = try reader.skip()
            try reader.end()
        }
        let inner = Result { () throws(JSONError) in
            var reader = JSONReader([0x5B] + input + [0x5D], in: 1..<input.count + 1)
            let value = try reader.value()
            try reader.end()
            return value
        }
        try expect(inner == outcome, "a slice of a buffer is read as a buffer of its own")
        switch outcome {
        case .success(let value):
            if case .failure = skipped { throw BrokenPromise(description: "what is read can be skipped") }
            try check(value, of: input)
        case .failure(let error):
            try expect(error.kind == .syntax, "a document that is no JSON breaks the grammar")
            try expect((0...input.count).contains(error.offset), "a fault lies within the text")
            try expect(!error.reason.isEmpty, "a fault has a reason")
            guard case .failure(error) = skipped else { throw BrokenPromise(description: "what is refused is refused when it is skipped") }
        }
    }

    private static func check(_ value: JSONValue, of input: [UInt8]) throws(BrokenPromise) {
        let written = JSONWriter.encode(value)
        guard let again = try? JSONReader.parse(written) else { throw BrokenPromise(description: "what is written can be read") }
        try expect(again == value, "what is written is what was read")
        try expect(again.hashValue == value.hashValue, "what is equal has the same hash")
        try expect(JSONWriter.encode(again) == written, "what is written again is the same text")
        var writer = JSONWriter()
        writer.raw(input)
        guard let raw = try? JSONReader.parse(writer.bytes) else { throw BrokenPromise(description: "what is copied can be read") }
        try expect(raw == value, "what is copied is what was read")
        for text in [written, writer.bytes] {
            try expect(!text.contains(0x0A) && !text.contains(0x0D), "no value has a line end in it")
            let separators: Set<Unicode.Scalar> = ["\u{2028}", "\u{2029}"]
            let hasSeparators = String(decoding: text, as: UTF8.self).unicodeScalars.contains(where: separators.contains)
            try expect(!hasSeparators, "no value has a separator of lines in it")
        }
    }
}

/// The first byte is the number of calls, each of the next bytes a call, and the rest the document.
enum ReaderTarget {
    private static func call(_ number: UInt8, _ reader: inout JSONReader) throws(JSONError) {
        switch number % 15 {
        case 0: _ = try reader.peek()
        case 1: try reader.beginObject()
        case 2: _ = try reader.nextKey()
        case 3: try reader.beginArray()
        case 4: _ = try reader.nextElement()
        case 5: _ = try reader.string()
        case 6: _ = try reader.bool()
        case 7: _ = try reader.integer()
        case 8: _ = try reader.double()
        case 9: _ = try reader.readNull()
        case 10: _ = try reader.value()
        case 11: _ = try reader.skip()
        case 12: try reader.end()
        case 13: throw reader.mismatch("no such field")
        default: throw reader.missing("field")
        }
    }

    static func check(_ input: [UInt8]) throws(BrokenPromise) {
        guard let first = input.first else { return }
        let script = input.dropFirst().prefix(Int(first & 0x3F))
        let document = Array(input[script.endIndex...])
        var reader = JSONReader(document)
        for byte in script {
            do throws(JSONError) {
                try call(byte, &reader)
            } catch {
                try expect((0...document.count).contains(error.offset), "a fault lies within the text")
                try expect(!error.reason.isEmpty, "a fault has a reason")
                guard error.kind == .mismatch else { continue }
                try expect((try? JSONReader.parse(document)) != nil, "only JSON can be other than was expected")
            }
        }
    }
}
