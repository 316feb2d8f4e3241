import Foundation
import Testing

@Suite("What must not become an image is refused in one sentence, and nothing of it is left")
struct ImageRefusalTests {
  private func refused(
    _ workshop: ImageWorkshop, _ arguments: [String], _ words: String, status: Int32 = 4, isUsage: Bool = false,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let result = try workshop.someone.run(["image", "add", "stranger"] + arguments)
    #expect(
      result.status == status && result.errors.contains(words), "\(arguments): \(result.status) \(result.all)",
      sourceLocation: sourceLocation)
    // ArgumentParser adds how the command is used.
    let isOneSentence = isUsage || result.errors.split(separator: "\n").count == 1
    #expect(isOneSentence, "\(result.errors)", sourceLocation: sourceLocation)
    #expect(try workshop.left() == [], sourceLocation: sourceLocation)
  }

  @Test("Files that are none, that lead elsewhere, or that are no disk")
  func files() throws {
    let workshop = try ImageWorkshop()
    let disk = try workshop.write("disk.raw")
    try refused(workshop, ["--file", workshop.path("none")], "There is no file", status: 3)
    try refused(workshop, ["--file", workshop.folder], "is a folder")
    try workshop.run("ln", "-s", "/etc/shadow", "link")
    try refused(workshop, ["--file", workshop.path("link")], "is a link: name the file itself.")
    try workshop.run("ln", disk, "other-name")
    try refused(workshop, ["--file", workshop.path("other-name")], "is the file of other names")
    try workshop.run("mkfifo", "pipe")
    try refused(workshop, ["--file", workshop.path("pipe")], "is no file of bytes")
    try refused(workshop, ["--file", "/dev/zero"], "is no file of bytes")
    try refused(workshop, ["--file", try workshop.write("empty", [])], "is empty")
    try refused(
      workshop, ["--file", try workshop.write("text", Array(repeating: 0x41, count: 100_000))], "neither a partition")
    var generator = SystemRandomNumberGenerator()
    let junk = (0..<65_536).map { _ in UInt8.random(in: 0...127, using: &generator) }
    try refused(workshop, ["--file", try workshop.write("junk", [0x41] + junk)], "no disk of a system")
    let cut = Array(ImageWorkshop.disk().prefix(100 << 10))
    try refused(workshop, ["--file", try workshop.write("cut.raw", cut)], "It is cut off")
    try refused(
      workshop, ["--file", try workshop.write("disk.sum"), "--sha256", String(repeating: "0", count: 64)],
      "has the SHA256 \(try workshop.sum("disk.sum")), and not 0000")
    try refused(
      workshop, ["--file", try workshop.write("vm.vmdk", Array("KDMV".utf8) + junk)], "is in the format VMDK")
  }

  @Test("qcow2 images that are cut or damaged, that name other files, or are larger than any disk")
  func qcow2() throws {
    let workshop = try ImageWorkshop()
    try workshop.write("disk.raw")
    try workshop.run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "disk.raw", "disk.qcow2")
    let whole = try workshop.read("disk.qcow2")
    let cut = try workshop.write("cut.qcow2", Array(whole.prefix(whole.count - (100 << 10))))
    try refused(workshop, ["--file", cut], "is damaged or cut off")
    try refused(workshop, ["--file", try workshop.write("head.qcow2", Array(whole.prefix(40)))], "no qcow2 image")
    var broken = whole
    for byte in 0x1_0000..<0x1_0040 { broken[byte] = 0xFF }
    try refused(workshop, ["--file", try workshop.write("broken.qcow2", broken)], "is damaged or cut off")
    try workshop.run(
      "qemu-img", "create", "-f", "qcow2", "-F", "qcow2", "-b", workshop.path("disk.qcow2"), "overlay.qcow2")
    try refused(workshop, ["--file", workshop.path("overlay.qcow2")], "builds on another file")
    // Also one that is named such that only root may read it.
    try workshop.run("qemu-img", "create", "-u", "-f", "qcow2", "-F", "raw", "-b", "/etc/shadow", "shadow.qcow2", "1M")
    try refused(workshop, ["--file", workshop.path("shadow.qcow2")], "builds on another file")
    try workshop.run("qemu-img", "create", "-f", "qcow2", "-o", "data_file=data.raw", "external.qcow2", "1M")
    try refused(workshop, ["--file", workshop.path("external.qcow2")], "has its data in another file")
    try workshop.run("qemu-img", "create", "-f", "qcow2", "huge.qcow2", "70G")
    try refused(
      workshop, ["--file", workshop.path("huge.qcow2")], "is a disk of 75161927680 bytes, more than the 68719476736")
    try workshop.run("qemu-img", "create", "-f", "qcow2", "blank.qcow2", "1M")
    try refused(workshop, ["--file", workshop.path("blank.qcow2")], "neither a partition table nor a file system")
    try workshop.run("truncate", "-s", "2G", "large.raw")
    try workshop.run("qemu-img", "create", "-f", "qcow2", "larger.qcow2", "2G")
    for file in ["large.raw", "larger.qcow2"] {
      try refused(workshop, ["--file", workshop.path(file), "--maximum-disk", "1"], "more than the 1")
    }
  }

  @Test(
    "Compressed ones that are cut, that unpack to more than there may be, or to something else",
    arguments: ["xz", "zstd"])
  func compressed(by program: String) throws {
    let workshop = try ImageWorkshop()
    try workshop.write("disk")
    try workshop.run(program, "--keep", "--quiet", "disk")
    let ending = program == "xz" ? "xz" : "zst"
    let packed = try workshop.read("disk.\(ending)")
    let cut = try workshop.write("cut.\(ending)", Array(packed.prefix(packed.count / 2)))
    try refused(workshop, ["--file", cut], "cannot be unpacked")
    // Both go on with another one behind the first.
    try workshop.run("truncate", "-s", "110M", "zeros")
    try workshop.run(program, program == "xz" ? "-0" : "-1", "--quiet", "zeros")
    let zeros = try workshop.read("zeros.\(ending)")
    try workshop.write("bomb.\(ending)", (0..<10).flatMap { _ in zeros })
    try refused(
      workshop, ["--file", workshop.path("bomb.\(ending)"), "--maximum-disk", "1"],
      "unpacks to more than the 1073741824 bytes")
    try workshop.run("cp", "disk.\(ending)", "twice")
    try workshop.run(program, "--quiet", "twice")
    try refused(workshop, ["--file", workshop.path("twice.\(ending)")], "is compressed twice")
    try workshop.write("words", Array("#!/bin/sh\nrm -rf /\n".utf8))
    try workshop.run(program, "--quiet", "words")
    try refused(workshop, ["--file", workshop.path("words.\(ending)")], "no disk of a system")
  }

  @Test("What was typed wrong, before anything is looked at")
  func options() throws {
    let workshop = try ImageWorkshop()
    let file = try workshop.write("disk.raw")
    for (arguments, words) in [
      (["--file", file, "--url", "https://example.com/a"], "Give either --file or --url."),
      (["--url", "https://example.com/a"], "--url: What comes from the network is held to a checksum"),
      (["--url", "ftp://example.com/a", "--checksums", "https://example.com/b"], "--url: Write an address"),
      (["--url", "file:///etc/passwd", "--sha256", String(repeating: "a", count: 64)], "--url: Write an address"),
      (["--url", "https://me:secret@example.com/a", "--checksums", "https://example.com/b"], "--url: It is stored"),
      (["--url", "https://example.com/a", "--sha256", "abc"], "--sha256: Write the 64"),
      (
        ["--url", "https://example.com/a", "--checksums", "http://example.com/b"],
        "--checksums: What comes by plain HTTP"
      ),
      (
        ["--url", "https://a.com/a", "--checksums", "https://a.com/b", "--keyring", "https://a.com/k"],
        "--fingerprint: Keys from the network"
      ),
      (["--file", file, "--seed", "floppy"], "--seed: \"floppy\" is none of vpsd, nocloud."),
      (["--file", file, "--user", "Root;reboot"], "--user: Write 1 to 32"),
      (["--file", file, "--minimum-disk", "0"], "--minimum-disk: 1 to"),
      (["--file", file, "--os", "Ж"], "--os: No slug"), (["--file", file, "--os", "Plan"], "--os-version:"),
      (["--file", file, "--family", "debian"], "--os: Give the name"),
    ] {
      try refused(workshop, arguments, words, status: 64, isUsage: true)
    }
    let name = try workshop.someone.run("image", "add", "../etc", "--file", file)
    #expect(name.status == 64 && name.errors.contains("The name: Write 1 to 64 of a-z"))
    try refused(workshop, [], "Nobody is known who publishes \"stranger\"", status: 3)
    // The catalogue is looked for before anything is fetched.
    try refused(workshop, ["--file", file, "--os", "Debian 13"], "database", status: 1)
  }
}
