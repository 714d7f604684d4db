import Foundation
import JSON
import Testing

/// Random documents, whole and damaged, read as Foundation reads them; every difference must be one of Foundation's known ones.
@Suite struct RandomTests {
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    @Test(arguments: 0..<8 as Range<UInt64>)
    func agreesWithFoundation(seed: UInt64) throws {
        var source = DocumentSource(seed: seed)
        var accepted = 0
        var refused = 0
        for _ in 0..<1000 {
            var bytes = Array(source.document().utf8)
            #expect(parseError(bytes) == nil)
            for _ in 0..<Int.random(in: 0...2, using: &source.generator) {
                source.mutate(&bytes)
            }
            let errors = try verdicts(bytes)
            #expect(Set(errors.map { $0?.offset }).count == 1, "\(text(bytes).debugDescription)")
            if let error = errors[0] {
                refused += 1
                #expect(error.kind == .syntax)
                expectFoundationToRefuse(bytes, or: error)
            } else {
                accepted += 1
                try expectFoundationToAgree(try JSONReader.parse(bytes), bytes)
            }
        }
        // Else the damage is too much or too little for the test to mean anything.
        #expect(accepted > 300 && refused > 300)
    }

    /// Callers that ask in the wrong order get errors about places in the text, never a crash.
    @Test(arguments: 100..<104 as Range<UInt64>)
    func survivesAnyOrderOfCalls(seed: UInt64) {
        let calls: [(inout JSONReader) throws -> Void] = [
            { _ = try $0.peek() }, { try $0.beginObject() }, { _ = try $0.nextKey() }, { try $0.beginArray() },
            { _ = try $0.nextElement() },
            { _ = try $0.string() }, { _ = try $0.bool() }, { _ = try $0.integer() }, { _ = try $0.double() }, { _ = try $0.readNull() },
            { _ = try $0.value() }, { _ = try $0.skip() }, { try $0.end() }, { throw $0.mismatch("") }, { throw $0.missing("field") },
        ]
        var source = DocumentSource(seed: seed)
        for _ in 0..<500 {
            var bytes = Array(source.document().utf8)
            if Bool.random(using: &source.generator) {
                source.mutate(&bytes)
            }
            let start = Int.random(in: 0...min(2, bytes.count), using: &source.generator)
            var reader = JSONReader(bytes, in: start..<bytes.count)
            for _ in 0..<20 {
                do {
                    try calls[Int.random(in: calls.indices, using: &source.generator)](&reader)
                } catch let error as JSONError {
                    #expect(0...bytes.count - start ~= error.offset)
                } catch {
                    Issue.record("\(error)")
                }
            }
        }
    }

    private func expectFoundationToAgree(_ value: JSONValue, _ bytes: [UInt8]) throws {
        #expect(try JSONReader.parse(JSONWriter.encode(value)) == value)
        if let theirs = foundationValue(bytes) {
            #expect(agree(value, theirs), "\(text(bytes).debugDescription)")
        } else {
            // Foundation refuses numbers that are too big for a double, where RFC 8259, section 6 leaves the choice.
            #expect(hasNumberBeyondDouble(value), "\(text(bytes).debugDescription)")
        }
    }

    private func expectFoundationToRefuse(_ bytes: [UInt8], or error: JSONError) {
        guard foundationValue(bytes) != nil else {
            return
        }
        if bytes.starts(with: Self.byteOrderMark) {
            // RFC 8259, section 8.1 allows to ignore a byte order mark, and Foundation does. Nothing else may be wrong.
            expectOnlyKnownLaxity(Array(bytes.dropFirst(3)))
        } else if bytes.prefix(4).contains(0) {
            // Foundation guesses UTF-16 and UTF-32 from zeros among the first four bytes; RFC 8259, section 8.1 demands UTF-8.
            #expect(error.offset < 4)
        } else if let comma = trailingComma(bytes, before: error.offset) {
            // Foundation ignores a comma before a closing bracket, against RFC 8259, sections 4 and 5. Nothing else may be wrong.
            var repaired = bytes
            repaired.remove(at: comma)
            expectOnlyKnownLaxity(repaired)
        } else {
            Issue.record("only Foundation accepts \(text(bytes).debugDescription): \(error)")
        }
    }

    private func expectOnlyKnownLaxity(_ repaired: [UInt8]) {
        if let error = parseError(repaired) {
            expectFoundationToRefuse(repaired, or: error)
            #expect(foundationValue(repaired) != nil, "\(text(repaired).debugDescription)")
        }
    }

    /// The index of the comma that stands, but for white space, before a closing bracket.
    private func trailingComma(_ bytes: [UInt8], before bracket: Int) -> Int? {
        guard bracket < bytes.count, bytes[bracket] == UInt8(ascii: "]") || bytes[bracket] == UInt8(ascii: "}"),
            let last = bytes[..<bracket].lastIndex(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }), bytes[last] == UInt8(ascii: ",")
        else {
            return nil
        }
        return last
    }

    private func foundationValue(_ bytes: [UInt8]) -> Any? {
        try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
    }

    private func agree(_ ours: JSONValue, _ theirs: Any) -> Bool {
        switch ours {
        case .null:
            return theirs is NSNull
        case .bool(let bool):
            return (theirs as? NSNumber).map { isBool($0) && $0.boolValue == bool } ?? false
        case .integer(let integer):
            return (theirs as? NSNumber).map { !isBool($0) && $0.int64Value == integer } ?? false
        case .number:
            // Foundation takes some numbers through `Decimal`, which costs them the last digit.
            guard let theirs = theirs as? NSNumber, !isBool(theirs), let double = ours.doubleValue else { return false }
            return abs(theirs.doubleValue - double) <= 4 * double.ulp
        case .string(let string):
            return (theirs as? String).map { sameString(string, $0) } ?? false
        case .array(let elements):
            guard let theirs = theirs as? [Any] else { return false }
            return theirs.count == elements.count && zip(elements, theirs).allSatisfy(agree)
        case .object(let members):
            guard let theirs = theirs as? [String: Any], theirs.count == members.count else { return false }
            return members.allSatisfy { key, value in
                theirs.first { sameString(key, $0.key) }.map { agree(value, $0.value) } ?? false
            }
        }
    }

    /// Foundation drops U+FEFF, as if it were a byte order mark, at the beginning of a string and after an escape.
    private func sameString(_ ours: String, _ theirs: String) -> Bool {
        ours.unicodeScalars.filter { $0 != "\u{FEFF}" }.elementsEqual(theirs.unicodeScalars.filter { $0 != "\u{FEFF}" })
    }

    private func isBool(_ number: NSNumber) -> Bool {
        String(cString: number.objCType) == "c"
    }

    private func hasNumberBeyondDouble(_ value: JSONValue) -> Bool {
        switch value {
        case .number: value.doubleValue == nil
        case .array(let elements): elements.contains(where: hasNumberBeyondDouble)
        case .object(let members): members.values.contains(where: hasNumberBeyondDouble)
        default: false
        }
    }
}
