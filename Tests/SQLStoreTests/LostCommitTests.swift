import Core
import Synchronization
import TestSupport
import Testing

@testable import SQLStore

/// A connection that ends between the word to commit and its answer.
@Suite(.serialized) struct LostCommitTests {
  /// How often something was carried out.
  private final class Count: Sendable {
    private let number = Atomic(0)

    var value: Int { number.load(ordering: .relaxed) }
    func add() { number.add(1, ordering: .relaxed) }
  }

  private static func write(_ key: String, _ store: SQLStore, _ tries: Count = Count()) async throws {
    try await store.write { connection in
      tries.add()
      try connection.run("INSERT INTO setting (key, value) VALUES (?, '')", [key])
    }
  }

  private static func count(_ database: TestPostgreSQL.Database) throws -> String? {
    try RawPostgreSQL(database.url).rows("SELECT COUNT(*) FROM setting WHERE key LIKE 'test%'")[0][0]
  }

  @Test("What is committed is carried out once, whether the server had made it or not", arguments: [true, false])
  func once(isMade: Bool) async throws {
    let database = try await TestPostgreSQL.Database()
    let proxy = try CuttingProxy(to: database.url, deliversCommit: isMade)
    let address = try #require(PostgreSQLAddress(proxy.url(of: database.name)))
    let store = try await SQLStore.open(.server(address), .asItIs)
    try await Self.write("test 0", store)
    proxy.cutNextCommit()
    let tries = Count()
    try await Self.write("test 1", store, tries)
    #expect(proxy.cutCount == 1)
    #expect(tries.value == (isMade ? 1 : 2))
    #expect(try Self.count(database) == "2")
    try await Self.write("test 2", store)
  }

  /// That server may have given the number of the transaction to another one, which is then what is committed.
  @Test("What a server says that has crashed meanwhile, or was a standby, is not believed, and nothing is done twice")
  func otherLife() async throws {
    let database = try await TestPostgreSQL.Database()
    let proxy = try CuttingProxy(to: database.url, deliversCommit: true) {
      // As a crash does it.
      try? database.administer("SELECT pg_stat_reset_shared('bgwriter')")
    }
    let address = try #require(PostgreSQLAddress(proxy.url(of: database.name)))
    let store = try await SQLStore.open(.server(address), .asItIs)
    try await Self.write("test 0", store)
    proxy.cutNextCommit()
    let tries = Count()
    await #expect(throws: StoreUnavailable.self) { try await Self.write("test 1", store, tries) }
    #expect(proxy.cutCount == 1)
    #expect(tries.value == 1)
    try await Self.write("test 2", store)
    #expect(try Self.count(database) == "3")
  }

  @Test("A transaction that the server has never heard of is not committed")
  func unheardOf() async throws {
    let database = try await TestPostgreSQL.Database()
    let connection = try PostgreSQLConnection(database.address)
    #expect(try PostgreSQLWriter.status(of: "4000000000", on: connection) == "aborted")
  }
}
