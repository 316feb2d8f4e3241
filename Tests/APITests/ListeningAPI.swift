import API
import Core
import Engine
import Hummingbird
import NIOCore
import TestSupport

/// The HTTP face of a whole service on a port of this host, as the program has it.
struct ListeningAPI {
  let api: TestAPI
  let port: Int

  /// No connection ends because time has passed: longer than a test waits for anything.
  static let patient = {
    var limits = ConnectionLimits()
    (limits.firstRequest, limits.idle, limits.transfer) = (.seconds(600), .seconds(600), .seconds(600))
    return limits
  }()

  /// Runs a test with it, and ends it afterwards.
  ///
  /// - Parameter address: Of this host, where it listens.
  static func with(
    _ api: TestAPI, _ limits: ConnectionLimits = Self.patient, at address: String = "127.0.0.1",
    _ test: @escaping @Sendable (ListeningAPI) async throws -> Void
  ) async throws {
    let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
    let application = api.api.listener(
      on: .hostname(address, port: 0), limits: limits,
      onServerRunning: { channel in continuation.yield(channel.localAddress?.port ?? 0) })
    try await withThrowingTaskGroup { group in
      group.addTask {
        try await application.run()
        throw EndedEarly()
      }
      group.addTask {
        for await port in ports { return try await test(ListeningAPI(api: api, port: port)) }
      }
      try await group.next()
      group.cancelAll()
      // What was told to end, ends.
      try? await group.waitForAll()
    }
  }

  struct EndedEarly: Error {}

  struct IssuedTicket {
    let ticket: String
    let protocols: String
  }

  /// A ticket for the console of an active server.
  func invitation(to server: Int, token: String? = nil) async throws -> IssuedTicket {
    let reply = try await api.send(.post, "/servers/\(server)/console/", token: token)
    let ticket = try reply.json["ticket"] as? String ?? ""
    return IssuedTicket(ticket: ticket, protocols: "binary, ticket.\(ticket)")
  }
}
