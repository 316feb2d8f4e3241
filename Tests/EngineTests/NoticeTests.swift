import Core
import Foundation
import Logging
import SimulatedDriver
import Synchronization
import TestSupport
import Testing

@testable import Engine
@testable import SQLStore

extension Logger {
  static let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
}

@Suite("Owners of accounts are told what happens to them, each thing once")
struct NoticeTests {
  private static func service() async throws -> (TestService, Mailbox, NoticeSender) {
    let service = try await TestService(options: BillingTests.instant)
    try await service.store.setNotices(areWritten: true)
    await service.billing.pollOnce()
    let mailbox = Mailbox()
    return (service, mailbox, service.sender(to: mailbox))
  }

  @Test("Where nothing is configured nothing is written, and what waits when it is turned off is forgotten")
  func off() async throws {
    let service = try await TestService(options: BillingTests.instant)
    await service.billing.pollOnce()
    let (caller, _) = try await service.newCaller(credit: Money(microunits: 5_000))
    _ = try await service.activeServer(of: caller)
    await service.watch.pollOnce()
    try await service.pass(.seconds(3600))
    #expect(try await service.noticeCount() == 0)
    try await service.store.setNotices(areWritten: true)
    try await service.pay(10_000, caller)
    #expect(try await service.noticeCount() == 1)
    try await service.store.setNotices(areWritten: false)
    #expect(try await service.noticeCount() == 0)
  }

  @Test("Credit that lasts for less than 72, 24 and 1 hours is told once each, and again after a payment")
  func creditLow() async throws {
    let (service, mailbox, sender) = try await Self.service()
    let (caller, _) = try await service.newCaller(credit: Money(microunits: 75 * 5_000))
    _ = try await service.activeServer(of: caller)
    var told: [(hour: Int, level: Int?)] = []
    for hour in 1...75 {
      await service.watch.pollOnce()
      await service.watch.pollOnce()
      await sender.pollOnce()
      told += mailbox.empty().filter { $0.notice.kind == .creditLow }.map { (hour, $0.notice.facts.hoursLeft) }
      try await service.pass(.seconds(3600))
    }
    #expect(told.map(\.level) == [72, 24, 1])
    #expect(told.map(\.hour) == [4, 52, 75])
    // Out of credit it is suspended, and that is told. A payment that does not last brings the first word of it again.
    try await service.pay(10 * 5_000, caller)
    await service.watch.pollOnce()
    await sender.pollOnce()
    let letters = mailbox.empty()
    #expect(letters.map(\.notice.kind) == [.accountSuspended, .accountResumed, .creditLow])
    #expect(letters.last?.notice.facts.hoursLeft == 24)
    #expect(letters.allSatisfy { $0.account == caller.accountID })
    let text = try #require(letters.last?.text)
    #expect(text.contains(" 0.005 EUR an hour"), "\(text)")
  }

  @Test("Servers that come and go near the limit bring no second word of it within a day")
  func noFlapping() async throws {
    let (service, mailbox, sender) = try await Self.service()
    let (caller, _) = try await service.newCaller(credit: Money(microunits: 100 * 5_000))
    _ = try await service.activeServer(of: caller)
    for _ in 0..<5 {
      let second = try await service.activeServer(of: caller)
      await service.watch.pollOnce()
      try await service.servers.delete(second, caller)
      try await service.settle()
      await service.watch.pollOnce()
      service.clock.advance(by: .seconds(600))
    }
    await sender.pollOnce()
    #expect(mailbox.kinds == [.creditLow])
  }

  @Test(
    "Out of credit: suspension with the day of deletion, 7 days and 1 day before it, and what was deleted; in the account's language"
  )
  func deletion() async throws {
    let (service, mailbox, sender) = try await Self.service()
    let (caller, _) = try await service.newCaller(credit: Money(microunits: 5_000))
    #expect(
      try await service.store.updateProfile(
        of: caller.accountID, ProfileChange(language: .bulgarian), at: service.clock.now))
    let id = try await service.activeServer(of: caller)
    try await service.pass(.seconds(3600))
    var told: [(day: Int, kind: Notice.Kind)] = []
    for day in 0...31 {
      await service.watch.pollOnce()
      await sender.pollOnce()
      try await service.pass(.seconds(3600))
      service.clock.advance(by: .seconds(61))
      await service.watch.pollOnce()
      await sender.pollOnce()
      for letter in mailbox.empty() {
        told.append((day, letter.notice.kind))
        #expect(letter.language == .bulgarian && letter.text.hasPrefix("Здравейте,\n\n"))
        if letter.notice.kind == .serversDeleted {
          #expect(letter.notice.facts.entries == ["web-1 (\(id))"])
        } else {
          #expect(letter.text.contains("2025-02-15 ") == true, "\(letter.text)")
        }
      }
      try await service.pass(.seconds(22 * 3600))
      service.clock.advance(by: .seconds(3600 - 61))
    }
    #expect(told.map(\.kind) == [.accountSuspended, .deletionNear, .deletionNear, .serversDeleted])
    #expect(told.map(\.day) == [0, 23, 29, 30])
    #expect(try await service.leftovers() == [])
  }

  @Test("What the operator suspends and resumes is told once, with the reason")
  func byOperator() async throws {
    let (service, mailbox, sender) = try await Self.service()
    let id = try await service.activeServer()
    let email = try #require(try await service.email(of: service.owner))
    for reason in ["Abuse.", "Abuse.", nil, nil] {
      #expect(try await service.store.suspend(accountOf: email, because: reason, at: service.clock.now))
    }
    for reason in ["Spam\nBcc: eve@example.com", "Spam.", nil] {
      #expect(try await service.store.suspend(server: id, because: reason, at: service.clock.now))
    }
    await sender.pollOnce()
    #expect(mailbox.kinds == [.accountSuspended, .accountResumed])
    #expect(mailbox.letters[0].text.contains("The operator says: Abuse."))
    #expect(mailbox.letters[1].text.contains("Its servers become what they were."))
    service.clock.advance(by: .seconds(60))
    await sender.pollOnce()
    #expect(mailbox.kinds.suffix(2) == [.serversSuspended, .serversResumed])
    #expect(mailbox.letters[2].text.contains("\n- web-1 (\(id)): Spam\\nBcc: eve@example.com\n"))
  }

  @Test("One who is suspended for both causes reads which one is left")
  func bothCauses() async throws {
    let (service, mailbox, sender) = try await Self.service()
    let (caller, _) = try await service.newCaller(credit: Money(microunits: 5_000))
    _ = try await service.activeServer(of: caller)
    try await service.pass(.seconds(3600))
    let email = try #require(try await service.email(of: caller))
    _ = try await service.store.suspend(accountOf: email, because: "", at: service.clock.now)
    _ = try await service.store.suspend(accountOf: email, because: nil, at: service.clock.now)
    await sender.pollOnce()
    #expect(mailbox.kinds == [.accountSuspended, .accountSuspended, .accountResumed])
    #expect(mailbox.letters[1].notice.facts.cause == .operator)
    #expect(mailbox.letters[2].text.contains("But it is out of credit"))
  }

  @Test("Servers in error and backups that fail are told, a minute later, with their reasons")
  func failures() async throws {
    let (service, mailbox, sender) = try await Self.service()
    let id = try await service.activeServer()
    service.driver.inject(Fault(in: .ensureCopied, .fail(DriverError(.rejected, "no")), times: nil))
    _ = try await service.backup(of: id)
    _ = try await service.snapshots.create(DiskCopies.Draft(server: .id(id), name: "one"), service.owner)
    try await service.settle()
    service.driver.inject(Fault(in: .prepareImage, .fail(DriverError(.rejected, "no such image")), times: nil))
    let broken = try await service.servers.create(service.draft(name: "broken"), service.owner).view.server.id
    try await service.settle()
    #expect(try await service.status(of: broken) == .error)
    service.clock.advance(by: .seconds(60))
    await sender.pollOnce()
    #expect(Set(mailbox.kinds) == [.backupsFailed, .serversFailed] && mailbox.letters.count == 2)
    let byKind = Dictionary(uniqueKeysWithValues: mailbox.letters.map { ($0.notice.kind, $0) })
    #expect(byKind[.backupsFailed]?.notice.facts.entries.first?.hasPrefix("web-1 (\(id)): ") == true)
    #expect(byKind[.backupsFailed]?.notice.facts.entryCount == 1)
    #expect(byKind[.serversFailed]?.notice.facts.entries.first?.hasPrefix("broken (\(broken)): ") == true)
  }

  @Test("However many servers fail, there is one notice an hour, with the first twenty and the number of all")
  func quota() async throws {
    let (service, mailbox, sender) = try await Self.service()
    let id = try await service.activeServer()
    try await service.database.multiply(id, count: 1_001)
    let all = try await service.database.read { database in
      try database.rows("SELECT id FROM server ORDER BY id") { row in try row.next(ID<Server>.self) }
    }
    let start = service.clock.now
    for (number, id) in all.enumerated() {
      let now = start + .seconds(number)
      _ = try await service.database.write { database in
        try database.setStatus(.error, reason: "It broke.", of: id, at: now)
        try database.setStatus(.error, reason: "It broke again.", of: id, at: now)
      }
    }
    #expect(try await service.noticeCount() == 1)
    service.clock.advance(by: .seconds(60))
    await sender.pollOnce()
    let facts = try #require(mailbox.letters.first).notice.facts
    #expect(mailbox.letters.count == 1 && facts.entries.count == 20 && facts.entryCount == all.count)
    #expect(mailbox.letters[0].text.contains("- and \(all.count - 20) more"))
    #expect(mailbox.letters[0].text.utf8.count < 10_000)
    // What fails afterwards waits until an hour has passed.
    for id in all.prefix(30) {
      let now = service.clock.now
      _ = try await service.database.write { database in
        try database.setStatus(.stopped, of: id, at: now)
        try database.setStatus(.error, reason: nil, of: id, at: now)
      }
    }
    service.clock.advance(by: .seconds(3_500))
    await sender.pollOnce()
    #expect(mailbox.letters.count == 1)
    service.clock.advance(by: .seconds(100))
    await sender.pollOnce()
    #expect(mailbox.letters.count == 2)
  }
}
