import Testing

@testable import ParleySQLite

/// The clock of retention, whatever becomes of the wall clock.
@Suite struct RetentionClockTests {
    private static let hour: Int64 = 3_600_000
    private static let day: Int64 = 24 * hour
    /// Where the clock stands at the first: by the wall clock, an hour after the start of the machine.
    private static let base = 20_000 * day
    private let clock = RetentionClock(time: base, wall: base, monotonic: hour, boot: 1)

    @Test(arguments: [-Self.base, -Self.day, 0, Self.day, 36_500 * Self.day])
    func whileTheMachineRunsNoStepOfTheWallClockCounts(step: Int64) {
        let stepped = clock.advanced(wall: Self.base + Self.hour + step, monotonic: 2 * Self.hour, boot: 1)
        #expect(stepped.time == Self.base + Self.hour && stepped.behind == 0)
        let back = stepped.advanced(wall: Self.base + 2 * Self.hour, monotonic: 3 * Self.hour, boot: 1)
        #expect(back.time == Self.base + 2 * Self.hour && back.behind == 0)
    }

    @Test func timeInWhichTheMachineWasOffIsCaughtUpWith() {
        var clock = clock.advanced(wall: Self.base + 60 * Self.day, monotonic: 0, boot: 2)
        #expect(clock.time == Self.base + Self.day && clock.moment == Self.base + 60 * Self.day)
        for hour in 1...60 as ClosedRange<Int64> {
            clock = clock.advanced(wall: Self.base + 60 * Self.day + hour * Self.hour, monotonic: hour * Self.hour, boot: 2)
            #expect(clock.moment == Self.base + 60 * Self.day + hour * Self.hour)
            #expect(clock.time == min(clock.moment, Self.base + Self.day + 25 * hour * Self.hour))
        }
        #expect(clock.behind == 0)
    }

    @Test func aClockThatWasAheadAtTheStartIsCorrected() {
        let ahead = clock.advanced(wall: Self.base + 3_650 * Self.day, monotonic: 0, boot: 2)
        let right = ahead.advanced(wall: Self.base + 2 * Self.day, monotonic: Self.hour, boot: 2)
        #expect(right.moment == Self.base + 2 * Self.day && right.wall == Self.base + 2 * Self.day)
    }

    @Test func aClockThatWasBehindTakesNothingBack() {
        let unset = clock.advanced(wall: 1_000, monotonic: 0, boot: 2)
        #expect(unset.time == Self.base && unset.behind == 0)
        // The machine is started anew before the clock is put right, then with a clock that is right.
        let right = unset.advanced(wall: Self.base + 2 * Self.day, monotonic: 0, boot: 3)
        #expect(right.moment == Self.base + 2 * Self.day && right.time == Self.base + Self.day)
        // What was still to be caught up with is not lost by a start with a clock that is behind.
        let again = right.advanced(wall: 1_000, monotonic: 0, boot: 4).advanced(wall: right.wall, monotonic: 0, boot: 5)
        #expect(again.moment == right.moment)
    }

    @Test func aMachineWhoseStartsCannotBeToldApart() {
        let clock = RetentionClock(time: Self.base, wall: Self.base, monotonic: 300 * Self.day, boot: 0)
        // A step of the clock counts as little as elsewhere, however long the machine has run.
        let later = clock.advanced(wall: Self.base + 365 * Self.day, monotonic: 300 * Self.day + Self.hour, boot: 0)
        #expect(later.moment == Self.base + Self.hour)
        let restarted = clock.advanced(wall: Self.base + 3 * Self.day, monotonic: Self.hour, boot: 0)
        #expect(restarted.time == Self.base + Self.day && restarted.moment == Self.base + 3 * Self.day)
    }

    @Test func aDatabaseThatIsMovedToAMachineThatHasRunForLong() {
        let moved = clock.advanced(wall: Self.base + Self.hour, monotonic: 300 * Self.day, boot: 9)
        #expect(moved.time == Self.base + Self.hour && moved.behind == 0)
    }
}
