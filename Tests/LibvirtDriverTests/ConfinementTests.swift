import Core
import Foundation
import HostPrograms
import PrivateFiles
import TestSupport
import Testing

@Suite("A program that reads what strangers made")
struct ConfinementTests {
  private func run(
    _ words: String, folder: String = "/", fileBytes: Int64 = 4096, within limit: Duration = .seconds(120)
  ) throws -> HostProgram.Ending {
    let confinement = Confinement(user: Confinement.newUser(), fileBytes: fileBytes)
    var program = HostProgram("sh", ["-c", words])
    program.confinement = confinement
    program.folder = folder
    return try program.end(within: limit, stop: StopSignal())
  }

  @Test("Is nobody that owns anything, can become nobody else, and has no network", .enabled(if: geteuid() == 0))
  func rights() throws {
    let status = try run("cat /proc/self/status").output.split(separator: "\n")
    func has(_ name: String, _ value: String) -> Bool {
      status.contains {
        $0.hasPrefix("\(name):\t") && $0.split(separator: "\t").dropFirst().first.map(String.init) == value
      }
    }
    #expect(
      has("NoNewPrivs", "1") && has("CapBnd", "0000000000000000") && has("CapEff", "0000000000000000"), "\(status)")
    let user = try #require(UInt32(try run("id -u").output.trimmingCharacters(in: .whitespacesAndNewlines)))
    #expect((0x7200_0000...0x72FF_FFFF).contains(user))
    #expect(try run("id -u").output != run("id -u").output)
    #expect(try run("cat /etc/shadow").exitStatus != 0)
    let ours = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
    #expect(try !run("readlink /proc/self/ns/net").output.contains(ours))
  }

  @Test("Writes no more than it may, and leaves no process behind")
  func limits() throws {
    let folder = try ScopedFolder()
    let path = folder.url.path
    #expect(chmod(path, 0o777) == 0)
    let ending = try run("head -c 10000 /dev/zero > file", folder: path)
    #expect(ending.exitStatus != 0)
    #expect(try FileManager.default.attributesOfItem(atPath: path + "/file")[.size] as? Int == 4096)
    // What it started ends with it: nothing writes afterwards.
    let start = ContinuousClock.now
    _ = try run("(exec >/dev/null 2>&1; sleep \(nap)) & true")
    #expect(ContinuousClock.now - start < .seconds(120))
    #expect(try sleepers().isEmpty)
  }

  /// Of this test: the same one may be under way beside it.
  private let nap = "600.\(UInt64.random(in: 0...(.max)))"

  private func sleepers() throws -> [Int32] {
    try HostProcess.all().filter { $0.arguments.contains(nap) }.map(\.id)
  }

  @Test("Ends at its deadline, with all that it started", .enabled(if: geteuid() == 0))
  func deadline() throws {
    #expect(throws: DriverError.self) { try run("sleep \(nap) & sleep \(nap)", within: .seconds(2)) }
    let end = ContinuousClock.now + .seconds(60)
    while try !sleepers().isEmpty, ContinuousClock.now < end { poll(nil, 0, 20) }
    #expect(try sleepers().isEmpty)
  }
}
