import Foundation
import TestSupport
import Testing

@Suite("Images come from their publishers, verified or not at all")
struct ImageDownloadTests {
  private let workshop: ImageWorkshop
  private let publisher: Publisher

  init() throws {
    workshop = try ImageWorkshop()
    try workshop.someone.makeInstallation()
    publisher = try Publisher()
  }

  private func publish(_ disk: [UInt8], as name: String = "disk.img") throws -> String {
    publisher.publish("/\(name)", disk)
    try workshop.write(name, disk)
    return try workshop.sum(name)
  }

  private func add(_ arguments: String...) throws -> Operator.Result {
    try workshop.someone.run(["image", "add", "theirs", "--url", publisher.url("/disk.img")] + arguments)
  }

  @Test(
    "A list of checksums says what the image must be, however it is written, and an update fetches only what is new")
  func checksums() throws {
    let sum = try publish(ImageWorkshop.disk(1))
    let long = try workshop.sum("disk.img", "sha512sum")
    let other = String(repeating: "0", count: 64)
    for list in [
      "\(long)  disk.img\n", "\(other) *other.img\n\(sum) *disk.img\n",
      "\(other)  disk.img.zsync\n\(sum)  ./disk.img\r\n",
      "# disk.img: 262144 bytes\nSHA256 (other.img) = \(other)\nSHA256 (disk.img) = \(sum)\n", "\(sum)\n",
    ] {
      publisher.publish("/SUMS", Array(list.utf8))
      let added = try add("--checksums", publisher.url("/SUMS"))
      #expect(added.status == 0, "\(list): \(added.all)")
    }
    let fetched = publisher.requests.filter { $0.hasPrefix("/disk.img") }.count
    let same = try workshop.someone.run("image", "update", "theirs")
    #expect(same.status == 0 && same.output.contains("has this already"), "\(same.all)")
    #expect(publisher.requests.filter { $0.hasPrefix("/disk.img") }.count == fetched)
    let newer = try publish(ImageWorkshop.disk(2))
    publisher.publish("/SUMS", Array("\(newer)  disk.img\n".utf8))
    let update = try workshop.someone.run("image", "update", "theirs", "--json")
    #expect(try update.objects.first?["source_sha256"] as? String == newer, "\(update.all)")
    #expect(try workshop.someone.run("image", "list", "--json").objects.count == 2)

    for (list, words) in [
      ("\(sum)  disk.img\n", "and not \(sum)"), ("\(sum)  other.img\n", "has no SHA-256 or SHA-512 of disk.img"),
      ("\(sum)  disk.img\n\(newer)  disk.img\n", "has no SHA-256"),
      ("d41d8cd98f00b204e9800998ecf8427e  disk.img\n", "has no"),
    ] {
      publisher.publish("/SUMS", Array(list.utf8))
      let refused = try add("--checksums", publisher.url("/SUMS"))
      #expect(refused.status == 4 && refused.errors.contains(words), "\(refused.all)")
    }
    #expect(try workshop.someone.run("image", "list", "--json").objects.count == 2)
    #expect(try !workshop.left().contains { $0.hasPrefix(".") })
  }

  @Test("The list is signed, in itself or beside it, by a key that the operator trusts")
  func signatures() throws {
    defer { workshop.endAgent() }
    let sum = try publish(ImageWorkshop.disk())
    let (theirs, stranger) = (try workshop.makeKey("theirs"), try workshop.makeKey("stranger"))
    try workshop.write("SUMS", Array("\(sum)  disk.img\n".utf8))
    for key in [theirs, stranger] {
      for (way, file) in [("--detach-sign", "sig"), ("--clear-sign", "clear")] {
        try workshop.run(
          "gpg", "--batch", "--quiet", "--yes", "--local-user", key, "--output", "\(key).\(file)", way, "SUMS")
      }
    }
    publisher.publish("/SUMS", try workshop.read("SUMS"))
    publisher.publish("/SUMS.gpg", try workshop.read("\(theirs).sig"))
    publisher.publish("/SUMS.stranger", try workshop.read("\(stranger).sig"))
    publisher.publish("/CLEAR", try workshop.read("\(theirs).clear"))
    publisher.publish("/key", try workshop.read("theirs.asc"))
    publisher.publish("/other-key", try workshop.read("stranger.asc"))
    let list = ["--checksums", publisher.url("/SUMS"), "--signature", publisher.url("/SUMS.gpg")]
    let keyring = ["--keyring", workshop.path("theirs.gpg")]
    func add(_ arguments: [String]) throws -> Operator.Result {
      try workshop.someone.run(["image", "add", "theirs", "--url", publisher.url("/disk.img")] + arguments)
    }
    for arguments in [
      list + keyring, list + ["--keyring", workshop.path("theirs.asc"), "--fingerprint", theirs],
      list + ["--keyring", publisher.url("/key"), "--fingerprint", theirs.lowercased()],
      ["--checksums", publisher.url("/CLEAR")] + keyring,
    ] {
      let added = try add(arguments)
      #expect(added.status == 0, "\(added.all)")
      #expect(try workshop.someone.run("image", "remove", "theirs").status == 0)
    }

    var clear = String(decoding: try workshop.read("\(theirs).clear"), as: UTF8.self)
    let before = String(repeating: "0", count: 64) + "  disk.img\n"
    publisher.publish("/CHANGED", Array(clear.replacing(sum.prefix(8), with: "00000000").utf8))
    clear += before
    publisher.publish("/AFTER", Array(clear.utf8))
    publisher.publish("/STRANGER", try workshop.read("\(stranger).clear"))
    for (arguments, words) in [
      (["--checksums", publisher.url("/CHANGED")] + keyring, "its signature is wrong"),
      (["--checksums", publisher.url("/STRANGER")] + keyring, "is signed by a key that is not among those"),
      (
        ["--checksums", publisher.url("/SUMS"), "--signature", publisher.url("/SUMS.stranger")] + keyring,
        "is signed by a key that is not among those"
      ),
      (["--checksums", publisher.url("/SUMS")] + keyring, "has no signature in it: give --signature"),
      (
        ["--checksums", publisher.url("/SUMS"), "--signature", publisher.url("/SUMS")] + keyring,
        "has no signature that could be checked"
      ),
      (list + ["--keyring", publisher.url("/other-key"), "--fingerprint", theirs], "is signed by a key that is not"),
      (list + keyring + ["--fingerprint", stranger], "is signed by another key than \(stranger)"),
    ] {
      let refused = try add(arguments)
      #expect(refused.status == 4 && refused.errors.contains(words), "\(refused.all)")
      #expect(try workshop.left() == [])
    }
    // What stands behind the signature is nobody's.
    let after = try add(["--checksums", publisher.url("/AFTER")] + keyring)
    #expect(after.status == 0, "\(after.all)")
    let missing = try add(list + ["--keyring", workshop.path("none.gpg")])
    #expect(missing.status == 3 && missing.errors.contains("none.gpg with keys"), "\(missing.all)")
  }

  @Test("A connection that ends is made again, and what came is not fetched twice, in this run and the next")
  func resumption() throws {
    let disk = ImageWorkshop.disk(1, kibibytes: 1024)
    let sum = try publish(disk)
    publisher.publish("/disk.img", Publisher.Page(body: disk, cuts: [300_000, 200_000]))
    let added = try add("--sha256", sum)
    #expect(added.status == 0, "\(added.all)")
    #expect(publisher.requests == ["/disk.img", "/disk.img 300000-", "/disk.img 500000-"])
    #expect(try workshop.someone.run("image", "remove", "theirs").status == 0)

    // One after the other that gives nothing.
    publisher.publish("/disk.img", Publisher.Page(body: disk, cuts: [400_000, 0, 0, 0, 0]))
    let failed = try add("--sha256", sum)
    #expect(failed.status == 1 && failed.errors.contains("is gone on with next time"), "\(failed.all)")
    #expect(try workshop.left().contains(".adding-theirs/work/download"))
    let second = try add("--sha256", sum)
    #expect(second.status == 0 && publisher.requests.last == "/disk.img 400000-", "\(second.all)")
    #expect(try !workshop.left().contains { $0.hasPrefix(".") })

    // A publisher that sends no parts, and one whose file is another one by now.
    #expect(try workshop.someone.run("image", "remove", "theirs").status == 0)
    publisher.publish("/disk.img", Publisher.Page(body: disk, takesRanges: false, cuts: [400_000]))
    let whole = try add("--sha256", sum)
    #expect(whole.status == 0, "\(whole.all)")
    #expect(try workshop.someone.run("image", "remove", "theirs").status == 0)
    let other = ImageWorkshop.disk(7, kibibytes: 1024)
    publisher.publish("/disk.img", Publisher.Page(body: other, cuts: [400_000], next: disk))
    let changed = try add("--sha256", sum)
    #expect(changed.status == 4 && changed.errors.contains("and not \(sum)"), "\(changed.all)")
    let again = try add("--sha256", sum)
    #expect(again.status == 0, "\(again.all)")
    #expect(
      try workshop.someone.run("image", "show", "theirs", "--json").objects.first?["source_sha256"] as? String == sum)
  }

  @Test("Whoever looks on at a terminal sees how far it is, and nobody else is told")
  func progress() throws {
    let disk = ImageWorkshop.disk()
    let sum = try publish(disk)
    publisher.publish("/disk.img", Publisher.Page(body: disk, holdsAfter: 100_000))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/script")
    let command = "image add theirs --url \(publisher.url("/disk.img")) --sha256 \(sum)"
    process.arguments = ["-qec", "\(Operator.program.path) \(command)", "/dev/null"]
    process.environment = ["PATH": "/usr/bin:/bin", "VPSD_DATA_DIR": workshop.someone.data]
    let output = Pipe()
    process.standardOutput = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    var words = Data()
    // Some of it has come, and no more of it comes until that is shown.
    while !String(decoding: words, as: UTF8.self).contains(/, [1-9][0-9]? %/) {
      let more = output.fileHandleForReading.availableData
      guard !more.isEmpty else { break }
      words += more
    }
    publisher.publish("/disk.img", disk)
    words += try output.fileHandleForReading.readToEnd() ?? Data()
    let said = String(decoding: words, as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(said)")
    #expect(said.contains(/\r0 MiB of 0 MiB, [1-9][0-9]? %/) && said.contains("converting"), "\(said)")
    #expect(said.contains("The image theirs has the version"), "\(said)")
    #expect(try workshop.someone.run("image", "remove", "theirs").status == 0)
    let alone = try add("--sha256", sum)
    #expect(alone.status == 0 && !alone.all.contains("%") && !alone.all.contains("\r"), "\(alone.all)")
  }

  @Test("Whoever is killed in the middle leaves what the next one goes on with")
  func killed() async throws {
    let disk = ImageWorkshop.disk(1, kibibytes: 1024)
    let sum = try publish(disk)
    publisher.publish("/disk.img", Publisher.Page(body: disk, holdsAfter: 200_000))
    let process = Process()
    process.executableURL = Operator.program
    process.arguments = ["image", "add", "theirs", "--url", publisher.url("/disk.img"), "--sha256", sum]
    process.environment = ["PATH": "/usr/bin:/bin", "VPSD_DATA_DIR": workshop.someone.data]
    process.standardError = FileHandle.nullDevice
    try process.run()
    let download = workshop.images + "/.adding-theirs/work/download"
    let deadline = ContinuousClock.now + .seconds(120)
    while ((try? FileManager.default.attributesOfItem(atPath: download)[.size]) as? Int ?? 0) < 100_000 {
      try #require(ContinuousClock.now < deadline)
      try await Task.sleep(for: .milliseconds(20))
    }
    let meanwhile = try add("--sha256", sum)
    #expect(meanwhile.status == 4 && meanwhile.errors.contains("Another process is adding"), "\(meanwhile.all)")
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    publisher.publish("/disk.img", disk)
    let added = try add("--sha256", sum)
    #expect(added.status == 0, "\(added.all)")
    let last = try #require(publisher.requests.last)
    #expect(last.hasPrefix("/disk.img ") && (Int(last.dropFirst(10).dropLast()) ?? 0) >= 100_000, "\(last)")
    #expect(try !workshop.left().contains { $0.hasPrefix(".") })
  }

  @Test("Redirects are followed as far as is sane, and never away from the web; what is too large or too slow ends")
  func bounds() throws {
    let sum = try publish(ImageWorkshop.disk())
    publisher.publish("/moved", Publisher.Page(redirect: publisher.url("/disk.img")))
    publisher.publish("/loop", Publisher.Page(redirect: "/loop"))
    publisher.publish("/file", Publisher.Page(redirect: "file:///etc/passwd"))
    publisher.publish("/slow", Publisher.Page(body: ImageWorkshop.disk(), delay: .milliseconds(100)))
    func add(_ path: String, _ arguments: String...) throws -> Operator.Result {
      try workshop.someone.run(
        ["image", "add", "theirs", "--url", publisher.url(path), "--sha256", sum] + arguments)
    }
    for (path, status, words) in [
      ("/loop", 4, "leads to more than 5 other addresses"), ("/file", 4, "leads to what is neither HTTP nor HTTPS"),
      ("/none", 1, "its publisher answers 404"),
    ] as [(String, Int32, String)] {
      let refused = try add(path)
      #expect(refused.status == status && refused.errors.contains(words), "\(path): \(refused.all)")
      #expect(try workshop.left() == [])
    }
    let slow = try add("/slow", "--timeout", "2")
    #expect(slow.status == 1 && slow.errors.contains("did not come in time"), "\(slow.all)")
    let moved = try add("/moved")
    #expect(moved.status == 0, "\(moved.all)")
    // Lists are short.
    publisher.publish("/SUMS", [UInt8](repeating: 0x41, count: 2 << 20))
    let long = try workshop.someone.run(
      "image", "add", "other", "--url", publisher.url("/disk.img"), "--checksums", publisher.url("/SUMS"))
    #expect(long.status == 4 && long.errors.contains("has more than 1048576 bytes"), "\(long.all)")
  }

  @Test("What publishers are known for is all there: addresses, checksums, and whose keys")
  func catalogue() throws {
    let known = try workshop.someone.run("image", "list", "--known", "--json").objects
    let names = known.compactMap { $0["image"] as? String }
    for name in [
      "ubuntu-22.04", "ubuntu-24.04", "debian-12-stock", "debian-13", "almalinux-9", "rocky-9", "fedora-43",
      "alpine-3.21",
    ] {
      #expect(names.contains(name))
    }
    for image in known {
      #expect((image["source"] as? String)?.hasPrefix("https://") == true && image["checksums"] is String, "\(image)")
    }
    // Their sources are held to the rules of those that are typed: here there is no way to any of them.
    let result = try workshop.someone.run(
      ["image", "add", "ubuntu-22.04", "--timeout", "5"], with: ["https_proxy": "http://127.0.0.1:1"])
    #expect(result.status == 1 && result.errors.contains("https://cloud-images.ubuntu.com/jammy"), "\(result.all)")
    #expect(try workshop.left() == [])
  }
}
