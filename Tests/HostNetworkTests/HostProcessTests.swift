import Foundation
import HostPrograms
import TestSupport
import Testing

@Suite("Processes of the host")
struct HostProcessTests {
  @Test("Are found with their programs and their arguments, as long as they are there")
  func found() throws {
    let sleep = Process()
    sleep.executableURL = URL(fileURLWithPath: try #require(HostProgram.path(of: "sleep")))
    sleep.arguments = ["600.25"]
    try sleep.run()
    defer { kill(sleep.processIdentifier, SIGKILL) }
    let process = try #require(try HostProcess.all().first { $0.id == sleep.processIdentifier })
    #expect(process.program.hasSuffix("/sleep") && process.arguments.dropFirst() == ["600.25"])
    #expect(process.mentions("00.2") && !process.mentions("601") && !process.isEmulator)
    kill(sleep.processIdentifier, SIGKILL)
    sleep.waitUntilExit()
    #expect(try !HostProcess.all().contains { $0.id == process.id && $0.mentions("600.25") })
  }

  @Test("Are those of a file with their number only where they are the ones that were meant")
  func numbered() async throws {
    try await withTemporaryFolder { folder in
      let file = folder.path + "/pid"
      #expect(HostProcess(inFile: file) { _ in true } == nil)
      try "\(getpid())\n".write(toFile: file, atomically: true, encoding: .utf8)
      #expect(HostProcess(inFile: file) { !$0.program.isEmpty }?.id == getpid())
      #expect(HostProcess(inFile: file) { $0.mentions("/no/such/thing") } == nil)
      // Beyond all numbers that the kernel gives, and no number.
      for text in ["4194305\n", "self\n", ""] {
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        #expect(HostProcess(inFile: file) { _ in true } == nil, "\(text)")
      }
    }
  }
}
