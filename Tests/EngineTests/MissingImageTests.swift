import Core
import SimulatedDriver
import TestSupport
import Testing

@testable import Engine

@Suite(
  "A system whose image is not there yet is ordered all the same, and refused while it is known that it cannot be had")
struct MissingImageTests {
  private static let ubuntu = "ubuntu-22.04"

  private func order(_ service: TestService) async throws -> ID<Server> {
    var draft = service.draft()
    draft.operatingSystemID = 5
    return try await service.servers.create(draft, service.owner).view.server.id
  }

  private func reason(_ id: ID<Server>, _ service: TestService) async throws -> String? {
    try await service.servers.read(id, service.owner).0.statusReason
  }

  private func refusal(_ body: () async throws -> Void) async -> Failure? {
    do {
      try await body()
      return nil
    } catch {
      return error as? Failure
    }
  }

  @Test("Who orders it sees how far its download is, however long that takes, and then has the server")
  func fetched() async throws {
    let service = try await TestService()
    service.driver.configure { $0.absences[Self.ubuntu] = .beingFetched(.waiting) }
    let id = try await order(service)
    for (fetch, words) in [
      (ImageFetch.waiting, "Ubuntu 22.04 LTS is downloaded for its first server as soon as other downloads are done."),
      (
        .downloading(bytes: 1_999_999, totalBytes: nil),
        "Ubuntu 22.04 LTS is being downloaded for its first server: 1 MB."
      ),
      (
        .downloading(bytes: 300_000_000, totalBytes: 645_000_000),
        "Ubuntu 22.04 LTS is being downloaded for its first server: 300 of 645 MB."
      ),
      (.preparing, "Ubuntu 22.04 LTS was downloaded for its first server, and is being prepared."),
    ] {
      service.driver.configure { $0.absences[Self.ubuntu] = .beingFetched(fetch) }
      for _ in 0..<4 {
        try await service.step()
        service.clock.advance(by: .seconds(600))
      }
      #expect(try await service.status(of: id) == .provisioning)
      #expect(try await reason(id, service) == words)
    }
    service.driver.configure { options in
      options.absences[Self.ubuntu] = nil
      options.images.insert(Self.ubuntu)
    }
    try await service.settle()
    #expect(try await service.status(of: id) == .active)
    #expect(try await reason(id, service) == nil)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("Who waits can give up, and others who order it meanwhile wait for the same")
  func shared() async throws {
    let service = try await TestService()
    service.driver.configure { $0.absences[Self.ubuntu] = .beingFetched(.waiting) }
    let (first, second) = (try await order(service), try await order(service))
    for _ in 0..<4 { try await service.step() }
    try await service.servers.delete(first, service.owner)
    for _ in 0..<6 { try await service.step() }
    #expect(try await service.store.server(first) == nil)
    service.driver.configure { options in
      options.absences[Self.ubuntu] = nil
      options.images.insert(Self.ubuntu)
    }
    try await service.settle()
    #expect(try await service.status(of: second) == .active)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("Once it is known that it cannot be had, no order of it is taken, nor a rebuild; of others they are")
  func unavailable() async throws {
    let service = try await TestService()
    let former = try await order(service)
    try await service.settle()
    #expect(try await service.status(of: former) == .error)
    let id = try await service.activeServer()
    let count = try await service.store.allServers().count
    service.driver.configure { $0.absences[Self.ubuntu] = .unavailable(for: .milliseconds(59_001)) }
    let refused = await refusal { _ = try await order(service) }
    #expect(refused?.code == .unavailable(retryAfterSeconds: 60))
    #expect(refused?.message == "Ubuntu 22.04 LTS is not available at us-west at the moment.")
    var draft = Servers.RebuildDraft()
    draft.operatingSystem = .id(ID(5))
    let rebuild = await refusal { _ = try await service.servers.rebuild(id, draft, service.owner) }
    #expect(rebuild?.code == .unavailable(retryAfterSeconds: 60))
    #expect(try await service.store.allServers().count == count)
    _ = try await service.activeServer()
    // The time for which it was known is over: somebody may try.
    service.driver.configure { $0.absences[Self.ubuntu] = nil }
    _ = try await order(service)
  }
}
