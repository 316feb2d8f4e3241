import Core
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import IncusDriver

@Suite("A file goes from one server to another by way of this process")
struct RelayTests {
  /// More than is read at a time.
  private static let text = String(repeating: "0123456789abcdef", count: 20_000)

  private static func relay(
    _ answers: (source: ScriptedServer.Answer, target: ScriptedServer.Answer), patience: Duration = .seconds(60),
    while isWanted: @escaping @Sendable () -> Bool = { true }
  ) async throws -> (operation: IncusOperation?, sent: [ScriptedServer.Request]) {
    var result: Result<(IncusOperation?, [ScriptedServer.Request]), any Error> = .failure(IncusError.notFound)
    try await ScriptedServer.with({ _ in answers.source }) { _, from async throws in
      try await ScriptedServer.with({ _ in answers.target }) { server, to async throws in
        let clients = [from, to].map { IncusClient(endpoint: $0, project: "default") }
        do {
          let operation = try await clients[1].relay(
            IncusPath("images", "f", "export"), of: clients[0], to: IncusPath("images"), patience: patience,
            while: isWanted)
          result = .success((operation, server.requests))
        } catch {
          result = .failure(error)
        }
      }
    }
    return try result.get()
  }

  @Test("It comes whole")
  func whole() async throws {
    let (operation, sent) = try await Self.relay((.json(200, Self.text), .operation("7")))
    #expect(operation?.id == "7" && sent.map(\.path) == ["/1.0/images?project=default"])
    #expect(sent.first?.body == Self.text)
  }

  @Test("Whoever refuses it is heard, and half a file is none")
  func refused() async throws {
    await #expect(throws: IncusError.notFound) { try await Self.relay((.error(404, "no"), .operation("7"))) }
    await #expect(throws: IncusError.refused("no space")) {
      try await Self.relay((.json(200, Self.text), .error(500, "no space")))
    }
    await #expect(throws: IncusError.self) { try await Self.relay((.half, .operation("7"))) }
    // Of what nobody knows how long it is.
    await #expect(throws: IncusError.self) { try await Self.relay((.endless(bytes: 100), .operation("7"))) }
  }

  @Test("Where nothing moves it ends, and where nobody wants it any more")
  func ends() async throws {
    let patience = Duration.milliseconds(200)
    await #expect(throws: IncusError.noAnswer(within: patience)) {
      try await Self.relay((.json(200, Self.text), .silence), patience: patience)
    }
    await #expect(throws: CancellationError.self) {
      try await Self.relay((.json(200, Self.text), .silence), patience: .seconds(60), while: { false })
    }
  }

  @Test("Work may take as long as it tells of progress, and no longer")
  func progress() async throws {
    let asked = Mutex(0)
    let script: ScriptedServer.Script = { request in
      // So says Incus that it has waited for as long as it was told to.
      if request.path.contains("/wait") { return .error(500, "context deadline exceeded") }
      let number = asked.withLock { count in
        count += 1
        return count
      }
      guard number < 20 else { return .ended("7") }
      return .ended("7", code: 103, metadata: #"{"unpack_progress":"Unpack: \#(number)%"}"#)
    }
    try await ScriptedServer.with(script) { _, endpoint async throws in
      let client = IncusClient(endpoint: endpoint, project: "default")
      let operation = IncusOperation(id: "7", statusCode: 103, error: nil, resources: nil, result: nil)
      try await client.end(of: operation, patience: .seconds(60), while: { true })
      #expect(asked.withLock { $0 } == 20)
    }
    let still: ScriptedServer.Script = { _ in .ended("7", code: 103, metadata: #"{"unpack_progress":"Unpack: 1%"}"#) }
    try await ScriptedServer.with(still) { _, endpoint async throws in
      let client = IncusClient(endpoint: endpoint, project: "default")
      let operation = IncusOperation(id: "7", statusCode: 103, error: nil, resources: nil, result: nil)
      await #expect(throws: IncusError.noAnswer(within: .milliseconds(50))) {
        try await client.end(of: operation, patience: .milliseconds(50), while: { true })
      }
    }
  }
}
