import ParleyCore
import ParleySQLite
import ParleyTestSupport
import Testing

@Suite struct ContractTests {
    @Test(arguments: StoreContract.all) func memory(_ clause: StoreContract) async throws {
        let store = try SQLiteStore.open(.test(.memory, quotas: clause.quotas))
        try await clause.verify(store)
        try await store.close()
    }

    @Test(arguments: StoreContract.all) func file(_ clause: StoreContract) async throws {
        let database = try TemporaryDatabase()
        let store = try database.open(quotas: clause.quotas)
        try await clause.verify(store)
        try await store.close()
        #expect(SQLiteStore.check(path: database.path) == [])
    }
}
