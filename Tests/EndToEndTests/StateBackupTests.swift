import APIClient
import Foundation
import TestSupport
import Testing

@Suite("The state is put back", .serialized)
struct StateBackupTests {
  @Test("The steps that docs/operating.md tells lead back to what was copied while the service ran")
  func restore() async throws {
    try await Service.with(["VPSD_DRIVER": "simulated"]) { service in
      let kept = try await active(service, "kept")
      let copy = service.directory.path + "/copy.sqlite"
      _ = try service.operate(["backup-state", copy])
      let later = try await active(service, "later")
      try await service.client().deleteServer(kept.id)
      _ = try await eventually("the end of the first server", withinSeconds: 180) {
        try service.operate(["server", "list", "--json"]).contains(kept.uuid) ? nil : true
      }

      _ = try service.operate(["shutdown"])
      _ = try service.operate(["restore-state", copy])
      try await service.start()
      let client = try service.client()
      expectEqual(try await client.servers().map(\.id), [kept.id])
      // Its machine is gone with its disk, and the later one's belongs to nobody.
      _ = try await eventually("the verdict on what is missing", withinSeconds: 180) {
        try await client.server(kept.id).status == "error" ? true : nil
      }
      _ = try await eventually("agreement", withinSeconds: 180) { try service.checked().status == 0 ? true : nil }
      #expect(!FileManager.default.fileExists(atPath: service.data + "/simulated/machines/\(later.uuid).json"))
      try await client.deleteServer(kept.id)
      let old = try FileManager.default.contentsOfDirectory(atPath: service.data).filter { $0.contains("before") }
      #expect(old.count == 1, "what was there before is kept")
    }
  }

  @Test("Nothing is put back under a running service, nor from a file that is no state")
  func refused() async throws {
    try await Service.with(["VPSD_DRIVER": "simulated"]) { service in
      let copy = service.directory.path + "/copy.sqlite"
      _ = try service.operate(["backup-state", copy])
      #expect(throws: Command.Failed.self) { try service.operate(["restore-state", copy]) }
      _ = try service.operate(["shutdown"])
      let before = try Data(contentsOf: URL(fileURLWithPath: service.data + "/vpsd.sqlite"))
      try Data("no database".utf8).write(to: URL(fileURLWithPath: copy + ".bad"))
      for file in [copy + ".bad", copy + ".missing"] {
        #expect(throws: Command.Failed.self) { try service.operate(["restore-state", file]) }
      }
      expectEqual(try Data(contentsOf: URL(fileURLWithPath: service.data + "/vpsd.sqlite")), before)
      try await service.start()
    }
  }

  private func active(_ service: Service, _ name: String) async throws -> APIClient.Server {
    let client = try service.client()
    let created = try await client.createServer(.init(name: name, planId: 3, osId: 3, location: "us-west"))
    _ = try await EndToEndTests.active(created.id, client)
    return created
  }
}
