import JSON
import ParleyTranscripts
import Testing

struct ComparisonTests {
    private static func parse(_ text: String) throws -> JSONValue { try JSONReader.parse(Array(text.utf8)) }

    @Test(arguments: [
        // Objects may have more members, at every depth; arrays may not have more elements.
        (#"{}"#, #"{"a":1}"#, nil),
        (#"{"b":{"c":[{"d":null}]}}"#, #"{"a":1,"b":{"c":[{"e":2,"d":null}],"f":3}}"#, nil),
        (#"{"a":1,"b":2}"#, #"{"b":2,"a":1}"#, nil),
        (#"{"a":{"b":1}}"#, #"{"a":{"b":2}}"#, "a.b: expected 1, got 2"),
        (#"{"a":1}"#, #"{"b":1}"#, "a: expected 1, got nothing"),
        (#"{"a":null}"#, #"{}"#, "a: expected null, got nothing"),
        (#"{"a":[1,{"odd key":2}]}"#, #"{"a":[1,{"odd key":3}]}"#, #"a[1]["odd key"]: expected 2, got 3"#),
        (#"{"a":[1]}"#, #"{"a":[1,2]}"#, "a: expected 1 element, got 2"),
        (#"{"a":[1,2]}"#, #"{"a":[2]}"#, "a[0]: expected 1, got 2"),
        (#"{"a":"x"}"#, #"{"a":["x"]}"#, #"a: expected "x", got ["x"]"#),
        ("[]", "{}", "expected [], got {}"),
        // Numbers are the same when they are written alike.
        ("1", "1.0", "expected 1, got 1.0"),
        // A name stands for the same value from then on.
        (#"["${x}","${x}"]"#, #"["a","a"]"#, nil),
        (#"["${x}","${x}"]"#, #"["a","b"]"#, #"[1]: expected "${x}" ("a"), got "b""#),
        (#"["${x}","${x}"]"#, #"[{"a":1},{"a":1}]"#, nil),
        (#"["${x}","${y}"]"#, #"["a","b"]"#, nil),
        (#"["${_}","${_}"]"#, #"[1,{"a":2}]"#, nil),
        // Within a text it stands for some of it.
        (#"["${x}","see ${x}!"]"#, #"["a","see a!"]"#, nil),
        (#"["see ${x}!","${x}"]"#, #"["see äö!","äö"]"#, nil),
        (#"["${a}-${b}-${b}"]"#, #"["1-2-3-3"]"#, nil),
        (#"["2026-${_}Z"]"#, #"["2026-01-01Z"]"#, nil),
        (#"["see ${x}"]"#, #"["see "]"#, #"[0]: expected "see ${x}", got "see ""#),
        (#"["see ${x}"]"#, #"[1]"#, #"[0]: expected "see ${x}", got 1"#),
        (#"["${n}","n=${n}"]"#, #"[7,"n=7"]"#, nil),
        // What is no capture is text.
        (#"["$${x}","${}","${a b}","$x","${"]"#, #"["${x}","${}","${a b}","$x","${"]"#, nil),
        (#"["$${x}"]"#, #"["a"]"#, #"[0]: expected "$${x}", got "a""#),
    ])
    func subset(expected: String, actual: String, mismatch: String?) throws {
        var comparison = Comparison()
        let found = comparison.mismatch(try Self.parse(expected), try Self.parse(actual), isExact: false)
        #expect(found?.description == mismatch)
    }

    @Test(arguments: [
        (#"{"a":{"b":1}}"#, #"{"a":{"b":1}}"#, nil),
        (#"{"a":{"b":1}}"#, #"{"a":{"b":1,"c":"x"}}"#, #"a.c: expected nothing, got "x""#),
        (#"{"a":"${x}"}"#, #"{"a":{"b":1}}"#, nil),
    ])
    func exact(expected: String, actual: String, mismatch: String?) throws {
        var comparison = Comparison()
        let found = comparison.mismatch(try Self.parse(expected), try Self.parse(actual), isExact: true)
        #expect(found?.description == mismatch)
    }

    @Test func whatDoesNotFitCapturesNothing() throws {
        var comparison = Comparison()
        #expect(comparison.mismatch(["${x}", 1], ["a", 2], isExact: false) != nil)
        #expect(comparison.captures["x"] == nil)
        #expect(comparison.mismatch(["${x}", 1], ["b", 1], isExact: false) == nil)
        #expect(comparison.captures["x"] == "b")
    }

    @Test(arguments: [
        (#"{"a":"${s}"}"#, #"{"a":"q\"q"}"#),
        (#"{"a":"see ${s}, ${n}"}"#, #"{"a":"see q\"q, 5"}"#),
        (#"{"a":"${n}","b":"${o}"}"#, #"{"a":5,"b":{"c":"d"}}"#),
        (#"{"a":"is ${o}"}"#, #"{"a":"is {\"c\":\"d\"}"}"#),
        (#"{"a":${n},"b":"\"${n}\""}"#, #"{"a":5,"b":"\"5\""}"#),
        (#"{"a":"$${s} ${} $"}"#, #"{"a":"${s} ${} $"}"#),
    ])
    func sent(line: String, filled: String) throws {
        var comparison = Comparison()
        #expect(comparison.mismatch(["${s}", "${n}", "${o}"], ["q\"q", 5, ["c": "d"]], isExact: false) == nil)
        #expect(String(decoding: try comparison.captures.filled(Array(line.utf8)), as: UTF8.self) == filled)
    }

    @Test(arguments: ["${a}", "${_}"])
    func sentBeforeItIsKnown(line: String) {
        let unknown = #expect(throws: Captures.Unknown.self) { _ = try Captures().filled(Array(line.utf8)) }
        #expect("${\(unknown?.name ?? "")}" == line)
    }

    @Test(arguments: ["$", "${", "${x}", "$${x}", "$$${x}", "a ${x} b ${_} $${y}", "${}", "$$$$"])
    func literalTextsFitThemselves(text: String) {
        var comparison = Comparison()
        let value: JSONValue = ["a": [.string(text)]]
        #expect(comparison.mismatch(Captures.literal(value), value, isExact: true) == nil)
        #expect(comparison.captures["x"] == nil)
        guard case .array(let elements)? = Captures.literal(value)["a"], case .string(let literal)? = elements.first else { return }
        #expect(comparison.mismatch(.string(literal), .string(text + "."), isExact: true) != nil)
    }
}
