import Foundation
import TestSupport
import Testing

@Suite("An operator adds images that others publish")
struct ImageCommandTests {
  @Test("A file becomes an image in every form that it may come in, and the same bytes are the same version")
  func forms() throws {
    let workshop = try ImageWorkshop()
    let file = try workshop.write("disk.raw")
    let sum = try workshop.sum("disk.raw")
    let added = try workshop.add("mine", "--file", file)
    #expect(
      added.status == 0 && added.output.contains("It was held to no checksum. Its SHA-256 is \(sum)."), "\(added.all)")
    let again = try workshop.add("mine", "--file", file, "--sha256", sum.uppercased())
    #expect(again.status == 0 && again.output.contains("has this already"), "\(again.all)")
    try workshop.run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "disk.raw", "disk.qcow2")
    for (name, tool) in [("disk.raw", "xz"), ("disk.raw", "zstd"), ("disk.qcow2", "xz"), ("disk.qcow2", "zstd")] {
      try workshop.run(tool, "--keep", "--quiet", "--force", name)
    }
    let forms = ["disk.qcow2", "disk.raw.xz", "disk.raw.zst", "disk.qcow2.xz", "disk.qcow2.zst"]
    for (number, form) in forms.enumerated() {
      let added = try workshop.add("form\(number)", "--file", workshop.path(form), "--json")
      #expect(added.status == 0, "\(form): \(added.all)")
      let version = try #require(added.objects.first?["version"] as? String)
      let disk = "data/images/form\(number)/\(version)/disk.qcow2"
      try workshop.run("qemu-img", "convert", "-f", "qcow2", "-O", "raw", disk, "back.raw")
      #expect(try workshop.read("back.raw") == workshop.read("disk.raw"), "\(form)")
      #expect(try added.objects.first?["sha256"] as? String == workshop.sum(disk))
      let attributes = try FileManager.default.attributesOfItem(atPath: workshop.path(disk))
      #expect(attributes[.posixPermissions] as? Int == 0o444 && attributes[.ownerAccountID] as? Int == Int(geteuid()))
    }
    #expect(try workshop.someone.run("image", "list").output.split(separator: "\n").count == 7)
    #expect(try workshop.left().allSatisfy { !$0.hasPrefix(".") })
  }

  @Test("An image says how machines run it, and what is left out is as cloud images are")
  func properties() throws {
    let workshop = try ImageWorkshop()
    let file = try workshop.write("disk.raw")
    #expect(try workshop.add("plain", "--file", file).status == 0)
    let plain = try #require(try workshop.someone.run("image", "show", "plain", "--json").objects.first)
    #expect(plain["seed_format"] as? String == "nocloud" && plain["default_user"] as? String == "root")
    #expect(plain["firmware"] as? String == "bios" && plain["guest_agent"] as? Bool == false)
    #expect((plain["templates"] as? [Any])?.isEmpty == true)
    #expect(plain["minimum_disk_gib"] as? Int == 1 && plain["architecture"] as? String == "x86_64")
    let changed = try workshop.add(
      "plain", "--file", file, "--user", "ubuntu", "--agent", "--firmware", "uefi", "--minimum-disk", "8")
    #expect(changed.status == 0, "\(changed.all)")
    let shown = try workshop.someone.run("image", "show", "plain").output
    for line in ["USER            ubuntu", "FIRMWARE        uefi", "MINIMUM DISK    8 GiB", "AGENT           yes"] {
      #expect(shown.contains(line), "\(shown)")
    }
    #expect(try workshop.someone.run("image", "list", "--json").objects.count == 2)
    #expect(try workshop.someone.run("image", "show", "other").status == 3)
    // What programs of an operator, or our recipes, put there has no more than it had.
    let recipe = workshop.images + "/debian-12/12.15-0123456789ab"
    try FileManager.default.createDirectory(atPath: recipe, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: workshop.path("disk.raw"), toPath: recipe + "/disk.qcow2")
    let json = #"{"name": "debian-12", "version": "12.15-0123456789ab", "os_name": "Debian 12", "disk": "disk.qcow2"}"#
    try Data(json.utf8).write(to: URL(fileURLWithPath: recipe + "/image.json"))
    try workshop.run("ln", "-s", "12.15-0123456789ab", "data/images/debian-12/current")
    let ours = try #require(try workshop.someone.run("image", "show", "debian-12", "--json").objects.first)
    #expect(ours["seed_format"] as? String == "vpsd" && ours["guest_agent"] as? Bool == true)
    let update = try workshop.someone.run("image", "update", "debian-12")
    #expect(update.status == 4 && update.errors.contains("`vpsd image build debian-12`"), "\(update.all)")
  }

  @Test("With --os customers can order it, with the id that it had where it was there already")
  func catalogue() throws {
    let workshop = try ImageWorkshop()
    try workshop.someone.makeInstallation()
    let file = try workshop.write("disk.raw")
    let first = try workshop.add("ubuntu-22.04", "--file", file, "--os", "Ubuntu 22.04 LTS")
    #expect(first.output.contains("Operating system 5, ubuntu-22.04, has it."), "\(first.all)")
    let second = try workshop.add("debian-13", "--file", file, "--os", "Debian 13")
    #expect(second.output.contains("is offered."), "\(second.all)")
    let third = try workshop.add("trixie", "--file", file, "--os", "Debian 13")
    #expect(third.output.contains("is made from it now."), "\(third.all)")
    let systems = try workshop.someone.run("os", "list", "--json").objects
    let debian = try #require(systems.first { $0["name"] as? String == "Debian 13" })
    #expect(debian["family"] as? String == "debian" && debian["version"] as? String == "13")
    #expect(debian["image"] as? String == "trixie")
    let refused = try workshop.someone.run("image", "remove", "trixie")
    #expect(refused.status == 4 && refused.errors.contains("Debian 13 is offered"), "\(refused.all)")
    #expect(try workshop.someone.run("os", "retire", "Debian 13").status == 0)
    #expect(try workshop.someone.run("image", "remove", "trixie").status == 0)
    #expect(try workshop.someone.run("image", "list", "--json").objects.count == 2)
  }

  @Test(
    "Versions go when nothing needs them: no disk that builds on them, no new server, and no create that has just begun"
  )
  func prune() throws {
    let workshop = try ImageWorkshop()
    let without = try workshop.someone.run("image", "prune")
    #expect(without.status == 4 && without.errors.contains("There is no database at"), "\(without.all)")
    try workshop.someone.makeInstallation()
    func add(_ number: UInt8) throws -> String {
      let file = try workshop.write("disk\(number)", ImageWorkshop.disk(number))
      return try #require(try workshop.add("mine", "--file", file, "--json").objects.first?["version"] as? String)
    }
    let versions = try (1...3).map { try add($0) }
    func prune() throws -> [String] {
      let result = try workshop.someone.run("image", "prune", "--json")
      #expect(result.status == 0, "\(result.all)")
      return try result.objects.compactMap { $0["version"] as? String }
    }
    // Of what a killed process has left there is nothing afterwards.
    let abandoned = workshop.images + "/.adding-other/work"
    try FileManager.default.createDirectory(atPath: abandoned, withIntermediateDirectories: true)
    #expect(try prune() == [])
    #expect(try !workshop.left().contains { $0.hasPrefix(".adding") })
    try workshop.run("touch", "--no-dereference", "--date=2 hours ago", "data/images/mine/current")
    let server = workshop.someone.data + "/servers/\(UUID().uuidString.lowercased())"
    try FileManager.default.createDirectory(atPath: server, withIntermediateDirectories: true)
    try workshop.run(
      "qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b",
      "\(workshop.images)/mine/\(versions[0])/disk.qcow2",
      "\(server)/disk.qcow2")
    #expect(try prune() == [versions[1]])
    let inUse = try workshop.someone.run("image", "remove", "mine", "--version", versions[0])
    #expect(inUse.status == 4 && inUse.errors.contains("Servers are made from mine"), "\(inUse.all)")
    let current = try workshop.someone.run("image", "remove", "mine", "--version", versions[2])
    #expect(current.status == 4 && current.errors.contains("that new servers have"), "\(current.all)")
    #expect(try workshop.someone.run("image", "remove", "mine").status == 4)
    // Who knows what a disk builds on that cannot be read?
    try Data("damaged".utf8).write(to: URL(fileURLWithPath: "\(server)/disk.qcow2"))
    #expect(try workshop.someone.run("image", "prune").status == 1)
    try FileManager.default.removeItem(atPath: "\(server)/disk.qcow2")
    try workshop.run("ln", "-s", "elsewhere", "\(server)/disk.qcow2")
    #expect(try workshop.someone.run("image", "prune").status == 1)
    try FileManager.default.removeItem(atPath: server)
    #expect(try prune() == [versions[0]])
    #expect(try workshop.someone.run("image", "remove", "mine").status == 0)
    #expect(try workshop.left() == [])
    #expect(try workshop.someone.run("image", "remove", "mine").status == 3)
  }

  @Test("Nobody removes images that the disks of another installation may build on, until that is gone")
  func installations() throws {
    let workshop = try ImageWorkshop()
    try workshop.someone.makeInstallation()
    let other = try Operator(named: "other", ["VPSD_IMAGE_DIR": workshop.images])
    let file = try workshop.write("disk")
    #expect(try workshop.add("mine", "--file", file).status == 0)
    // It knows of them from when its service starts.
    try other.makeInstallation()
    for (one, whose) in [(workshop.someone, other.data), (other, workshop.someone.data)] {
      for arguments in [["image", "prune"], ["image", "remove", "mine"]] {
        let refused = try one.run(arguments)
        #expect(refused.status == 4 && refused.errors.contains("The installation of \(whose)"), "\(refused.all)")
      }
    }
    try FileManager.default.removeItem(atPath: other.data)
    #expect(try workshop.someone.run("image", "prune").status == 0)
    #expect(try workshop.someone.run("image", "remove", "mine").status == 0)
    #expect(try workshop.left() == [])
  }

  @Test("Whatever the umask is, servers come to their image")
  func umask() throws {
    let workshop = try ImageWorkshop()
    let file = try workshop.write("disk")
    try workshop.run(
      "env", "VPSD_DATA_DIR=\(workshop.someone.data)", "sh", "-c",
      "umask 077; exec \"$0\" image add mine --file \"$1\"",
      Operator.program.path, file)
    for folder in [workshop.images, workshop.images + "/mine"] {
      let attributes = try FileManager.default.attributesOfItem(atPath: folder)
      #expect(attributes[.posixPermissions] as? Int == 0o755, "\(folder)")
    }
  }

  @Test("What the servers of this host must have is left to them", .enabled(if: geteuid() == 0))
  func room() throws {
    let workshop = try ImageWorkshop()
    let file = try workshop.write("disk")
    let words = "mkdir -p store && mount -t tmpfs -o size=512m none store && ! \"$0\" image add mine --file \"$1\" 2>&1"
    let said = try workshop.run(
      "env", "VPSD_DATA_DIR=\(workshop.someone.data)", "VPSD_IMAGE_DIR=\(workshop.path("store"))", "unshare", "--mount",
      "sh", "-c", words, Operator.program.path, file)
    #expect(said.contains("There is no room: 1 GiB must stay free"), "\(said)")
  }

  @Test("The image of a server stays, also before it has a disk")
  func servers() async throws {
    let workshop = try ImageWorkshop()
    let customer = try Customer(of: workshop.someone, try workshop.someone.serve())
    let server = try await customer.makeServer("web", plan: 3)
    try await customer.eventually("/servers/\(server)/") { try $0.json["status"] as? String == "active" }
    let file = try workshop.write("disk")
    let version = try #require(try workshop.add("mine", "--file", file, "--json").objects.first?["version"] as? String)
    _ = try workshop.add("mine", "--file", try workshop.write("other", ImageWorkshop.disk(2)))
    try workshop.run("touch", "--no-dereference", "--date=2 hours ago", "data/images/mine/current")
    // The account of an image is what customers are told of their servers.
    let offered = try workshop.add("ubuntu", "--file", file, "--os", "Ubuntu 22.04 LTS", "--user", "ubuntu")
    #expect(offered.output.contains("Operating system 5, ubuntu-22.04, is made from it now."), "\(offered.all)")
    expectEqual(try await customer.send("GET", "/servers/\(server)/").json["username"] as? String, "root")
    let order = #"{"name": "second", "plan_id": 3, "os_id": 5, "location": "us-west"}"#
    let second = try #require(try await customer.send("POST", "/servers/", order).json["id"] as? Int)
    try await customer.eventually("/servers/\(second)/") {
      try $0.json["username"] as? String == "ubuntu"
    }
    for arguments in [
      ["os", "update", "5", "--username", "admin"],
      ["image", "add", "ubuntu", "--file", file, "--os", "Ubuntu 22.04 LTS", "--user", "admin"],
    ] {
      let refused = try workshop.someone.run(arguments)
      #expect(refused.status == 4 && refused.errors.contains("Servers have Ubuntu 22.04 LTS"), "\(refused.all)")
    }
    #expect(try workshop.someone.run("os", "update", "5", "--username", "ubuntu").status == 0)
    // What simulated machines are made from is no version of a store: here it becomes one.
    try workshop.run("mv", "data/images/mine/\(version)", "data/images/mine/simulated-1")
    #expect(try workshop.someone.run("image", "prune", "--json").objects.isEmpty)
    #expect(try workshop.someone.run("image", "remove", "mine", "--version", "simulated-1").status == 4)
  }
}
