import Testing

@testable import ParleySQLite

@Suite struct OwnerLocksTests {
    let database: TemporaryDatabase
    let mine: OwnerLocks

    init() throws {
        database = try TemporaryDatabase()
        mine = try OwnerLocks(path: database.path + "-hosts")
    }

    @Test func bytesAreHeldByOneFileEach() throws {
        let other = try OwnerLocks(path: database.path + "-hosts")
        #expect(try mine.lock(3) && mine.lock(3))
        #expect(try !other.lock(3) && other.lock(4))
        #expect(try other.isHeld(3) && !other.isHeld(4) && mine.isHeld(4) && !mine.isHeld(5))
        #expect(try mine.isAnyHostHeld() && other.isAnyHostHeld())
        mine.unlock(3)
        #expect(try !other.isHeld(3) && !other.isAnyHostHeld() && other.lock(3))
        other.unlockAll()
        #expect(try !mine.isAnyHostHeld())
    }

    @Test func theOpeningByteIsNoHosts() throws {
        let other = try OwnerLocks(path: database.path + "-hosts")
        #expect(try mine.lock(OwnerLocks.openingByte))
        #expect(try !other.isAnyHostHeld())
        #expect(try !other.lock(OwnerLocks.openingByte, waitingAtMost: .milliseconds(20)))
    }

    @Test func aLockGoesWithItsFile() throws {
        var other: OwnerLocks? = try OwnerLocks(path: database.path + "-hosts")
        #expect(try other?.lock(1 << 40) == true)
        #expect(try mine.isHeld(1 << 40))
        other = nil
        #expect(try !mine.isHeld(1 << 40))
    }
}
