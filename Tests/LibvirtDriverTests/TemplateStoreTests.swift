import Core
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import LibvirtDriver

@Suite("Templates of machines as files")
struct TemplateStoreTests {
  private static let model = CPUModel(model: "Skylake-Client", features: ["avx2": false])!

  private static func description(disk: Int64, state: Int64) -> TemplateDescription {
    TemplateDescription(
      shape: MachineShape(imageName: "debian-12", vcpus: 1, memoryMiB: 512, storageGiB: 5), imageVersion: "12.1-a",
      basis: TemplateBasis(
        accelerator: "tcg", cpuModel: model, emulator: "1 2.3 /usr/bin/true", network: "LoopbackNetwork"),
      machineType: "pc-q35-7.2", disk: TemplateFile(bytes: disk, checksum: "d"),
      state: TemplateFile(bytes: state, checksum: "s"))
  }

  /// A whole one, with a disk of 4 bytes and a state of 8.
  private static func makeTemplate(in store: TemplateStore) throws -> Template {
    let draft = try store.begin()
    try Data(count: 4).write(to: URL(fileURLWithPath: draft.disk))
    try Data(count: 8).write(to: URL(fileURLWithPath: draft.state))
    for file in [draft.disk, draft.state] { chmod(file, 0o600) }
    return try draft.complete(description(disk: 4, state: 8))
  }

  private static func withStore(_ body: (TemplateStore) throws -> Void) throws {
    let folder = try ScopedFolder()
    try body(TemplateStore(dataDirectory: folder.url.path))
    withExtendedLifetime(folder) {}
  }

  @Test("Many servers can be made from one at the same time")
  func useAtOnce() throws {
    try Self.withStore { store in
      let template = try Self.makeTemplate(in: store)
      let failures = Mutex(0)
      DispatchQueue.concurrentPerform(iterations: 2000) { _ in
        if (try? store.noteUse(of: template)) == nil { failures.withLock { $0 += 1 } }
      }
      #expect(failures.withLock { $0 } == 0)
      #expect(store.lastUse(of: template) > 0)
    }
  }

  @Test("One that is being made is known by its lock, and one that nobody has locked is removed")
  func making() throws {
    try Self.withStore { store in
      #expect(try store.inMaking().isEmpty)
      try store.removeAbandoned()
      var draft: TemplateDraft? = try store.begin()
      let id = try #require(draft?.id)
      let folder = try #require(draft?.folder)
      #expect(try store.inMaking() == [id])
      #expect(try store.templates().isEmpty)
      try store.removeAbandoned()
      #expect(MachineFiles.exists(folder))
      // As if its process had died.
      draft = nil
      #expect(try store.inMaking().isEmpty)
      try store.removeAbandoned()
      #expect(!MachineFiles.exists(folder))
    }
  }

  @Test("One that is begun while others look is taken for nobody's by none of them, and none keeps its maker from it")
  func begunBesideLooks() throws {
    try Self.withStore { store in
      try store.removeAbandoned()
      let isOver = Mutex(false)
      let ended = DispatchSemaphore(value: 0)
      for _ in 1...2 {
        Thread.detachNewThread {
          while !isOver.withLock({ $0 }) {
            _ = try? store.inMaking()
            try? store.removeAbandoned()
          }
          ended.signal()
        }
      }
      defer {
        isOver.withLock { $0 = true }
        for _ in 1...2 { ended.wait() }
      }
      for _ in 1...2000 {
        let draft = try store.begin()
        try #require(MachineFiles.exists(draft.folder))
        #expect(try store.inMaking() == [draft.id])
        try draft.removeIfIncomplete()
      }
    }
  }

  @Test("A whole one is read back as it was written, and is not in the making")
  func whole() throws {
    try Self.withStore { store in
      let template = try Self.makeTemplate(in: store)
      #expect(try store.templates() == [template.id: template])
      #expect(try store.inMaking().isEmpty)
      let listed = ListedTemplate.all(dataDirectory: (store.directory as NSString).deletingLastPathComponent)
      #expect(listed.map(\.shape) == [template.description.shape] && listed.map(\.imageVersion) == ["12.1-a"])
      try store.removeAbandoned()
      #expect(try store.templates().count == 1)
      try store.remove(template.id)
      #expect(try store.templates().isEmpty)
      #expect(!MachineFiles.exists(template.folder))
      try store.remove(template.id)
    }
  }

  @Test("One that is cut, has grown or has no description is nobody's", arguments: 0..<4)
  func damaged(_ way: Int) throws {
    try Self.withStore { store in
      let template = try Self.makeTemplate(in: store)
      switch way {
      case 0: truncate(template.state, 7)
      case 1: truncate(template.disk, 5)
      case 2: try FileManager.default.removeItem(atPath: template.state)
      default: try Data("{}".utf8).write(to: URL(fileURLWithPath: "\(template.folder)/template.json"))
      }
      #expect(try store.templates() == [template.id: nil])
      try store.remove(template.id)
      #expect(try store.templates().isEmpty)
    }
  }

  @Test("What was verified is verified no more once anything was done to it")
  func verified() throws {
    try Self.withStore { store in
      let template = try Self.makeTemplate(in: store)
      let verified = VerifiedTemplates()
      #expect(!verified.isVerified(template))
      verified.note(template, try #require(VerifiedTemplates.prints(of: template)))
      #expect(verified.isVerified(template))
      // The same length, and another file.
      let other = template.state + ".other"
      try FileManager.default.copyItem(atPath: template.state, toPath: other)
      #expect(rename(other, template.state) == 0)
      #expect(!verified.isVerified(template))
      verified.note(template, try #require(VerifiedTemplates.prints(of: template)))
      #expect(verified.isVerified(template))
      // Others could write to it.
      chmod(template.state, 0o666)
      #expect(!verified.isVerified(template))
      #expect(VerifiedTemplates.prints(of: template) == nil)
    }
  }

  @Test("What is wanted comes smallest first, and what failed waits")
  func demand() {
    let demand = TemplateDemand()
    let now = Instant(elapsed: .seconds(1000))
    #expect(demand.shapes == nil)
    let small = MachineShape(imageName: "debian-12", vcpus: 1, memoryMiB: 512, storageGiB: 5)
    let large = MachineShape(imageName: "debian-12", vcpus: 2, memoryMiB: 4096, storageGiB: 80)
    demand.want([large, small, large])
    #expect(demand.shapes == [small, large])
    #expect(demand.isQuiet(at: now))
    demand.noteStart(at: now)
    #expect(!demand.isQuiet(at: now + .seconds(59)))
    #expect(demand.isQuiet(at: now + .seconds(60)))
    for (isForWant, pause) in zip([true, true, true, true, true, false, true], [60, 120, 240, 480, 600, 600, 60]) {
      // The last one comes after a success.
      if pause == 60 { demand.noteSuccess(of: small) }
      demand.noteFailure(of: small, isForWant: isForWant, at: now)
      #expect(!demand.mayTry(small, at: now + .seconds(pause - 1)))
      #expect(demand.mayTry(small, at: now + .seconds(pause)))
      #expect(demand.mayTry(large, at: now))
    }
  }

  @Test("What is being made ends when a customer's machine starts, and nothing is begun for a while after one")
  func yields() async {
    // Many, because the start may come at once.
    for _ in 1...1000 {
      let demand = TemplateDemand()
      let start = Instant(elapsed: .seconds(1000))
      await demand.make(at: start) {
        demand.noteStart(at: start)
        #expect(Task.isCancelled)
      }
      await demand.make(at: start + .seconds(59)) { Issue.record("it was begun") }
      let isMade = Mutex(false)
      await demand.make(at: start + .seconds(60)) { isMade.withLock { $0 = true } }
      #expect(isMade.withLock { $0 })
    }
  }

  @Test("Another QEMU is seen")
  func emulator() throws {
    let folder = try ScopedFolder()
    defer { withExtendedLifetime(folder) {} }
    let path = folder.url.appendingPathComponent("qemu system").path
    try Data("one".utf8).write(to: URL(fileURLWithPath: path))
    let capabilities = "<domainCapabilities>\n  <path>\(path)</path>\n</domainCapabilities>"
    let print = try #require(EmulatorBinary(capabilities: capabilities)?.print)
    #expect(EmulatorBinary.isSame(print))
    try Data("another".utf8).write(to: URL(fileURLWithPath: path))
    #expect(!EmulatorBinary.isSame(print))
    try FileManager.default.removeItem(atPath: path)
    #expect(!EmulatorBinary.isSame(print))
    #expect(EmulatorBinary(capabilities: capabilities)?.print == nil)
    #expect(EmulatorBinary(capabilities: "<domainCapabilities/>") == nil)
    #expect(!EmulatorBinary.isSame("nonsense"))
  }

  @Test("What a machine is told about itself is written in lines, and ends with its seed")
  func message() throws {
    let key = try HostKey()
    let message = IdentityMessage(
      card: "56:00:00:00:00:01", seed: Array("SEED\n".utf8), hostKey: key, entropy: [0, 15, 255])
    let text = String(decoding: message.bytes(at: .seconds(1_700_000_000) + .nanoseconds(5)), as: UTF8.self)
    #expect(
      text == """
        clock 1700000000.000000005
        entropy 000fff
        host-key \(Self.hexadecimal(key.privateFile))
        host-key-public \(Self.hexadecimal(key.publicPart))
        card 56:00:00:00:00:01
        seed 5

        SEED

        """)
    // An image of an earlier version understands no other lines.
    let head = text.prefix { $0 != "S" }
    #expect(head.split(separator: "\n").allSatisfy { $0.wholeMatch(of: /[a-z-]+ [0-9A-Za-z.:]+/) != nil })
    let entropies = (0..<2).map { _ in IdentityMessage(card: "", seed: [], hostKey: key).entropy }
    #expect(entropies[0].count == 64 && entropies[0] != entropies[1])
  }

  private static func hexadecimal(_ text: String) -> String {
    text.utf8.map { String(format: "%02x", $0) }.joined()
  }

  @Test("The port is added to what QEMU is given, whether it is given anything or not")
  func port() throws {
    let given = """
      <domain xmlns:qemu='x'>
        <qemu:commandline>
          <qemu:arg value='-netdev'/>
        </qemu:commandline>
      </domain>
      """
    let booted = try #require(IdentityPort.adding(to: given, isIncoming: false, isEmulated: true))
    #expect(booted.contains("org.vpsd.identity.0") && !booted.contains("-incoming") && !booted.contains("capability"))
    let waiting = try #require(IdentityPort.adding(to: given, isIncoming: true, isEmulated: false))
    #expect(!waiting.contains("capability"), "With KVM libvirt would refuse features that it cannot check then.")
    #expect(waiting.contains("<qemu:arg value=\"-incoming\"/>\n<qemu:arg value=\"defer\"/>\n</qemu:commandline>"))
    let bare = try #require(IdentityPort.adding(to: "<domain>\n</domain>", isIncoming: true, isEmulated: true))
    #expect(bare.contains("<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>"))
    #expect(bare.contains("</qemu:commandline><qemu:capabilities xmlns:qemu="))
    #expect(bare.hasSuffix("</qemu:capabilities></domain>"))
    #expect(IdentityPort.adding(to: "nonsense", isIncoming: true, isEmulated: true) == nil)
  }
}
