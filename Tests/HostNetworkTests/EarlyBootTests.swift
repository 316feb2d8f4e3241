import Foundation
import HostPrograms
import TestSupport
import Testing

@Suite("What a guest takes over from a seed that has changed")
struct EarlyBootTests {
  /// What resolv.conf says once a seed with other name servers was applied; nil for none.
  ///
  /// - Parameter before: As the customer left it; nil for none.
  private func resolver(
    _ before: String?, from old: String?, to new: String, isLink: Bool = false
  ) throws -> String? {
    let folder = try ScopedFolder()
    let path = folder.url.path
    let file = "\(path)/resolv.conf"
    let script = try String(contentsOfFile: "\(TestFiles.image)/usr/lib/vpsd/early-boot", encoding: .utf8)
    let functions = try #require(script.range(of: "\n(\n")).lowerBound
    try script[..<functions].replacing("/etc/resolv.conf", with: file).write(
      toFile: "\(path)/functions", atomically: true, encoding: .utf8)
    func settings(_ servers: String) -> String { "HOSTNAME=a\nFQDN=a\nDNS=\(servers)\n" }
    try old.map { try settings($0).write(toFile: "\(path)/settings", atomically: true, encoding: .utf8) }
    try settings(new).write(toFile: "\(path)/settings.new", atomically: true, encoding: .utf8)
    try "a a\n".write(toFile: "\(path)/names", atomically: true, encoding: .utf8)
    let place = isLink ? "\(path)/stub" : file
    try before?.write(toFile: place, atomically: true, encoding: .utf8)
    if isLink { try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: place) }
    _ = try HostProgram("sh", ["-c", ". \(path)/functions; state=\(path); sync() { :; }; apply_settings"]).run(
      within: .seconds(60))
    #expect(!FileManager.default.fileExists(atPath: "\(path)/settings.new"))
    return FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test("Other name servers take the place of those that it had from the last one")
  func ours() throws {
    let (one, two) = ("nameserver 192.0.2.1\n", "nameserver 192.0.2.2\nnameserver 192.0.2.3\n")
    #expect(try resolver(one, from: "192.0.2.1", to: "192.0.2.2 192.0.2.3") == two)
    #expect(try resolver(two, from: "192.0.2.2 192.0.2.3", to: "192.0.2.1") == one)
    #expect(try resolver("", from: "", to: "192.0.2.1") == one)
    #expect(try resolver(one, from: "192.0.2.1", to: "") == "")
    // The first boot, whatever the image had.
    #expect(try resolver(nil, from: nil, to: "192.0.2.1") == one)
    #expect(try resolver("nameserver 10.0.0.1\n", from: nil, to: "192.0.2.1") == one)
  }

  @Test("What the customer has written since, or handed to a resolver, stays")
  func theirs() throws {
    for own in ["nameserver 10.0.2.9\n", "nameserver 192.0.2.1\nsearch example.com\n", ""] {
      #expect(try resolver(own, from: "192.0.2.1", to: "192.0.2.2") == own)
    }
    #expect(try resolver(nil, from: "192.0.2.1", to: "192.0.2.2") == nil)
    let stub = "nameserver 127.0.0.53\n"
    #expect(try resolver(stub, from: "192.0.2.1", to: "192.0.2.2", isLink: true) == stub)
  }
}
