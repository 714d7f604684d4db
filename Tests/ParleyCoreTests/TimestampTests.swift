import ParleyCore
import ParleyTestSupport
import Testing

struct TimestampTests {
    @Test func whatIsWrittenIsRead() {
        var chance = SeededGenerator(seed: 7)
        // The years that are written with four digits.
        let range: ClosedRange<Int64> = -62_167_219_200_000...253_402_300_799_999
        let edges = [range.lowerBound, -1, 0, 951_782_400_000, 1_709_164_800_000, 4_107_542_400_000, range.upperBound]
        for milliseconds in edges + (0..<10_000).map({ _ in Int64.random(in: range, using: &chance) }) {
            let moment = Timestamp(milliseconds: milliseconds)
            #expect(Timestamp(rfc3339: moment.rfc3339) == moment, "\(moment.rfc3339)")
        }
    }

    @Test(arguments: [
        "", "2026", "2026-11-23T14:45:00Z", "2026-11-23T14:45:00.25Z", "2026-11-23T14:45:00.250z", "2026-11-23t14:45:00.250Z",
        "2026-11-23 14:45:00.250Z", "2026-11-23T14:45:00.250+00:00", "2026-02-29T00:00:00.000Z", "2100-02-29T00:00:00.000Z",
        "2026-04-31T00:00:00.000Z", "2026-00-01T00:00:00.000Z", "2026-13-01T00:00:00.000Z", "2026-01-00T00:00:00.000Z",
        "2026-01-01T24:00:00.000Z", "2026-01-01T00:60:00.000Z", "2026-01-01T00:00:60.000Z", "2026-01-01T00:00:00.-01Z",
        "+026-01-01T00:00:00.000Z", "２026-01-01T00:00:00.000", "2026-01-01T00:00:00.000\u{0}",
    ])
    func nothingElseIs(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }
}
