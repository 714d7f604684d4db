/// A seeded source of JSON documents and of damage to them.
struct DocumentSource {
    /// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
    struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    private static let spaces = ["", "", "", " ", "\n", "\r\n", "\t  "]
    private static let numbers = [
        "0", "-0", "1", "-1", "42", "0.0", "-0.5", "1e3", "1E-3", "2.5e+2", "123456789012", "9223372036854775807", "-9223372036854775808",
        "1e15",
        "0.1", "3.14159", "100", "-12.75e-1",
    ]
    private static let pieces = [
        "a", "key", " ", "x", "plain text", "é", "日本", "\u{1F600}", "\u{2028}", "“", #"\n"#, #"\""#, #"\\"#, #"\/"#, #"\u0041"#, #"\u00e9"#,
        #"\ud83d\ude00"#, #"\u2029"#, #"\u0000"#, "{", "]", ",", ":", "0123456789abcdef",
    ]
    private static let damage: [[UInt8]] =
        [
            "\"", "\\", "{", "}", "[", "]", ",", ":", "0", "1", "-", "+", ".", "e", "n", "null", "true", " ", "\n", "\u{0}", "\u{1F}",
            "\u{FEFF}", "é",
            #"\u"#, #"\uD800"#, #"\uDC00"#, "/", "'", "NaN",
        ].map { Array($0.utf8) } + [
            [0x80], [0xC0], [0xC3], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF0, 0x9F], [0xF4, 0x90, 0x80, 0x80], [0xFF],
        ]

    var generator: Generator

    init(seed: UInt64) {
        generator = Generator(state: seed)
    }

    /// A valid document.
    mutating func document() -> String {
        space() + value(depth: 0) + space()
    }

    /// Puts in, takes out, overwrites, doubles or cuts off something.
    mutating func mutate(_ bytes: inout [UInt8]) {
        let start = Int.random(in: 0...bytes.count, using: &generator)
        let end = min(bytes.count, start + Int.random(in: 0...3, using: &generator))
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: bytes.insert(contentsOf: pick(Self.damage), at: start)
        case 1: bytes.removeSubrange(start..<end)
        case 2: bytes.replaceSubrange(start..<end, with: pick(Self.damage))
        case 3: bytes.insert(contentsOf: bytes[start..<end], at: start)
        case 4: bytes.removeSubrange(start...)
        default: if start < bytes.count { bytes[start] = UInt8.random(in: 0...255, using: &generator) }
        }
    }

    private mutating func value(depth: Int) -> String {
        switch Int.random(in: depth < 4 ? 0..<9 : 0..<5, using: &generator) {
        case 0: "null"
        case 1: Bool.random(using: &generator) ? "true" : "false"
        case 2: pick(Self.numbers)
        case 3, 4: string()
        case 5, 6: container("[", "]") { $0.value(depth: depth + 1) }
        default:
            container("{", "}") { source in
                let key = source.string() + source.space()
                return key + ":" + source.space() + source.value(depth: depth + 1)
            }
        }
    }

    private mutating func container(_ begin: String, _ end: String, member: (inout Self) -> String) -> String {
        var text = begin + space()
        for number in 0..<Int.random(in: 0...4, using: &generator) {
            text += (number == 0 ? "" : "," + space()) + member(&self) + space()
        }
        return text + end
    }

    private mutating func string() -> String {
        var text = "\""
        for _ in 0..<Int.random(in: 0...4, using: &generator) {
            text += pick(Self.pieces)
        }
        return text + "\""
    }

    private mutating func space() -> String {
        pick(Self.spaces)
    }

    private mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: elements.indices, using: &generator)]
    }
}
