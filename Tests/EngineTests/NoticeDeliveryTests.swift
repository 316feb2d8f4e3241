import Core
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Engine
@testable import SQLStore

@Suite("Every notice is delivered at least once, or given up where somebody sees it")
struct NoticeDeliveryTests {
  private static func tell(_ service: TestService, _ caller: Caller, times: Int = 1) async throws {
    try await service.store.setNotices(areWritten: true)
    let email = try #require(try await service.email(of: caller))
    for _ in 0..<times {
      _ = try await service.store.suspend(accountOf: email, because: "Abuse.", at: service.clock.now)
      _ = try await service.store.suspend(accountOf: email, because: nil, at: service.clock.now)
    }
  }

  @Test("A process that dies after it was sent and before that is written down sends it again, the same one")
  func death() async throws {
    let service = try await TestService()
    try await Self.tell(service, service.owner)
    let claimed = try #require(try await service.store.claimNotices(limit: 8, at: service.clock.now).first)
    // It was sent, and nobody has written that down. Nobody else takes it meanwhile, nor another one of its account.
    #expect(try await service.store.claimNotices(limit: 8, at: service.clock.now) == [])
    let next = try await TestService(after: service)
    try await next.store.releaseNotices()
    let mailbox = Mailbox()
    await next.sender(to: mailbox).pollOnce()
    #expect(mailbox.kinds == [.accountSuspended, .accountResumed])
    #expect(mailbox.letters[0].uuid == claimed.uuid)
    // What the dead one would still have written changes nothing.
    try await next.store.finish(claimed, .givenUp(reason: "late"), at: next.clock.now)
    #expect(try await next.store.notices(.givenUp, before: nil, limit: 10) == [])
    #expect(try await next.store.notices(.delivered, before: nil, limit: 10).count == 2)
  }

  @Test(
    "One of which an answer of the store was lost is sent all the same, by the same process, a minute later",
    arguments: [1, 2])
  func lostAnswer(write: Int) async throws {
    let service = try await TestService()
    try await Self.tell(service, service.owner)
    let database = ForgetfulDatabase(service.database.database)
    let mailbox = Mailbox()
    let sender = NoticeSender(
      store: SQLStore(database: database, tariff: Tariff()), receiver: mailbox, currency: "EUR", clock: service.clock,
      logger: .quiet)
    // The first one claims those that are due, the second says that one was sent.
    database.loseAnswer(ofWrite: write)
    for _ in 1...3 { await sender.pollOnce() }
    let sent = write == 1 ? 0 : 2
    #expect(mailbox.kinds.count == sent)
    service.clock.advance(by: NoticeSender.pauseAfterLoss - .seconds(1))
    await sender.pollOnce()
    #expect(mailbox.kinds.count == sent)
    service.clock.advance(by: .seconds(1))
    for _ in 1...2 { await sender.pollOnce() }
    #expect(try await service.store.notices(.delivered, before: nil, limit: 10).count == 2)
    #expect(Set(mailbox.kinds) == [.accountSuspended, .accountResumed])
  }

  @Test("No link is made for a mail to an address that the account has no more")
  func formerAddress() async throws {
    let service = try await TestService()
    try await service.store.setNotices(areWritten: true)
    let former = try #require(try await service.email(of: service.owner))
    try await service.store.askForLoginLink(
      ofAccount: former, notWithin: .seconds(300), atMostInADay: 10, at: service.clock.now)
    #expect(try await service.noticeCount() == 1)
    let database = ForgetfulDatabase(service.database.database)
    let mailbox = Mailbox()
    let sender = NoticeSender(
      store: SQLStore(database: database, tariff: Tariff()), receiver: mailbox, currency: "EUR",
      panel: "https://vps.example.com", clock: service.clock, logger: .quiet)
    // The first write claims the notice, and the second makes the link.
    database.interrupt(beforeWrite: 2) {
      let isClaimed = try await service.database.read { database in
        try database.value(Bool.self, "SELECT is_claimed FROM notice")
      }
      #expect(isClaimed == true)
      var change = ProfileChange()
      change.email = "new@example.com"
      let isChanged = try await service.store.updateProfile(
        of: service.owner.accountID, change, at: service.clock.now)
      #expect(isChanged)
    }
    await sender.pollOnce()
    #expect(try await service.email(of: service.owner) == "new@example.com")
    #expect(mailbox.letters.isEmpty)
    let links = try await service.database.read { database in
      try database.value(Int.self, "SELECT COUNT(*) FROM login_link")
    }
    #expect(links == 0)
  }

  @Test("One that fails is tried again, later each time, for three days; then it is given up, and shown")
  func retries() async throws {
    let service = try await TestService()
    try await Self.tell(service, service.owner)
    let mailbox = Mailbox()
    let sender = service.sender(to: mailbox)
    let tries = Mutex<[UUID: [Timestamp]]>([:])
    mailbox.beforeEach { letter in tries.withLock { $0[letter.uuid, default: []].append(letter.writtenAt) } }
    mailbox.fail(UndeliveredNotice("mailbox full\u{1B}[2J" + String(repeating: "x", count: 5_000)))
    let start = service.clock.now
    for _ in 0..<(4 * 24 * 6) {
      await sender.pollOnce()
      service.clock.advance(by: .seconds(600))
    }
    let times = try #require(tries.withLock { $0.values.first })
    #expect(times.count == NoticeSender.mostAttempts)
    let pauses = zip(times.dropFirst(), times).map { ($0 - $1).components.seconds }
    #expect(pauses == pauses.sorted() && (pauses.last ?? 0) <= 6 * 3600 + 600)
    let last = try #require(times.last) - start
    #expect(last > .seconds(2 * 86_400) && last < .seconds(4 * 86_400))
    let shown = try await service.store.notices(.givenUp, before: nil, limit: 10)
    #expect(shown.count == 2 && mailbox.letters.isEmpty)
    #expect(shown.allSatisfy { $0.failure?.hasPrefix("mailbox full\\u{1B}[2J") == true })
    #expect(shown.allSatisfy { $0.failure?.utf8.count ?? 0 < 600 })
    // It is kept for thirty days after that.
    service.clock.advance(by: .seconds(25 * 86_400))
    await sender.pollOnce()
    #expect(try await service.noticeCount() == 2)
    service.clock.advance(by: .seconds(6 * 86_400))
    await sender.pollOnce()
    #expect(try await service.noticeCount() == 0)
  }

  @Test("An address that no message can go to is given up at once")
  func permanent() async throws {
    let service = try await TestService()
    try await Self.tell(service, service.owner)
    let mailbox = Mailbox()
    mailbox.fail(UndeliveredNotice("no such address", isPermanent: true))
    await service.sender(to: mailbox).pollOnce()
    #expect(try await service.store.notices(.givenUp, before: nil, limit: 10).map(\.attempts) == [1, 1])
  }

  @Test(
    "A clock that is set back or ahead puts nothing off and loses nothing", arguments: [-86_400 * 400, 86_400 * 400])
  func clock(seconds: Int) async throws {
    let service = try await TestService()
    try await Self.tell(service, service.owner)
    let mailbox = Mailbox()
    let sender = service.sender(to: mailbox)
    mailbox.fail(UndeliveredNotice("not now"))
    await sender.pollOnce()
    service.clock.setTimeOfDay(to: service.clock.now + .seconds(seconds))
    mailbox.fail(nil)
    await sender.pollOnce()
    #expect(Set(mailbox.kinds) == [.accountSuspended, .accountResumed])
  }

  @Test("A receiver that is slow for one account holds up no other")
  func fairness() async throws {
    let service = try await TestService()
    let (slow, _) = try await service.newCaller()
    try await Self.tell(service, slow, times: 50)
    for _ in 0..<20 { try await Self.tell(service, try await service.newCaller().caller) }
    let mailbox = Mailbox()
    let gate = Doorbell()
    let isOpen = Mutex(false)
    mailbox.beforeEach { letter in
      guard letter.account == slow.accountID else { return }
      while !isOpen.withLock({ $0 }) {
        await gate.wait(until: service.clock.uptime + .seconds(3600), clock: service.clock)
      }
    }
    let sender = service.sender(to: mailbox)
    let running = Task { await sender.run() }
    let areOthersTold = await comesTrue {
      service.clock.advance(by: .milliseconds(100))
      return mailbox.letters.count >= 40
    }
    #expect(areOthersTold && mailbox.letters.allSatisfy { $0.account != slow.accountID })
    isOpen.withLock { $0 = true }
    let areAllTold = await comesTrue {
      gate.ring()
      service.clock.advance(by: .milliseconds(100))
      return mailbox.letters.count >= 140
    }
    #expect(areAllTold)
    running.cancel()
    await running.value
    #expect(Set(mailbox.letters.map(\.uuid)).count == 140)
  }

  @Test("What is known of an account that is closed goes to nobody, and is gone")
  func closed() async throws {
    let service = try await TestService()
    let (caller, _) = try await service.newCaller()
    try await Self.tell(service, caller)
    #expect(try await service.noticeCount() == 2)
    _ = try await service.store.closeAccount(caller.accountID, deletingServers: false, at: service.clock.now)
    #expect(try await service.noticeCount() == 0)
  }

  @Test("Each notice has a subject and a text in each language, without a gap in it", arguments: Language.allCases)
  func words(language: Language) throws {
    var facts = Notice.Facts()
    facts.hoursLeft = 24
    facts.balance = Money(microunits: 1_500_000)
    facts.hourlyCost = Money(microunits: 30_000)
    facts.deletionAt = TestService.start
    facts.entries = ["web-1 (7): It broke."]
    facts.entryCount = 3
    for kind in Notice.Kind.allCases {
      for cause in SuspensionCause.allCases {
        facts.cause = cause
        facts.remainingCause = cause == .credit ? .operator : nil
        let notice = Notice(kind, at: TestService.start, facts)
        let text = NoticeText(of: notice, for: "ada@example.com", in: language, currency: "EUR")
        #expect(!text.subject.isEmpty && text.subject.unicodeScalars.allSatisfy { !$0.isControl })
        #expect(text.text.contains("ada@example.com") && text.text.hasSuffix("\n"))
        #expect(!text.text.contains("nil") && !text.text.contains("Optional") && !text.text.contains(" - "))
        let isCyrillic = text.text.unicodeScalars.contains { (0x410...0x44F).contains($0.value) }
        #expect(isCyrillic == (language == .bulgarian))
      }
    }
    #expect(
      Set(
        Notice.Kind.allCases.map { kind in
          NoticeText(of: Notice(kind, at: TestService.start, facts), for: "a@b", in: language, currency: "EUR").subject
        }
      ).count == Notice.Kind.allCases.count)
  }
}
