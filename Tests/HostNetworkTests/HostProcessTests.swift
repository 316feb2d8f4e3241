import Foundation
import HostPrograms
import TestSupport
import Testing

@Suite("Processes of the host")
struct HostProcessTests {
  @Test("Are found with their programs and their arguments, as long as they are there")
  func found() throws {
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: try #require(HostProgram.path(of: "sh")))
    shell.arguments = ["-c", "echo; read line", "600.25"]
    let (input, output) = (Pipe(), Pipe())
    shell.standardInput = input
    shell.standardOutput = output
    try shell.run()
    defer { kill(shell.processIdentifier, SIGKILL) }
    // A process that was begun just now has no command line for a moment.
    #expect(try output.fileHandleForReading.read(upToCount: 1) == Data("\n".utf8))
    let process = try #require(try HostProcess.all().first { $0.id == shell.processIdentifier })
    #expect(process.program.hasSuffix("/sh") && process.arguments.dropFirst() == ["-c", "echo; read line", "600.25"])
    #expect(process.mentions("00.2") && !process.mentions("601") && !process.isEmulator)
    kill(shell.processIdentifier, SIGKILL)
    shell.waitUntilExit()
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
