import JSON
import Testing

@Suite struct JSONWriterTests {
    private struct Point: JSONWritable {
        var x: Int
        var y: Int?

        func write(to writer: inout JSONWriter) {
            writer.object {
                $0.member("x", x)
                $0.member("y", y)
            }
        }
    }

    @Test func putsCommasBetweenMembersOnly() throws {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("empty")
        writer.beginObject()
        writer.endObject()
        writer.key("list")
        writer.beginArray()
        writer.null()
        writer.bool(true)
        writer.bool(false)
        writer.integer(-5)
        writer.double(2.5)
        writer.number(literal: "123456789012345678901234567890")
        writer.string("x")
        writer.raw(Array("[1]".utf8))
        writer.value(Point(x: 1, y: 2))
        writer.beginArray()
        writer.endArray()
        writer.beginArray()
        writer.beginArray()
        writer.endArray()
        writer.endArray()
        writer.endArray()
        writer.key("last")
        writer.null()
        writer.endObject()
        let expected =
            #"{"empty":{},"list":[null,true,false,-5,2.5,123456789012345678901234567890,"x",[1],{"x":1,"y":2},[],[[]]],"last":null}"#
        #expect(text(writer.bytes) == expected)
        #expect(parseError(writer.bytes) == nil)
    }

    @Test func leavesOutMembersThatAreNil() {
        var writer = JSONWriter()
        writer.object {
            $0.member("string", nil as String?)
            $0.member("integer", nil as Int?)
            $0.member("bool", nil as Bool?)
            $0.member("double", nil as Double?)
            $0.member("point", nil as Point?)
            $0.member("points", nil as [Point]?)
            $0.member("raw", raw: nil)
        }
        #expect(text(writer.bytes) == "{}")
    }

    @Test func writesMembersOfEveryType() {
        var writer = JSONWriter()
        writer.object {
            $0.member("string", "a\n")
            $0.member("integer", 1)
            $0.member("bool", true)
            $0.member("double", 0.5)
            $0.member("notFinite", Double.nan)
            $0.member("point", Point(x: 1))
            $0.member("points", [Point(x: 1), Point(x: 2, y: 3)])
            $0.member("strings", ["a", "b"])
            $0.member("none", [Int]())
            $0.member("value", ["k": [nil]] as JSONValue)
            $0.member("raw", raw: Array("{}".utf8))
        }
        let expected =
            #"{"string":"a\n","integer":1,"bool":true,"double":0.5,"notFinite":null,"point":{"x":1},"points":[{"x":1},{"x":2,"y":3}],"#
            + #""strings":["a","b"],"none":[],"value":{"k":[null]},"raw":{}}"#
        #expect(text(writer.bytes) == expected)
    }

    @Test func escapesKeysThatAreNotKnownBeforehand() throws {
        let key = "a\"b\\\n\u{2028}é"
        var writer = JSONWriter()
        writer.object { object in
            object.key(key)
            object.array { $0.integer(1) }
            object.key("plain")
            object.null()
        }
        #expect(text(writer.bytes) == #"{"a\"b\\\n\u2028é":[1],"plain":null}"#)
        #expect(try JSONReader.parse(writer.bytes)[key] == [1])
    }

    @Test func endsMessagesWithANewline() {
        var writer = JSONWriter(reservingCapacity: 1)
        for number in 1...3 {
            writer.object { $0.member("n", number) }
            writer.newline()
        }
        #expect(text(writer.bytes) == "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n")
    }

    @Test func startsAfreshOnceTaken() {
        var writer = JSONWriter()
        writer.integer(1)
        #expect(text(writer.take()) == "1")
        #expect(writer.bytes.isEmpty)
        writer.integer(2)
        #expect(text(writer.take()) == "2")
        #expect(writer.take().isEmpty)
    }

    @Test func growsFromNothing() {
        var writer = JSONWriter(reservingCapacity: 0)
        let string = String(repeating: "x\n", count: 10_000)
        writer.array {
            $0.string(string)
            $0.string(string)
        }
        #expect(parseError(writer.bytes) == nil)
        #expect(writer.bytes.count == 2 * (3 * 10_000 + 2) + 3)
    }
}
