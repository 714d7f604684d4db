import ParleyTestSupport
import Testing

@testable import ParleyModels

@Suite("HTTP deadlines")
struct HTTPDeadlinesTests {
    @Test("They come due in order, whatever was set, moved and removed before", arguments: 0..<20)
    func matchesModel(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var deadlines = HTTPDeadlines<Int>()
        var model: [Int: UInt64] = [:]
        for _ in 0..<2000 {
            let key = Int.random(in: 0..<64, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                deadlines.remove(key)
                model[key] = nil
            case 1:
                let now = UInt64.random(in: 0..<1000, using: &random)
                let due = deadlines.popDue(now)
                #expect((due == nil) == !model.values.contains { $0 <= now })
                if let due {
                    #expect(model[due] == model.values.min())
                    model[due] = nil
                }
            default:
                let time = UInt64.random(in: 0..<1000, using: &random)
                deadlines.set(key, to: time)
                model[key] = time
            }
            #expect(deadlines.earliest == model.values.min())
        }
    }
}
