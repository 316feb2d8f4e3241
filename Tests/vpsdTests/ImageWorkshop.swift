import Foundation
import TestSupport
import Testing

/// An operator with disks, checksums and keys to try.
struct ImageWorkshop {
  let someone: Operator
  let folder: String

  init() throws {
    someone = try Operator()
    folder = someone.folder.url.path
  }

  var images: String { someone.data + "/images" }

  func path(_ name: String) -> String { "\(folder)/\(name)" }

  func add(_ arguments: String...) throws -> Operator.Result { try someone.run(["image", "add"] + arguments) }

  static func disk(_ number: UInt8 = 1, kibibytes: Int = 256) -> [UInt8] {
    Publisher.Page.disk(number, kibibytes: kibibytes)
  }

  @discardableResult
  func write(_ name: String, _ bytes: [UInt8] = disk()) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
    return path(name)
  }

  func read(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path(name)))) }

  /// Runs a program in the folder, and returns what it prints.
  @discardableResult
  func run(_ program: String, _ arguments: String...) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "GNUPGHOME": path("gnupg"), "LC_ALL": "C"]
    process.standardInput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(program) \(arguments)")
    return String(decoding: data, as: UTF8.self)
  }

  func sum(_ name: String, _ program: String = "sha256sum") throws -> String {
    String(try run(program, name).prefix { $0 != " " })
  }

  /// Makes a key and returns its fingerprint; `NAME.gpg` and `NAME.asc` are what its owner publishes.
  func makeKey(_ name: String) throws -> String {
    if !FileManager.default.fileExists(atPath: path("gnupg")) {
      try FileManager.default.createDirectory(
        atPath: path("gnupg"), withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }
    try run(
      "gpg", "--batch", "--quiet", "--passphrase", "", "--quick-gen-key", "\(name) <\(name)@example.com>", "ed25519",
      "sign",
      "0")
    try run("gpg", "--batch", "--quiet", "--output", "\(name).gpg", "--export", "\(name)@example.com")
    try run("gpg", "--batch", "--quiet", "--armor", "--output", "\(name).asc", "--export", "\(name)@example.com")
    let listing = try run("gpg", "--batch", "--with-colons", "--list-keys", "\(name)@example.com")
    let line = listing.split(separator: "\n").first { $0.hasPrefix("fpr:") }
    return try #require(line?.split(separator: ":").last.map(String.init))
  }

  func endAgent() { _ = try? run("gpgconf", "--kill", "gpg-agent") }

  /// Everything below the store, but for the lock and the marks of who uses it.
  func left() throws -> [String] {
    let all = FileManager.default.enumerator(atPath: images)?.compactMap { $0 as? String } ?? []
    return all.filter { $0 != ".lock" && !$0.hasPrefix(".installations") }.sorted()
  }
}
