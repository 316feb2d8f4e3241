import Foundation
import TestSupport
import Testing

@testable import vpsd

@Suite("One service a data directory")
struct ProcessLockTests {
  @Test("Whoever asks who holds the lock never keeps a service from starting")
  func looks() async throws {
    try await withTemporaryFolder { folder in
      let path = folder.path + "/vpsd.lock"
      _ = try ProcessLock(path: path)
      try await withThrowingTaskGroup { group in
        group.addTask {
          for _ in 1...3000 { _ = ProcessLock.holder(path: path) }
        }
        for _ in 1...30 {
          // Another test may have begun a process, which has the descriptor until it is another program.
          let lock = try ProcessLock(path: path, patience: .seconds(60))
          #expect(ProcessLock.holder(path: path) == ProcessLock.Holder(process: getpid(), work: "serve"))
          #expect(throws: ProcessLock.Held.self) { try ProcessLock(path: path, patience: .milliseconds(100)) }
          withExtendedLifetime(lock) {}
        }
        try await group.waitForAll()
      }
      for _ in 1...6000 where ProcessLock.holder(path: path) != nil { try await Task.sleep(for: .milliseconds(10)) }
      #expect(ProcessLock.holder(path: path) == nil)
    }
  }

  @Test("A command that has the lock is no service, and is named to whoever wants it")
  func command() async throws {
    try await withTemporaryFolder { folder in
      let path = folder.path + "/vpsd.lock"
      let lock = try ProcessLock(path: path, for: "restore-state")
      #expect(ProcessLock.holder(path: path) == ProcessLock.Holder(process: getpid(), work: "restore-state"))
      #expect(!ProcessLock.isServed(path: path))
      let held = #expect(throws: ProcessLock.Held.self) { try ProcessLock(path: path) }
      #expect(held?.description.contains("`vpsd restore-state` (process \(getpid())) is at work") == true)
      withExtendedLifetime(lock) {}
    }
  }

  @Test("A shutdown leaves a command alone that is at work, and does not say that a service has ended")
  func shutdown() throws {
    let someone = try Operator()
    try someone.makeInstallation()
    let holder = Process()
    holder.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
    holder.arguments = ["--no-fork", someone.data + "/vpsd.lock", "sleep", "3600"]
    holder.standardError = FileHandle.nullDevice
    try holder.run()
    defer {
      kill(holder.processIdentifier, SIGKILL)
      holder.waitUntilExit()
    }
    let (process, path) = (holder.processIdentifier, someone.data + "/vpsd.lock")
    try Data("\(process) restore-state\n".utf8).write(to: URL(fileURLWithPath: path))
    while ProcessLock.holder(path: path) == nil, holder.isRunning { usleep(5000) }
    for arguments in [["shutdown"], ["shutdown", "--servers"]] {
      let refused = try someone.run(arguments)
      #expect(refused.status == 4 && refused.errors.contains("`vpsd restore-state` (process \(process))"))
      #expect(refused.output.isEmpty && holder.isRunning, "\(refused.all)")
    }
  }

  @Test("A service of an earlier version is seen, and none is started beside it")
  func earlierVersion() async throws {
    try await withTemporaryFolder { folder in
      let path = folder.path + "/vpsd.lock"
      try Data("\(getpid())\n".utf8).write(to: URL(fileURLWithPath: path))
      let descriptor = open(path, O_RDWR | O_CLOEXEC)
      #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
      #expect(ProcessLock.holder(path: path) == ProcessLock.Holder(process: getpid(), work: "serve"))
      #expect(throws: ProcessLock.Held.self) { try ProcessLock(path: path) }
      close(descriptor)
      #expect(ProcessLock.holder(path: path) == nil)
    }
  }
}
