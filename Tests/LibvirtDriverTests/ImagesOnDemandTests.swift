import Core
import Foundation
import HostImages
import HostPrograms
import TestSupport
import Testing

@testable import LibvirtDriver

@Suite("An image whose publisher is known is fetched when it is first asked for", .serialized)
struct ImagesOnDemandTests {
  private static let name = "theirs-1.0"

  private let folder: ScopedFolder
  private let publisher: Publisher
  private let clock = ManualClock()
  private let stopping = StopSignal()

  init() throws {
    folder = try ScopedFolder()
    publisher = try Publisher()
    try FileManager.default.createDirectory(
      at: recipes.appendingPathComponent("catalogue"), withIntermediateDirectories: true)
  }

  private var recipes: URL { folder.url.appendingPathComponent("recipes") }
  private var store: ImageStore { ImageStore(directory: folder.url.path + "/images") }

  private func downloads(_ patience: ImageDownloads.Patience = .init(), on: Bool = true) -> ImageDownloads {
    ImageDownloads(store: store, recipes: on ? recipes : nil, clock: clock, patience: patience)
  }

  /// Makes its publisher known, who has this disk and a list with its checksum.
  private func publish(
    _ page: Publisher.Page, sumOf disk: [UInt8]? = nil, more: [String: String] = [:], to path: String = "/disk.img"
  ) async throws {
    publisher.publish(path, page)
    let sum = try await Program("sha256sum", []).output(input: disk ?? page.body).prefix { $0 != " " }
    publisher.publish("/SUMS", Array("\(sum)  disk.img\n".utf8))
    try makeKnown(more)
  }

  private func makeKnown(_ more: [String: String] = [:]) throws {
    let source = ["url": publisher.url("/disk.img"), "checksums": publisher.url("/SUMS")].merging(more) { $1 }
    let known: [String: Any] = [
      "os": "Theirs 1.0", "family": "theirs", "os_version": "1.0", "source": source,
      "properties": ["seed_format": "nocloud", "guest_agent": false],
    ]
    try JSONSerialization.data(withJSONObject: known)
      .write(to: recipes.appendingPathComponent("catalogue/\(Self.name).json"))
  }

  /// Asks as a server does that waits for it, until it is there or cannot be had.
  private func outcome(_ downloads: ImageDownloads) async throws -> DriverError? {
    var refusal: DriverError?
    try await eventually("it is there, or not to be had", within: .seconds(120), every: .milliseconds(20)) {
      if (try? store.currentVersion(of: Self.name)) != nil, downloads.absence(of: Self.name) == nil { return true }
      do {
        try downloads.fetch(Self.name)
      } catch {
        refusal = error as? DriverError
      }
      return refusal != nil
    }
    return refusal
  }

  private func left() -> [String] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: store.directory)) ?? []
    return all.filter { $0 != ".lock" }.sorted()
  }

  /// Of the disk itself.
  private var fetches: [String] { publisher.requests.filter { !$0.hasPrefix("/SUMS") } }

  @Test("Once for all who wait, over redirects, and on from where a connection ended")
  func shared() async throws {
    let disk = Publisher.Page.disk()
    try await publish(Publisher.Page(body: disk, cuts: [100_000, 50_000]), to: "/mirror/disk.img")
    publisher.publish("/disk.img", Publisher.Page(redirect: publisher.url("/mirror/disk.img")))
    let downloads = downloads()
    await withTaskGroup { group in
      for _ in 0..<8 {
        group.addTask {
          let refusal = try? await outcome(downloads)
          #expect(refusal == .some(nil))
        }
      }
    }
    #expect(
      fetches.filter { $0.hasPrefix("/mirror") } == [
        "/mirror/disk.img", "/mirror/disk.img 100000-", "/mirror/disk.img 150000-",
      ])
    let description = try store.description(of: Self.name, version: store.currentVersion(of: Self.name))
    #expect(description.osName == "Theirs 1.0" && description.properties.seedFormat == .nocloud)
    #expect(left() == [Self.name])
  }

  @Test("Whoever asks how far it is, is told")
  func progress() async throws {
    let disk = Publisher.Page.disk()
    try await publish(Publisher.Page(body: disk, holdsAfter: 100_000))
    let downloads = downloads()
    #expect(downloads.absence(of: Self.name) == nil)
    try downloads.fetch(Self.name)
    try await eventually("some of it has come", within: .seconds(120), every: .milliseconds(5)) {
      guard case .beingFetched(.downloading(let bytes, let total)) = downloads.absence(of: Self.name) else {
        return false
      }
      return (1..<262_144).contains(bytes) && total == 262_144
    }
    publisher.publish("/disk.img", disk)
    #expect(try await outcome(downloads) == nil)
    #expect(downloads.absence(of: Self.name) == nil)
  }

  @Test("What fails is told, tried by nobody for a while that grows, and had once it is mended")
  func failed() async throws {
    let disk = Publisher.Page.disk(1)
    try await publish(Publisher.Page(body: disk), sumOf: Publisher.Page.disk(2))
    let downloads = downloads()
    for seconds in [60, 120, 240] {
      let refusal = try await outcome(downloads)
      #expect(
        refusal?.kind == .notFound && refusal?.detail.contains("and not") == true, "\(String(describing: refusal))")
      #expect(refusal?.customerReason == "The image of the operating system is not available.")
      #expect(downloads.absence(of: Self.name) == .unavailable(for: .seconds(seconds)))
      let requests = publisher.requests.count
      clock.advance(by: .seconds(seconds - 1))
      #expect(try await outcome(downloads) != nil)
      #expect(downloads.absence(of: Self.name) == .unavailable(for: .seconds(1)))
      #expect(publisher.requests.count == requests)
      clock.advance(by: .seconds(1))
      #expect(downloads.absence(of: Self.name) == nil)
    }
    #expect(left() == [])
    try await publish(Publisher.Page(body: disk))
    #expect(try await outcome(downloads) == nil)
  }

  @Test("Nothing is made of what is not theirs, is no disk, or is not there")
  func refused() async throws {
    let home = folder.url.path
    for person in ["theirs", "stranger"] {
      let arguments = [
        "--homedir", home, "--batch", "--quiet", "--passphrase", "", "--quick-gen-key", person, "ed25519", "sign", "0",
      ]
      _ = try await Program("gpg", arguments).output()
    }
    let agent = Program("gpgconf", ["--homedir", home, "--kill", "gpg-agent"])
    let keys = folder.url.path + "/theirs.gpg"
    _ = try await Program("gpg", ["--homedir", home, "--batch", "--output", keys, "--export", "theirs"]).output()
    let disk = Publisher.Page.disk()
    let sum = try await Program("sha256sum", []).output(input: disk).prefix { $0 != " " }
    let list = "\(sum)  disk.img"
    func signed(by person: String) async throws -> [UInt8] {
      let arguments = ["--homedir", home, "--batch", "--quiet", "--local-user", person, "--clear-sign"]
      return Array(try await Program("gpg", arguments).output(input: Array(list.utf8)).utf8)
    }
    publisher.publish("/disk.img", disk)
    publisher.publish("/stranger", try await signed(by: "stranger"))
    publisher.publish("/signed", try await signed(by: "theirs"))
    _ = try? await agent.output()
    let (trusted, junk) = (["keyring": keys], Array("<html>Not today</html>".utf8))
    for (source, page, words) in [
      (trusted.merging(["checksums": publisher.url("/stranger")]) { $1 }, disk, "is signed by a key that is not among"),
      (trusted.merging(["checksums": publisher.url("/none")]) { $1 }, disk, "answers 404"),
      (["sha256": "\(try await Program("sha256sum", []).output(input: junk).prefix(64))"], junk, "no disk of a system"),
      (["file": "/etc/passwd"], disk, "breaks a rule"),
    ] {
      publisher.publish("/disk.img", page)
      try makeKnown(source)
      if source["sha256"] != nil { try without("checksums") }
      let downloads = downloads()
      let refusal = try await outcome(downloads)
      #expect(refusal?.detail.contains(words) == true, "\(words): \(String(describing: refusal))")
      #expect(downloads.absence(of: Self.name) != nil)
      #expect(left() == [])
    }
    publisher.publish("/disk.img", disk)
    try makeKnown(trusted.merging(["checksums": publisher.url("/signed")]) { $1 })
    #expect(try await outcome(downloads()) == nil)
  }

  private func without(_ key: String) throws {
    let file = recipes.appendingPathComponent("catalogue/\(Self.name).json")
    var known = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    var source = known["source"] as? [String: Any]
    source?[key] = nil
    known["source"] = source
    try JSONSerialization.data(withJSONObject: known).write(to: file)
  }

  @Test("One that takes longer than its size allows is given up, and gone on with by the next order")
  func late() async throws {
    let disk = Publisher.Page.disk()
    try await publish(Publisher.Page(body: disk, delay: .milliseconds(80)))
    var patience = ImageDownloads.Patience()
    patience.least = .seconds(8)
    patience.slowestBytesPerSecond = 1 << 30
    let downloads = downloads(patience)
    let refusal = try await outcome(downloads)
    #expect(refusal?.detail.contains("longer than its size allows") == true, "\(String(describing: refusal))")
    #expect(left() == [".adding-\(Self.name)"])
    try await publish(Publisher.Page(body: disk))
    clock.advance(by: .seconds(60))
    #expect(try await outcome(downloads) == nil)
    #expect(try #require(fetches.last).contains(" "), "\(fetches)")
    #expect(left() == [Self.name])
  }

  @Test("A process that ends leaves half of it, and the next one goes on as soon as it is asked")
  func ended() async throws {
    let disk = Publisher.Page.disk()
    try await publish(Publisher.Page(body: disk, holdsAfter: 100_000))
    let first = downloads()
    try first.fetch(Self.name)
    try await eventually("some of it has come", within: .seconds(120), every: .milliseconds(5)) {
      guard case .beingFetched(.downloading(let bytes, _)) = first.absence(of: Self.name) else { return false }
      return bytes > 20_000
    }
    first.end()
    let requests = publisher.requests.count
    #expect(left() == [".adding-\(Self.name)"])
    try await publish(Publisher.Page(body: disk))
    #expect(try await outcome(downloads()) == nil)
    #expect(try #require(fetches.last).contains(" "), "\(publisher.requests[requests...])")
  }

  @Test("Where it changed since the half of it came, it is fetched anew")
  func changed() async throws {
    try await publish(Publisher.Page(body: Publisher.Page.disk(1), holdsAfter: 100_000))
    let first = downloads()
    try first.fetch(Self.name)
    try await eventually("some of it has come", within: .seconds(120), every: .milliseconds(5)) {
      guard case .beingFetched(.downloading(let bytes, _)) = first.absence(of: Self.name) else { return false }
      return bytes > 20_000
    }
    first.end()
    try await publish(Publisher.Page(body: Publisher.Page.disk(2)))
    #expect(try await outcome(downloads()) == nil)
    #expect(fetches.last == "/disk.img")
  }

  @Test("While somebody adds it by hand, that is waited for")
  func byHand() async throws {
    let disk = Publisher.Page.disk()
    try await publish(Publisher.Page(body: disk, holdsAfter: 100_000))
    var source = ImageSource()
    source.url = publisher.url("/disk.img")
    source.checksums = publisher.url("/SUMS")
    let addition = ImageAddition(
      store: store, name: Self.name, source: source, properties: ImageProperties(), date: "20250101")
    // It blocks, and others need their threads.
    let adding = Task { try await onOwnThread { try addition.run() } }
    try await eventually("it is begun", within: .seconds(120), every: .milliseconds(5)) { !fetches.isEmpty }
    let downloads = downloads()
    try downloads.fetch(Self.name)
    try await eventually("it is waited for", within: .seconds(120), every: .milliseconds(5)) {
      downloads.absence(of: Self.name) == .beingFetched(.waiting)
    }
    publisher.publish("/disk.img", disk)
    #expect(try await outcome(downloads) == nil)
    #expect(try await adding.value.isNew)
    #expect(fetches == ["/disk.img"])
  }

  @Test("Nobody waits for those that somebody adds by hand")
  func othersByHand() async throws {
    let disk = Publisher.Page.disk()
    try await publish(Publisher.Page(body: disk))
    let known = recipes.appendingPathComponent("catalogue/\(Self.name).json")
    publisher.publish("/slow.img", Publisher.Page(body: disk, holdsAfter: 1000))
    let sum = try await Program("sha256sum", []).output(input: disk).prefix { $0 != " " }
    let ended = [StopSignal(), StopSignal()]
    for (name, ended) in zip(["slow-1", "slow-2"], ended) {
      try FileManager.default.copyItem(at: known, to: recipes.appendingPathComponent("catalogue/\(name).json"))
      var source = ImageSource()
      source.url = publisher.url("/slow.img")
      source.sha256 = String(sum)
      var addition = ImageAddition(
        store: store, name: name, source: source, properties: ImageProperties(), date: "20250101")
      addition.stop = stopping
      // Both block, and tasks would have no other threads to run on.
      Thread.detachNewThread { [addition] in
        _ = try? addition.run()
        ended.set()
      }
    }
    try await eventually("both are begun", within: .seconds(120), every: .milliseconds(5)) {
      publisher.requests.count { $0 == "/slow.img" } == 2
    }
    let downloads = downloads()
    for name in ["slow-1", "slow-2", Self.name] { try downloads.fetch(name) }
    #expect(try await outcome(downloads) == nil)
    for name in ["slow-1", "slow-2"] {
      #expect(downloads.absence(of: name) == .beingFetched(.waiting))
      #expect((try? store.currentVersion(of: name)) == nil)
    }
    downloads.end()
    stopping.set()
    try await eventually("both have ended", within: .seconds(120), every: .milliseconds(5)) {
      ended.allSatisfy(\.isSet)
    }
  }

  @Test("A publisher who sends no parts of it, and ends each connection, is not asked for ever")
  func noParts() async throws {
    let disk = Publisher.Page.disk()
    try await publish(Publisher.Page(body: disk, takesRanges: false, cuts: Array(repeating: 100_000, count: 100)))
    let refusal = try await outcome(downloads())
    #expect(refusal?.detail.contains("sends no part of it") == true, "\(String(describing: refusal))")
    #expect(refusal?.detail.contains("gone on with") == false, "\(String(describing: refusal))")
    #expect(fetches.count < 12, "\(fetches)")
  }

  @Test("How long it may take is what its size allows, however often its connection is made again")
  func knownSize() async throws {
    let disk = Publisher.Page.disk()
    let cuts = Array(repeating: 20_000, count: 11)
    // Some six seconds, and before its size is known it has four.
    try await publish(Publisher.Page(body: disk, cuts: cuts, delay: .milliseconds(24)))
    var patience = ImageDownloads.Patience()
    patience.least = .seconds(4)
    patience.slowestBytesPerSecond = 4096
    #expect(try await outcome(downloads(patience)) == nil)
    #expect(fetches.count == cuts.count + 1)
  }

  @Test("A list that dawdles is not waited for as long as the image may take")
  func slowList() async throws {
    let disk = Publisher.Page.disk()
    publisher.publish("/disk.img", disk)
    let list = Publisher.Page(body: [UInt8](repeating: 0x0A, count: 100 << 10), delay: .milliseconds(100))
    publisher.publish("/SUMS", list)
    var source = ImageSource()
    source.url = publisher.url("/disk.img")
    source.checksums = publisher.url("/SUMS")
    var addition = ImageAddition(
      store: store, name: Self.name, source: source, properties: ImageProperties(), date: "20250101")
    addition.limits.listTime = .seconds(1)
    let refusal = #expect(throws: ImageRefusal.self) { try addition.run() }
    #expect(
      "\(refusal.map(String.init(describing:)) ?? "")".contains("/SUMS did not come in time."),
      "\(String(describing: refusal))")
    #expect(fetches == [] && left() == [])
  }

  @Test("Where nothing is to be fetched, or nobody is known, that is known until somebody sees to it")
  func missing() async throws {
    let off = downloads(on: false)
    let unknown = downloads()
    for downloads in [off, unknown] {
      let refusal = try await outcome(downloads)
      #expect(refusal?.kind == .notFound && refusal?.customerReason != nil)
      downloads.lookAgain()
      guard case .unavailable = downloads.absence(of: Self.name) else {
        Issue.record("\(String(describing: downloads.absence(of: Self.name)))")
        return
      }
    }
    try await publish(Publisher.Page(body: Publisher.Page.disk()))
    for downloads in [off, unknown] { downloads.lookAgain() }
    #expect(off.absence(of: Self.name) != nil && unknown.absence(of: Self.name) == nil)
    #expect(try await outcome(unknown) == nil)
    off.lookAgain()
    #expect(off.absence(of: Self.name) == nil)
  }
}
