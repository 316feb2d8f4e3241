import Core
import Foundation
import Logging
import SQLStore
import TestSupport
import Testing

@testable import vpsd

@Suite("The state is copied on a schedule")
struct StateBackupsTests {
  private struct Setup {
    let folder: ScopedFolder
    let clock: ManualClock
    let store: SQLStore
    let data: DataDirectory
    let installation = UUID(uuidString: "9F0C1E52-0A64-4C5E-9F6E-0D3B5A3F7C11")!

    init() async throws {
      folder = try ScopedFolder()
      clock = ManualClock(now: Timestamp(millisecondsSinceEpoch: 1_764_212_400_500))
      data = DataDirectory(folder.url.appendingPathComponent("data"))
      try data.ensureExists()
      store = try SQLStore(path: data.database)
      _ = try await FirstStart(store: store, directory: data, clock: clock).run()
      _ = try await data.installationKey(for: store)
    }

    var backups: String { folder.url.path + "/mounted/backups" }

    func service(keep: Int = 3) -> StateBackups {
      StateBackups(
        copy: StateCopy(store: store, directory: data),
        folder: StateBackupFolder(path: backups, installation: installation), every: .seconds(6 * 3600),
        keptCount: keep, clock: clock, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: backups).sorted() }
  }

  private func name(_ time: String) -> String { "vpsd-9f0c1e52-\(time)Z.sqlite" }

  @Test("One is made when it is due, whole, with its key, and for its owner alone")
  func due() async throws {
    let setup = try await Setup()
    let service = setup.service()
    #expect(await service.pollOnce() == StateBackups.interval)
    let first = name("20251127T030000")
    #expect(try setup.names() == [first, first + ".key"])
    for name in try setup.names() {
      let mode = try FileManager.default.attributesOfItem(atPath: setup.backups + "/" + name)[.posixPermissions] as? Int
      #expect(mode == 0o600)
    }
    let folder = try FileManager.default.attributesOfItem(atPath: setup.backups)[.posixPermissions] as? Int
    #expect(folder == 0o700)
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: setup.backups + "/\(first).key"))
        == Data(contentsOf: URL(fileURLWithPath: setup.data.secretKey)))
    setup.clock.advance(by: .seconds(6 * 3600 - 2))
    // Another process, which knows nothing but the folder.
    _ = await setup.service().pollOnce()
    #expect(try setup.names().count == 2)
    setup.clock.advance(by: .seconds(2))
    _ = await service.pollOnce()
    #expect(try setup.names().filter { !$0.hasSuffix(".key") } == [first, name("20251127T090000")])
    try await SQLStore.requireServable(setup.backups + "/" + first)
  }

  @Test("The oldest ones go, with their keys; what is not ours stays, and so does what is whole when a new one is not")
  func pruned() async throws {
    let setup = try await Setup()
    let service = setup.service()
    _ = await service.pollOnce()
    let strange = ["vpsd-00000000-20200101T000000Z.sqlite", "vpsd-9f0c1e52-notes.sqlite", "holiday.jpg"]
    for name in strange + ["vpsd-9f0c1e52-new", "vpsd-9f0c1e52-new.key"] {
      try Data("x".utf8).write(to: URL(fileURLWithPath: setup.backups + "/" + name))
    }
    for _ in 1...4 {
      setup.clock.advance(by: .seconds(6 * 3600))
      _ = await service.pollOnce()
    }
    let kept = ["20251127T150000", "20251127T210000", "20251128T030000"].map(name)
    #expect(try setup.names() == (strange + kept + kept.map { $0 + ".key" }).sorted())
    // A folder that others may write is not trusted, and one that is not there any more is made again.
    chmod(setup.backups, 0o777)
    setup.clock.advance(by: .seconds(6 * 3600))
    #expect(await service.pollOnce() == StateBackups.retryInterval)
    #expect(try setup.names() == (strange + kept + kept.map { $0 + ".key" }).sorted())
    try FileManager.default.removeItem(atPath: setup.backups)
    try Data().write(to: URL(fileURLWithPath: setup.backups))
    #expect(await service.pollOnce() == StateBackups.retryInterval)
    unlink(setup.backups)
    #expect(await service.pollOnce() == StateBackups.interval)
    #expect(try setup.names().count == 2)
  }

  @Test("A clock that is set back makes one copy, and no more until the next is due")
  func clock() async throws {
    let setup = try await Setup()
    let future = setup.service().folder.file(of: setup.clock.now + .seconds(86_400))
    try setup.service().folder.ensureExists()
    try Data().write(to: URL(fileURLWithPath: future))
    for _ in 1...3 { _ = await setup.service().pollOnce() }
    #expect(try setup.names().count == 3)
  }

  @Test("Copies of a later time never push out the one that is made now, which is made once")
  func laterCopies() async throws {
    let setup = try await Setup()
    let service = setup.service(keep: 3)
    try service.folder.ensureExists()
    let later = (1...3).map { service.folder.file(of: setup.clock.now + .seconds(86_400 * $0)) }
    for file in later { try Data().write(to: URL(fileURLWithPath: file)) }
    let made = service.folder.file(of: setup.clock.now)
    _ = await service.pollOnce()
    let names = try setup.names()
    #expect(names.count == 4 && FileManager.default.fileExists(atPath: made + ".key"))
    setup.clock.advance(by: .seconds(60))
    _ = await service.pollOnce()
    #expect(try setup.names() == names)
    // In the end only those are kept that are made now.
    for _ in 1...2 {
      setup.clock.advance(by: .seconds(6 * 3600))
      _ = await service.pollOnce()
    }
    #expect(try setup.names().count == 6 && later.allSatisfy { !FileManager.default.fileExists(atPath: $0) })
    try await SQLStore.requireServable(made)
  }

  @Test("The program does it by its configuration, and the doctor tells when it does not any more")
  func program() async throws {
    let folder = try ScopedFolder()
    let backups = folder.url.path + "/backups"
    let someone = try Operator(["VPSD_STATE_BACKUPS_DIRECTORY": backups, "VPSD_STATE_BACKUPS_EVERY": "6h"])
    _ = try someone.serve()
    try await someone.whenLogged("the state was copied")
    _ = try someone.endService()
    let names = try FileManager.default.contentsOfDirectory(atPath: backups).sorted()
    let copy = try #require(names.first)
    #expect(names == [copy, copy + ".key"])
    func finding() throws -> String? {
      try someone.run("doctor", "--json").output.split(separator: "\n").first { $0.contains(#""backups""#) }.map(
        String.init)
    }
    #expect(try finding() == nil)
    let restored = try someone.run("restore-state", backups + "/" + copy)
    #expect(restored.status == 0, "\(restored.all)")
    let old = copy.prefix(14) + "20251127T030000Z.sqlite"
    try FileManager.default.moveItem(atPath: backups + "/" + copy, toPath: backups + "/" + old)
    #expect(try finding()?.contains("days old") == true)
    // One of another time, as a clock that is set back leaves it, is none.
    try FileManager.default.moveItem(
      atPath: backups + "/" + old, toPath: "\(backups)/\(copy.prefix(14))29991127T030000Z.sqlite")
    #expect(try finding()?.contains("no copy of the state") == true)
  }

  @Test("Only what can be kept to is taken")
  func settings() throws {
    for (text, minutes) in [("5m", 5), ("90m", 90), ("6h", 360), ("1d", 1440), ("366d", 527_040)] {
      #expect(StateBackupSettings.minutes(text) == minutes)
      #expect(StateBackupSettings.minutes(StateBackupSettings.text(minutes: minutes)) == minutes)
    }
    for text in ["", "m", "4m", "0h", "367d", "1w", "-1d", "1.5h", " 1h", "99999d", "1D", "١h"] {
      #expect(StateBackupSettings.minutes(text) == nil, "\(text)")
    }
    let postgresql = ["VPSD_DATABASE": "postgresql://vpsd@db.example.com/vpsd", "VPSD_STATE_BACKUPS_DIRECTORY": "/srv"]
    let error = #expect(throws: ConfigurationError.self) { try ConfigurationTests.load(environment: postgresql) }
    #expect(error.map { "\($0)" }?.contains("pg_dump") == true)
  }
}
