import Foundation
import HostPrograms
import Testing

@testable import HostNetwork

extension RoutedHostTests {
  @Test("What a guest forges reaches nobody: not the world, not its neighbours, not the host", arguments: kinds)
  func forgedFrames(_ link: RoutedInterface.Link) throws {
    try withGuests(Self.servers(10, 11, link)) { reconciler, a, b in
      let frames = try ForgedFrames(from: a, to: b, copies: 200)
      defer { frames.remove() }
      let before = try settledRouting()
      var sent = ""
      let results = try frames.watched(tap: b.interface.tap) { sent = try a.run("frames \(frames.path)") }
      #expect(sent == "sent \(results.map(\.sent).reduce(0, +))")
      ForgedFrames.check(results)
      let after = try routing()
      #expect(after == before, "\(after.split(separator: "\n").filter { !before.contains($0) })")
      let repair = try reconciler.reconcile { [a.interface, b.interface] }
      #expect(!repair.isFilterLoaded && repair.links == 0 && repair.others == 0)
    }
  }

  /// The kernel tells of a link that has come up a second later.
  private func settledRouting() throws -> String {
    var last = try routing()
    for _ in 1...10 {
      poll(nil, 0, 600)
      let now = try routing()
      if now == last { break }
      last = now
    }
    return last
  }
}

/// Frames of many kinds, made by Tests/Hosts/forgery, and who got them.
struct ForgedFrames {
  struct Result: Decodable {
    let kind: String
    let reaches: Set<String>
    let sent: Int
    let world: Int
    let neighbour: Int
    let host: Int

    var places: Set<String> {
      Set([("world", world), ("neighbour", neighbour), ("host", host)].filter { $0.1 > 0 }.map { $0.0 })
    }
  }

  let path = TestFiles.folder + "/frames"

  /// - Parameter link: On a bridge, what Tests/Hosts/forgery wants to know of it.
  init(from guest: Guest, to neighbour: Guest, copies: Int, link: [String] = []) throws {
    let guests = [guest, neighbour].flatMap { ["\($0.interface.hardwareAddress)", $0.address, $0.address6] }
    try HostProgram("env", [try Self.python, "\(TestFiles.hosts)/forgery", "make", path, "\(copies)"] + guests + link)
      .run(within: .seconds(60))
  }

  /// What came through while something was done.
  func watched(tap: String, _ body: () throws -> Void) throws -> [Result] {
    let watch = try RunningProgram(
      "env", [try Self.python, "\(TestFiles.hosts)/forgery", "watch", path, World.namespace, tap])
    defer { watch.end() }
    try #require(watch.line() == "ready")
    try body()
    watch.endInput()
    var results: [Result] = []
    while let line = watch.line() { results.append(try JSONDecoder().decode(Result.self, from: Data(line.utf8))) }
    return results
  }

  static func check(_ results: [Result]) {
    for result in results where !result.reaches.isEmpty { print("\(result)") }
    let forged = results.filter { $0.reaches.isEmpty }
    print("\(forged.count) kinds of forged frames, \(forged.map(\.sent).reduce(0, +)) frames")
    #expect(forged.count > 60)
    for result in results { #expect(result.places == result.reaches, "\(result)") }
  }

  func remove() {
    for file in [path, path + ".json"] { try? FileManager.default.removeItem(atPath: file) }
  }

  /// That of `scripts/setup tests`, which has scapy.
  private static var python: String {
    get throws {
      let path = URL(fileURLWithPath: TestFiles.hosts).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent(".build/clients/bin/python").path
      try #require(FileManager.default.isExecutableFile(atPath: path), "scripts/setup tests installs it")
      return path
    }
  }
}
