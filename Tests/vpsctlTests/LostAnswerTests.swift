import Foundation
import Synchronization
import Testing

@Suite("What was done though the answer was lost is no failure when it is asked for again")
struct LostAnswerTests {
  private static let server =
    #"{"id": 7, "name": "web", "status": "rebooting", "ip_address": "127.80.0.1", "username": "root", "ssh_port": 22, "uuid": "0f8fad5b-d9cb-469f-a165-70867728950e"}"#

  @Test("A firewall that is stored is, unless somebody else has changed it meanwhile", arguments: [false, true])
  func firewall(isChanged: Bool) async throws {
    let off = #"{"enabled": false, "rules": [], "enforced": true}"#
    let state = Mutex((stored: off, tries: 0))
    let service = try ScriptedServer { request in
      guard request.path.contains("/firewall/") else { return .json(200, Self.server) }
      return state.withLock { state in
        guard request.method == "PUT" else { return .json(200, state.stored, ["ETag": "\"\(state.tries)\""]) }
        state.tries += 1
        guard state.tries == 1 else { return .json(412, #"{"detail": "The firewall was changed meanwhile."}"#) }
        if !isChanged { state.stored = request.body }
        return .cut
      }
    }
    let result = try await User(url: service.url).run("server", "firewall", "enable", "7", "-o", "json")
    if isChanged {
      #expect(result.status == 4 && result.errors == "Error: The firewall was changed meanwhile.\n", "\(result.all)")
    } else {
      let isOn = try result.object["enabled"] as? Bool
      #expect(result.status == 0 && isOn == true, "\(result.all)")
    }
    let puts = service.requests.filter { $0.method == "PUT" }
    #expect(puts.count == 2 && puts.allSatisfy { $0.header("If-Match") == "\"0\"" })
  }

  @Test("A rescue system that is left is, and one that is booting is not", arguments: ["leave_rescue", "rescue"])
  func rescue(newest: String) async throws {
    let tries = Mutex(0)
    let refusal = "Server is on its way into the rescue system, or out of it, already."
    let service = try ScriptedServer { request in
      if request.path.contains("/operations/") {
        return .json(200, #"{"count": 1, "results": [{"id": 1, "kind": "\#(newest)", "status": "running"}]}"#)
      }
      guard request.method == "DELETE" else { return .json(200, Self.server) }
      return tries.withLock { tries in
        tries += 1
        return tries == 1 ? .cut : .json(400, #"{"detail": "\#(refusal)"}"#)
      }
    }
    let user = try User(url: service.url)
    let result = try await user.run("server", "rescue", "7", "--off", "--no-wait")
    if newest == "leave_rescue" {
      #expect(
        result.status == 0 && result.output == "web (7): Server is leaving the rescue system\n", "\(result.all)")
    } else {
      #expect(result.status == 4 && result.errors == "Error: \(refusal)\n", "\(result.all)")
    }
    // Of a first try it is what it says.
    let again = try await user.run("server", "rescue", "7", "--off", "--no-wait")
    #expect(again.status == 4 && again.errors == "Error: \(refusal)\n", "\(again.all)")
  }
}
