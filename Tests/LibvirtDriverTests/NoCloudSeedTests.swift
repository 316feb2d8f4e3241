import Core
import Foundation
import HostImages
import HostNetwork
import PrivateFiles
import TestSupport
import Testing

@testable import LibvirtDriver

@Suite("The seed of a guest with cloud-init")
struct NoCloudSeedTests {
  private static let network = GuestNetwork(
    ipv4Address: "203.0.113.5/32", ipv4Gateway: "169.254.1.1", ipv6Address: "2001:db8:10:1::1/64",
    ipv6Gateway: "fe80::1", nameServers: ["192.0.2.53"])

  private func seed(
    user: String = "root", key: String? = "ssh-ed25519 AAAA me\nssh-rsa BBBB \"quoted\"", hash: String? = nil,
    instance: UUID = UUID(), network: GuestNetwork = network, userData: String? = nil
  ) throws -> NoCloudSeed {
    let specification = MachineSpecification(
      machine: UUID(), label: "server-1", hostname: try #require(Hostname("web.example.com")), vcpus: 1, memoryMiB: 512,
      storageGiB: 4, imageName: "debian-12", imageVersion: "1",
      interface: NetworkInterface(address: IPv4Address(number: 0x7F50_000B)), authorizedKey: key,
      rootPasswordHash: hash,
      mayCreateDisk: true, userData: userData)
    let properties = ImageProperties(
      seedFormat: .nocloud, defaultUser: user, hasGuestAgent: false, firmware: .bios, architecture: .amd64)
    return NoCloudSeed(
      specification: specification, network: network,
      hardwareAddress: try #require(HardwareAddress("56:0a:1b:2c:3d:4e")),
      disk: DiskRecord(instance: instance, properties: properties))
  }

  /// A file of it, as another reader of such file systems sees it.
  private func read(_ file: String, of seed: NoCloudSeed) async throws -> String {
    let folder = try ScopedFolder()
    let path = folder.url.appendingPathComponent("seed").path
    try Data(seed.image).write(to: URL(fileURLWithPath: path))
    return try await Program("grub-fstest", [path, "cat", "/\(file)"]).output()
  }

  private func object(_ file: String, of seed: NoCloudSeed) async throws -> [String: Any] {
    var text = try await read(file, of: seed)
    if file == "user-data" {
      #expect(text.hasPrefix("#cloud-config\n"))
      text.removeFirst(14)
    }
    return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test("Is a file system with the label that cloud-init looks for, whatever is in it")
  func label() async throws {
    for key in ["short", String(repeating: "long", count: 5000)] {
      let folder = try ScopedFolder()
      let path = folder.url.appendingPathComponent("seed").path
      let image = try seed(key: key).image
      #expect(image.count % 2048 == 0)
      try Data(image).write(to: URL(fileURLWithPath: path))
      let found = try await Program("blkid", ["-p", "-o", "export", path]).output()
      #expect(found.contains("LABEL=cidata\n") && found.contains("TYPE=iso9660"), "\(found)")
      #expect(try await read("user-data", of: seed(key: key)).contains(key))
    }
  }

  @Test(
    "A customer's user data comes before ours, to the byte, as what it is; ours adds to its lists and changes none of it"
  )
  func userData() async throws {
    for (text, type) in [
      ("#!/bin/sh\n--==vpsd==\né\n", "text/x-shellscript"), ("#cloud-config\nusers: []\n", "text/cloud-config"),
    ] {
      let whole = try await read("user-data", of: seed(userData: text))
      #expect(whole.hasPrefix("Content-Type: multipart/mixed; boundary=\"==vpsd==\"\n"))
      // As another reader of MIME takes it apart.
      let script = """
        import email, sys
        for part in email.message_from_string(sys.stdin.read()).get_payload():
          sys.stdout.write(part.get_content_type() + "|" + part.get_payload(decode=True).decode() + "|")
        """
      let parts = try await Program("python3", ["-c", script]).output(input: Array(whole.utf8)).split(separator: "|")
      #expect(parts.count == 4 && parts[0] == type && parts[1] == text && parts[2] == "text/cloud-config", "\(parts)")
      #expect(parts[3].hasPrefix("#cloud-config\n") && parts[3].contains("no_replace") && parts[3].contains("\"root\""))
    }
    #expect(try await read("user-data", of: seed()).hasPrefix("#cloud-config\n{"))
  }

  @Test("Another disk is another instance, and the same disk the same")
  func instance() async throws {
    let instance = UUID()
    let first = try await object("meta-data", of: seed(instance: instance))["instance-id"] as? String
    expectEqual(try await object("meta-data", of: seed(instance: instance))["instance-id"] as? String, first)
    #expect(try await object("meta-data", of: seed())["instance-id"] as? String != first)
    expectEqual(try await object("meta-data", of: seed())["local-hostname"] as? String, "web.example.com")
  }

  @Test("Lets in who has a key or the password, as root or as the account of the image, and nobody else")
  func accounts() async throws {
    let keys = ["ssh-ed25519 AAAA me", "ssh-rsa BBBB \"quoted\""]
    let byKey = try await object("user-data", of: seed())
    let root = try #require((byKey["users"] as? [[String: Any]])?.first)
    #expect(root["name"] as? String == "root" && root["ssh_authorized_keys"] as? [String] == keys)
    #expect(root["hashed_passwd"] == nil && byKey["ssh_pwauth"] as? Bool == false && byKey["write_files"] == nil)
    #expect(byKey["disable_root"] as? Bool == false && byKey["hostname"] as? String == "web")

    let byPassword = try await object("user-data", of: seed(key: nil, hash: "$6$salt$hash"))
    let account = try #require((byPassword["users"] as? [[String: Any]])?.first)
    #expect(account["hashed_passwd"] as? String == "$6$salt$hash" && account["lock_passwd"] as? Bool == false)
    #expect(byPassword["ssh_pwauth"] as? Bool == true)
    let file = try #require((byPassword["write_files"] as? [[String: Any]])?.first)
    #expect(file["content"] as? String == "PermitRootLogin yes\nPasswordAuthentication yes\n")

    let other = try await object("user-data", of: seed(user: "ubuntu", hash: "$6$salt$hash"))
    #expect(other["users"] as? [String] == ["default"] && other["disable_root"] as? Bool == true)
    let user = try #require(other["user"] as? [String: Any])
    #expect(user["name"] as? String == "ubuntu" && user["hashed_passwd"] as? String == "$6$salt$hash")
    #expect(user["lock_passwd"] as? Bool == false && other["ssh_authorized_keys"] as? [String] == keys)
    let answer = try #require((other["write_files"] as? [[String: Any]])?.first)
    #expect(answer["content"] as? String == "PasswordAuthentication yes\n")
  }

  @Test("Is YAML too, whatever a key is called")
  func characters() async throws {
    let key = "ssh-ed25519 AAAA \u{FFFE}\u{FFFF}\u{7F}\u{85}\u{2028} é 😀"
    let text = try await read("user-data", of: seed(key: key))
    #expect(text.contains(#"\uFFFE\uFFFF\u007F"#) && text.contains("é 😀"), "\(text)")
    #expect(text.unicodeScalars.allSatisfy { $0.value != 0xFFFE && $0.value != 0xFFFF && $0.value != 0x7F })
  }

  @Test("Knows its card by its address, and the way out of it for both families")
  func network() async throws {
    let configuration = try await object("network-config", of: seed())
    #expect(configuration["version"] as? Int == 2)
    let card = try #require((configuration["ethernets"] as? [String: [String: Any]])?["eth0"])
    #expect((card["match"] as? [String: String]) == ["macaddress": "56:0a:1b:2c:3d:4e"])
    #expect(card["addresses"] as? [String] == ["203.0.113.5/32", "2001:db8:10:1::1/64"])
    let routes = try #require(card["routes"] as? [[String: Any]])
    #expect(routes.compactMap { $0["to"] as? String } == ["0.0.0.0/0", "::/0"])
    #expect(routes.compactMap { $0["via"] as? String } == ["169.254.1.1", "fe80::1"])
    #expect(routes.allSatisfy { $0["on-link"] as? Bool == true })
    #expect((card["nameservers"] as? [String: [String]]) == ["addresses": ["192.0.2.53"]])
    let loopback = GuestNetwork(ipv4Address: "10.0.2.15/24", ipv4Gateway: "10.0.2.2")
    let closed =
      try await object("network-config", of: seed(network: loopback))["ethernets"] as? [String: [String: Any]]
    #expect(closed?["eth0"]?["nameservers"] == nil && closed?["eth0"]?["addresses"] as? [String] == ["10.0.2.15/24"])
  }
}

@Suite("How a disk is run")
struct DiskRecordTests {
  @Test("Is read as it was written, and never guessed")
  func record() throws {
    let folder = try ScopedFolder()
    let path = folder.url.appendingPathComponent("disk.json").path
    #expect(try DiskRecord.read(path) == nil)
    var properties = ImageProperties()
    properties.seedFormat = .nocloud
    properties.firmware = .uefi
    let record = DiskRecord(instance: UUID(), properties: properties)
    try record.write(to: path)
    #expect(try DiskRecord.read(path) == record)
    try PrivateFile.write(Array("{".utf8), to: path)
    #expect(throws: DriverError.self) { try DiskRecord.read(path) }
  }

  @Test("Is what the copy says, and none is guessed where that cannot be read")
  func copy() throws {
    let folder = try ScopedFolder()
    let (machine, copy) = (UUID(), UUID())
    let copies = CopyFiles(copyDirectory: folder.url.path, installation: UUID(), machine: machine)
    try copies.makeFolder(for: .root)
    let disk = CopiedDisk(sizeBytes: 0, checksum: "")
    for record in [nil, DiskRecord.ofOurs(machine)] {
      let partial = "\(copies.folder)/partial"
      try PrivateFile.write([], to: partial)
      try copies.complete(partial, as: copy, disk, runAs: record)
      #expect(try copies.diskRecord(of: copy) == record)
    }
    let json = "\(copies.folder)/\(copy.text).json"
    try PrivateFile.write(Array(#"{"sizeBytes": 0, "checksum": "", "disk": {}}"#.utf8), to: json)
    #expect(throws: DriverError.self) { try copies.diskRecord(of: copy) }
    try FileManager.default.removeItem(atPath: json)
    #expect(throws: DriverError.self) { try copies.diskRecord(of: copy) }
  }

  @Test("Of an image that is too large for the disk, or for another processor, none is made")
  func unfit() async throws {
    let folder = try ScopedFolder()
    let images = folder.url.path
    for (name, json) in [
      ("large", #""minimum_disk_gib": 8"#), ("arm", #""architecture": "aarch64""#),
      ("strange", #""firmware": "abacus""#),
    ] {
      let version = "\(images)/\(name)/1"
      try FileManager.default.createDirectory(atPath: version, withIntermediateDirectories: true)
      _ = try await Program("qemu-img", ["create", "-q", "-f", "qcow2", "\(version)/disk.qcow2", "1M"]).output()
      try Data("{\"name\": \"\(name)\", \"version\": \"1\", \(json)}".utf8)
        .write(to: URL(fileURLWithPath: "\(version)/image.json"))
      try FileManager.default.createSymbolicLink(atPath: "\(images)/\(name)/current", withDestinationPath: "1")
    }
    let driver = try PrivateHost.makeDriver("\(images)/data", images: images)
    defer { driver.close() }
    await #expect(throws: DriverError.self) { try await driver.readyImage("large", storageGiB: 4) }
    expectEqual(try await driver.readyImage("large", storageGiB: 8), "1")
    await #expect(throws: DriverError.self) { try await driver.readyImage("arm", storageGiB: 8) }
    await #expect(throws: DriverError.self) { try await driver.readyImage("strange", storageGiB: 8) }
  }
}
